"""Every role, asked of IAM's own logic: what its work needs is allowed, and what it must never do is not."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from .conftest import ROOT, of_type

ACCOUNT, REGION = "123456789012", "us-east-1"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "amazonaws.com"}
DROP, ARTIFACTS = "arn:aws:s3:::drop", "arn:aws:s3:::artifacts"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/registry"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:bell"
JOB = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/dropforge-run-0123456789abcdef-1-0"
OTHER_JOB = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/somebody-elses"
ROWS, PIECE = f"{DROP}/batch/houses/new.csv", f"{ARTIFACTS}/runs/run-0123456789abcdef/batch/piece-00001.rows"
PREDICTED = f"{ARTIFACTS}/predictions/houses/new.csv"
EXECUTION = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:way:0123"
CHILDREN = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:way:child"
DATA, RUN = f"{DROP}/datasets/houses/houses.csv", f"{ARTIFACTS}/runs/run-0123456789abcdef"
ROLE, OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/training", f"arn:aws:iam::{ACCOUNT}:role/admin"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:judge"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:way"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
IMAGE = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/dropforge-trainer"
KNOWN = {
    "LakeDrop": DROP, "LakeArtifacts": ARTIFACTS, "RegistryTable": TABLE, "LakeKey": KEY, "BellTopic": TOPIC,
    "TrainingRole": ROLE, "PipelineJudgeFunction": FUNCTION, "ApiPredictFunction": FUNCTION, "PipelineMachine": MACHINE,
    "BatchAnswerFunction": FUNCTION, "BatchMachine": MACHINE,
    "RolloutsWeighFunction": FUNCTION, "RolloutsMachine": MACHINE,
}  # fmt: skip
Case = tuple[str, str, str]
"""Action, resource, and the one condition key with its value that the call comes under (`key=value`, or nothing)."""


def arn(template: dict[str, Any], name: str) -> str:
    """A made-up ARN for a logical id, recognisable in a case."""
    known = next((found for prefix, found in KNOWN.items() if name.startswith(prefix)), None)
    if known is not None:
        return known
    kind = template["Resources"][name]["Type"].split("::")
    service = {"Lambda": "lambda", "IAM": "iam", "SQS": "sqs", "Logs": "logs", "StepFunctions": "states"}[kind[1]]
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind[2].lower()}:{name}"


def resolved(template: dict[str, Any], value: Any) -> Any:
    """Plain JSON for a piece of the template."""
    if isinstance(value, list):
        return [resolved(template, each) for each in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return PSEUDO.get(value["Ref"]) or arn(template, value["Ref"])
    if "Fn::GetAtt" in value:
        return arn(template, value["Fn::GetAtt"][0])
    if "Fn::Select" in value:
        at, parts = value["Fn::Select"]
        separator, text = parts["Fn::Split"]
        return resolved(template, text).split(separator)[int(at)]
    if "Fn::Join" in value:
        return value["Fn::Join"][0].join(resolved(template, value["Fn::Join"][1]))
    return {name: resolved(template, each) for name, each in value.items()}


TWO_POLICIES = ("BatchRole", "PipelineClaimRole", "BatchClaimRole")
"""Roles that may use something which depends on their first policy: a state machine."""


def policy_of(template: dict[str, Any], role: str) -> dict[str, Any]:
    """All that the policies of the role whose logical id begins with `role` say."""
    found = [
        each["Properties"]["PolicyDocument"]
        for name, each in of_type(template, "AWS::IAM::Policy").items()
        if any(ref["Ref"].startswith(role) for ref in each["Properties"]["Roles"])
    ]
    assert len(found) == (2 if role in TWO_POLICIES else 1), role
    statements = [statement for document in found for statement in resolved(template, document)["Statement"]]
    return {"Version": "2012-10-17", "Statement": statements}


def key_policy(template: dict[str, Any]) -> dict[str, Any]:
    """The key's own policy: without it, KMS allows nothing."""
    (key,) = of_type(template, "AWS::KMS::Key").values()
    return dict(resolved(template, key["Properties"]["KeyPolicy"]))


def use(*actions: str, of: str, under: str = "") -> list[Case]:
    return [(action, of, under) for action in actions]


VIA_S3 = f"kms:ViaService=s3.{REGION}.amazonaws.com"
KMS = use("kms:Decrypt", "kms:GenerateDataKey", of=KEY, under=VIA_S3)
ALLOWED: dict[str, list[Case]] = {
    "PipelineClaimRole": [
        *use("s3:GetObject", "s3:GetObjectVersion", of=DATA), *use("s3:ListBucket", "s3:ListBucketVersions", of=DROP),
        *use("dynamodb:GetItem", "dynamodb:PutItem", of=TABLE), *KMS,
        *use("states:DescribeExecution", of=EXECUTION),
    ],
    "PipelineInspectRole": [
        *use("s3:GetObject", "s3:GetObjectVersion", of=DATA), *use("s3:ListBucket", "s3:ListBucketVersions", of=DROP),
        *use("s3:PutObject", "s3:PutObjectTagging", of=f"{RUN}/input/data/houses.csv"),
        *use("s3:PutObject", of=f"{ARTIFACTS}/quarantine/r/f"),
        *use("dynamodb:GetItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
    ],
    "PipelineJudgeRole": [
        *use("s3:GetObject", of=f"{RUN}/training/job/output/model/model.onnx"),
        *use("s3:PutObject", of=f"{RUN}/model.onnx"),
        *use("dynamodb:GetItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
        *use("cloudwatch:PutMetricData", of="*", under="cloudwatch:namespace=Dropforge"),
    ],
    "PipelineRerouteRole": [
        *use("dynamodb:GetItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
        *use("cloudwatch:PutMetricData", of="*", under="cloudwatch:namespace=Dropforge"),
    ],
    "PipelineRegisterRole": [
        *use("s3:GetObject", of=f"{RUN}/verdict.json"),
        *use("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", of=TABLE), *KMS,
    ],
    "PipelineRehearseRole": [
        *use("s3:GetObject", of=f"{RUN}/golden.jsonl"), *use("s3:GetObject", of=f"{RUN}/verdict.json"),
        *use("s3:GetObject", of=f"{RUN}/input/plan/plan.json"),
        *use("s3:GetObject", "s3:PutObject", of=f"{RUN}/report.html"),
        *use("s3:GetObject", "s3:PutObject", of=f"{RUN}/manifest.json"),
        *use("s3:GetObject", of=f"{ARTIFACTS}/captures/houses/1/2026-12-01-04/s-1.jsonl.gz"),
        *use("s3:ListBucket", of=ARTIFACTS), *use("lambda:InvokeFunction", of=FUNCTION),
        *use("dynamodb:GetItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
    ],
    "PipelinePromoteRole": [
        *use("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
        *use("s3:GetObject", of=f"{RUN}/input/plan/plan.json"), *use("states:StartExecution", of=MACHINE),
    ],
    "RolloutsWeighRole": [
        *use("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
        *use("s3:GetObject", of=f"{RUN}/verdict.json"), *use("s3:GetObject", of=f"{RUN}/input/plan/plan.json"),
        *use("s3:GetObject", of=f"{ARTIFACTS}/captures/houses/1/2026-12-01-04/s-1.jsonl.gz"),
        *use("s3:GetObject", "s3:PutObject", of=f"{RUN}/rollout.json"), *use("s3:PutObject", of=f"{RUN}/rollout.html"),
        *use("s3:ListBucket", of=ARTIFACTS), *use("sns:Publish", of=TOPIC),
    ],
    "RolloutsRole": use("lambda:InvokeFunction", of=FUNCTION),
    "PipelineNotifyRole": [
        *use("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", of=TABLE),
        *use("sns:Publish", of=TOPIC), *KMS,
    ],
    "ApiPredictRole": [
        *use("s3:GetObject", of=f"{RUN}/model.onnx"), *use("s3:GetObject", of=f"{RUN}/fast/weights.bin"),
        *use("dynamodb:GetItem", "dynamodb:Query", of=TABLE),
        *use("kms:Decrypt", "kms:GenerateDataKey", of=KEY, under=VIA_S3),
        *use("s3:PutObject", "s3:PutObjectTagging", of=f"{ARTIFACTS}/captures/m/1/2026-12-01-03/a.jsonl.gz"),
        *use("cloudwatch:PutMetricData", of="*", under="cloudwatch:namespace=Dropforge"),
    ],
    "CompactorCompactRole": [
        *use("s3:GetObject", "s3:GetObjectTagging", of=f"{ARTIFACTS}/captures/m/1/2026-12-01-03/a.jsonl.gz"),
        *use("s3:PutObject", "s3:PutObjectTagging", of=f"{ARTIFACTS}/captures/m/1/compacted/2026-12-01-03.json"),
        *use("s3:ListBucket", of=ARTIFACTS, under="s3:prefix=captures/m/"),
        *KMS,
    ],
    "ApiCatalogRole": [
        *use("s3:GetObject", of=f"{RUN}/manifest.json"), *use("s3:GetObject", of=f"{RUN}/metrics.json"),
        *use("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", of=TABLE),
        *use("dynamodb:Query", of=f"{TABLE}/index/listing"),
        *use("dynamodb:Query", of=f"{TABLE}/index/listing-of-model"), *use("kms:Decrypt", of=KEY, under=VIA_S3),
    ],
    "ApiLiveRole": [
        *use("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", of=TABLE), *KMS,
        *use("states:StartExecution", of=MACHINE),
    ],
    "TrainingRole": [
        *use("s3:GetObject", of=f"{RUN}/input/plan/plan.json"), *use("s3:PutObject", of=f"{RUN}/training/model.onnx"),
        *use("s3:ListBucket", of=ARTIFACTS), *KMS, *use("ecr:BatchGetImage", of=IMAGE),
        *use("kms:CreateGrant", of=KEY, under="kms:GrantIsForAWSResource=true"),
        *use("cloudwatch:PutMetricData", of="*", under="cloudwatch:namespace=/aws/sagemaker/TrainingJobs"),
    ],
    "PipelineRole": [
        *use("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob",
             "sagemaker:AddTags", of=JOB),
        *use("lambda:InvokeFunction", of=FUNCTION),
        *use("iam:PassRole", of=ROLE, under="iam:PassedToService=sagemaker.amazonaws.com"),
        *use("events:PutRule", "events:PutTargets", "events:DescribeRule", of=RULE),
    ],
    "PipelineMachineEventsRole": use("states:StartExecution", of=MACHINE),
    "BatchClaimRole": [
        *use("dynamodb:GetItem", "dynamodb:PutItem", of=TABLE), *KMS, *use("states:DescribeExecution", of=EXECUTION),
    ],
    "BatchPlanRole": [
        *use("s3:GetObject", "s3:GetObjectVersion", of=ROWS), *use("s3:ListBucket", "s3:ListBucketVersions", of=DROP),
        *use("s3:GetObject", of=f"{RUN}/manifest.json"), *use("s3:PutObject", "s3:AbortMultipartUpload", of=PIECE),
        *use("dynamodb:GetItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
    ],
    "BatchAnswerRole": [
        *use("s3:GetObject", "s3:GetObjectVersion", of=ROWS), *use("s3:GetObject", of=f"{RUN}/model.onnx"),
        *use("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", of=PIECE),
        *use("dynamodb:UpdateItem", of=TABLE), *KMS,
    ],
    "BatchJoinRole": [
        *use("s3:GetObject", "s3:DeleteObject", of=PIECE),
        *use("s3:PutObject", "s3:AbortMultipartUpload", of=PREDICTED),
        *use("dynamodb:GetItem", "dynamodb:UpdateItem", of=TABLE), *KMS,
    ],
    "BatchNotifyRole": [
        *use("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", of=TABLE),
        *use("sns:Publish", of=TOPIC), *KMS,
    ],
    "BatchRole": [
        *use("lambda:InvokeFunction", of=FUNCTION), *use("states:StartExecution", of=MACHINE),
        *use("states:DescribeExecution", "states:StopExecution", of=CHILDREN),
    ],
    "BatchMachineEventsRole": use("states:StartExecution", of=MACHINE),
    "ReconcilerReconcileRole": [
        *use("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", of=TABLE),
        *use("dynamodb:Query", of=f"{TABLE}/index/listing"), *use("s3:ListBucketVersions", of=DROP), *KMS,
        *use("states:StartExecution", "states:ListExecutions", of=MACHINE),
        *use("states:DescribeExecution", of=EXECUTION), *use("sns:Publish", of=TOPIC),
    ],
}  # fmt: skip

DENIED: dict[str, list[Case]] = {
    "PipelineClaimRole": [
        *use("s3:PutObject", of=f"{RUN}/model.onnx"), *use("s3:DeleteObject", of=DATA),
        *use("states:DescribeExecution", of=EXECUTION.replace("way", "others")),
        *use("states:StopExecution", of=EXECUTION),
    ],
    "PipelineInspectRole": [
        *use("s3:PutObjectTagging", of=f"{RUN}/model.onnx"), *use("s3:PutObject", "s3:DeleteObject", of=DATA),
        *use("dynamodb:PutItem", of=TABLE),
    ],
    "PipelineJudgeRole": [*use("s3:GetObject", of=DATA), *use("s3:DeleteObject", of=f"{RUN}/model.onnx")],
    "PipelineRerouteRole": [
        *use("s3:GetObject", of=DATA), *use("dynamodb:PutItem", "dynamodb:DeleteItem", of=TABLE),
        *use("sagemaker:CreateTrainingJob", of=JOB),
        *use("cloudwatch:PutMetricData", of="*", under="cloudwatch:namespace=AWS/States"),
    ],
    "PipelineRegisterRole": [*use("s3:PutObject", of=f"{RUN}/model.onnx"), *use("dynamodb:DeleteItem", of=TABLE)],
    "PipelineRehearseRole": [
        *use("s3:GetObject", of=f"{RUN}/model.onnx"), *use("s3:PutObject", of=f"{RUN}/verdict.json"),
        *use("lambda:InvokeFunction", of=f"{FUNCTION}-of-others"), *use("dynamodb:PutItem", of=TABLE),
    ],
    "PipelinePromoteRole": [
        *use("s3:GetObject", of=f"{RUN}/model.onnx"), *use("dynamodb:DeleteItem", of=TABLE),
        *use("states:StartExecution", of=f"{MACHINE}-of-others"), *use("states:StopExecution", of=EXECUTION),
    ],
    "RolloutsWeighRole": [
        *use("s3:GetObject", of=f"{RUN}/model.onnx"), *use("s3:PutObject", of=f"{RUN}/verdict.json"),
        *use("s3:PutObject", "s3:DeleteObject", of=f"{ARTIFACTS}/captures/houses/1/2026-12-01-04/s-1.jsonl.gz"),
        *use("dynamodb:DeleteItem", of=TABLE), *use("sns:Publish", of=f"{TOPIC}-of-others"),
    ],
    "RolloutsRole": [
        *use("lambda:InvokeFunction", of=f"{FUNCTION}-of-others"), *use("s3:GetObject", of=f"{RUN}/verdict.json"),
    ],
    "PipelineNotifyRole": [*use("s3:GetObject", of=DATA), *use("sns:Publish", of=f"{TOPIC}-of-others")],
    "ApiPredictRole": [
        *use("s3:GetObject", of=DATA), *use("s3:GetObject", of=f"{RUN}/holdout.json.gz"),
        *use("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchGetItem", of=TABLE),
        *use("s3:PutObject", of=f"{RUN}/model.onnx"), *use("dynamodb:Query", of=f"{TABLE}/index/listing-of-model"),
        *use("s3:GetObject", "s3:DeleteObject", of=f"{ARTIFACTS}/captures/m/1/2026-12-01-03/a.jsonl.gz"),
        *use("cloudwatch:PutMetricData", of="*", under="cloudwatch:namespace=AWS/States"),
    ],
    "CompactorCompactRole": [
        *use("s3:GetObject", of=f"{RUN}/model.onnx"), *use("s3:DeleteObject", of=f"{ARTIFACTS}/captures/m/1/a"),
        *use("s3:PutObject", of=f"{ARTIFACTS}/captures/m/1/2026-12-01-03/a.jsonl.gz"),
        *use("s3:ListBucket", of=ARTIFACTS, under="s3:prefix=runs/"),
    ],
    "ApiCatalogRole": [*use("s3:GetObject", of=f"{RUN}/model.onnx"), *use("dynamodb:PutItem", of=TABLE)],
    "ApiLiveRole": [
        *use("s3:GetObject", of=f"{RUN}/model.onnx"), *use("dynamodb:DeleteItem", "dynamodb:BatchGetItem", of=TABLE),
    ],
    "TrainingRole": [
        *use("s3:GetObject", of=DATA), *use("dynamodb:GetItem", of=TABLE), *use("s3:DeleteObject", of=f"{RUN}/a"),
        *use("cloudwatch:PutMetricData", of="*", under="cloudwatch:namespace=Dropforge"),
        *use("ecr:PutImage", of=IMAGE), *use("ecr:BatchGetImage", of=f"{IMAGE}-of-others"),
        *use("kms:CreateGrant", of=KEY, under="kms:GrantIsForAWSResource=false"),
    ],
    "PipelineRole": [
        *use("sagemaker:CreateTrainingJob", of=OTHER_JOB), *use("s3:GetObject", of=DATA),
        *use("lambda:InvokeFunction", of=f"{FUNCTION}-of-others"), *use("events:PutRule", of=f"{RULE}-of-others"),
        *use("iam:PassRole", of=ROLE, under="iam:PassedToService=lambda.amazonaws.com"),
        *use("iam:PassRole", of=OTHER_ROLE, under="iam:PassedToService=sagemaker.amazonaws.com"),
    ],
    "PipelineMachineEventsRole": [
        *use("states:StartExecution", of=f"{MACHINE}-of-others"), *use("states:DeleteStateMachine", of=MACHINE),
    ],
    "BatchClaimRole": [*use("s3:GetObject", of=ROWS), *use("dynamodb:DeleteItem", of=TABLE)],
    "BatchPlanRole": [
        *use("s3:PutObject", "s3:DeleteObject", of=ROWS), *use("s3:GetObject", of=DATA),
        *use("s3:PutObject", of=f"{RUN}/model.onnx"), *use("s3:PutObject", of=PREDICTED),
    ],
    "BatchAnswerRole": [
        *use("s3:PutObject", of=PREDICTED), *use("s3:PutObject", of=f"{RUN}/model.onnx"), *use("s3:GetObject", of=DATA),
        *use("s3:DeleteObject", of=PIECE), *use("dynamodb:PutItem", "dynamodb:DeleteItem", of=TABLE),
    ],
    "BatchJoinRole": [
        *use("s3:DeleteObject", of=PREDICTED), *use("s3:DeleteObject", of=f"{RUN}/model.onnx"),
        *use("s3:GetObject", of=ROWS), *use("s3:GetObject", of=f"{RUN}/model.onnx"),
    ],
    "BatchNotifyRole": [*use("s3:GetObject", of=ROWS), *use("sns:Publish", of=f"{TOPIC}-of-others")],
    "BatchRole": [
        *use("lambda:InvokeFunction", of=f"{FUNCTION}-of-others"), *use("s3:GetObject", of=ROWS),
        *use("states:StartExecution", of=f"{MACHINE}-of-others"), *use("sagemaker:CreateTrainingJob", of=JOB),
    ],
    "BatchMachineEventsRole": [
        *use("states:StartExecution", of=f"{MACHINE}-of-others"), *use("states:DeleteStateMachine", of=MACHINE),
    ],
    "ReconcilerReconcileRole": [
        *use("s3:GetObject", of=DATA), *use("dynamodb:DeleteItem", of=TABLE),
        *use("states:StopExecution", of=EXECUTION), *use("states:StartExecution", of=f"{MACHINE}-of-others"),
        *use("sns:Publish", of=f"{TOPIC}-of-others"),
    ],
}  # fmt: skip


def simulated(asked: list[tuple[dict[str, Any], Case, dict[str, Any] | None]]) -> list[bool]:
    """Whether each policy, beside a resource's own, allows its case; one process for all."""
    given = [
        {
            "policy": policy,
            "action": action,
            "resource": resource,
            "context": dict([under.split("=")] if under else []),
            "resourcePolicy": beside,
        }
        for policy, (action, resource, under), beside in asked
    ]
    done = subprocess.run(
        ["node", "tests/infra/simulate.mjs"],
        cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    return answers


def allowed(template: dict[str, Any], cases: dict[str, list[Case]]) -> dict[tuple[str, Case], bool]:
    """Every case's answer, by role and case."""
    asked = [(role, case) for role, each in cases.items() for case in each]
    policies, key = {role: policy_of(template, role) for role in cases}, key_policy(template)
    given = [(policies[role], case, key if case[1] == KEY else None) for role, case in asked]
    return dict(zip(asked, simulated(given), strict=True))


def test_each_role_may_do_its_work(template: dict[str, Any]) -> None:
    assert [case for case, yes in allowed(template, ALLOWED).items() if not yes] == []


def test_no_role_may_do_more(template: dict[str, Any]) -> None:
    assert [case for case, yes in allowed(template, DENIED).items() if yes] == []


@pytest.mark.parametrize("role", ALLOWED)
def test_every_role_is_asked_both_ways(role: str) -> None:
    assert DENIED[role]


def test_no_function_may_use_the_key_by_itself(template: dict[str, Any]) -> None:
    """A service that holds the data asks KMS; SageMaker alone can take on the training job's role."""
    by_itself = use("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt", of=KEY)
    elsewhere = use("kms:Decrypt", of=KEY, under=f"kms:ViaService=ec2.{REGION}.amazonaws.com")
    cases = {role: [*by_itself, *elsewhere] for role in ALLOWED if role != "TrainingRole"}
    assert [case for case, yes in allowed(template, cases).items() if yes] == []
