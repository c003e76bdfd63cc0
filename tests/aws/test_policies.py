"""Every role: sound by an analyser of policies, and simulated, with what its work needs and what it must never do.

parliament (an environment of its own, since it wants an older setuptools) knows every action and the resources that it
takes. Allowing and denying is decided by npm `@cloud-copilot/iam-simulate`, as in `tests/infra/test_roles.py`, whose
cases of allowed calls are used here.
"""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from typing import Any

import pytest

from tests.infra.conftest import ROOT, of_type
from tests.infra.test_roles import (
    ACCOUNT,
    ALLOWED,
    ARTIFACTS,
    DATA,
    DROP,
    FUNCTION,
    IMAGE,
    KEY,
    MACHINE,
    OTHER_JOB,
    OTHER_ROLE,
    REGION,
    RUN,
    TABLE,
    TOPIC,
    Case,
    allowed,
    policy_of,
    resolved,
    use,
)

pytestmark = pytest.mark.aws
PARLIAMENT = ROOT / ".venv-clients" / "parliament" / "bin" / "python"
OTHERS = f"{REGION}:{ACCOUNT}"
NOBODY: list[Case] = [
    *use("iam:CreateUser", of=f"arn:aws:iam::{ACCOUNT}:user/somebody"),
    *use("iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:PassRole", "sts:AssumeRole", of=OTHER_ROLE),
    *use("s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutEncryptionConfiguration", of=DROP),
    *use("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", of=DATA),
    *use("s3:DeleteObject", of=f"{RUN}/manifest.json"),
    *use("s3:PutLifecycleConfiguration", of=ARTIFACTS),
    *use("s3:GetObject", of="arn:aws:s3:::somebody-elses/file"),
    *use("dynamodb:DeleteTable", "dynamodb:Scan", "dynamodb:BatchWriteItem", of=TABLE),
    *use("dynamodb:GetItem", of=f"arn:aws:dynamodb:{OTHERS}:table/somebody-elses"),
    *use("kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:DisableKey", of=KEY),
    *use("kms:Decrypt", of=f"arn:aws:kms:{OTHERS}:key/99999999-2222-3333-4444-555555555555"),
    *use("lambda:UpdateFunctionCode", "lambda:AddPermission", of=FUNCTION),
    *use("states:UpdateStateMachine", "states:DeleteStateMachine", of=MACHINE),
    *use("sagemaker:CreateTrainingJob", "sagemaker:StopTrainingJob", of=OTHER_JOB),
    *use("sagemaker:CreateEndpoint", of=f"arn:aws:sagemaker:{OTHERS}:endpoint/e"),
    *use("sns:Publish", of=f"{TOPIC}-of-others"),
    *use("sns:DeleteTopic", of=TOPIC),
    *use("secretsmanager:GetSecretValue", of=f"arn:aws:secretsmanager:{OTHERS}:secret:s"),
    *use("ssm:GetParameter", of=f"arn:aws:ssm:{OTHERS}:parameter/p"),
    *use("ec2:RunInstances", of=f"arn:aws:ec2:{OTHERS}:instance/*"),
    *use("cloudformation:DeleteStack", of=f"arn:aws:cloudformation:{OTHERS}:stack/Dropforge/1"),
    *use("ecr:PutImage", "ecr:DeleteRepository", of=IMAGE),
    *use("logs:DeleteLogGroup", of=f"arn:aws:logs:{OTHERS}:log-group:/aws/lambda/f"),
]
"""Calls that no role may make."""

BESIDE = {
    "kms:Encrypt": "CDK grants the key's use as one",
    "kms:ReEncrypt*": "CDK grants the key's use as one",
    "kms:GenerateDataKey*": "CDK grants the key's use as one",
    "kms:DescribeKey": "SageMaker looks the key up before it encrypts a volume",
    "logs:*": "log groups of functions and of executions",
    "xray:*": "traces",
    "ecr:*": "SageMaker pulls the image",
    "s3:AbortMultipartUpload": "an upload that failed",
    "s3:GetBucketLocation": "SageMaker looks for the bucket",
    "s3:ListBucket": "S3 answers 404 for a missing object only to those who may list",
    "states:RedriveExecution": "a map that is redriven, as CDK grants it",
    "sqs:SendMessage": "what a function could not do goes to its dead-letter queue",
    "sqs:GetQueueAttributes": "CDK grants sending as one",
    "sqs:GetQueueUrl": "CDK grants sending as one",
}
"""Granted actions without a case of their own, each with what wants it."""

EITHER_KIND = tuple(
    f"RESOURCE_MISMATCH: [{{'action': 'states:{action}', 'required_format': 'arn:*:states:*:*:{kind}'}}]"
    for action, kind in (("DescribeExecution", "express:*:*:*"), ("ListExecutions", "mapRun:*/*:*"))
)
"""parliament wants all kinds of resources of an action, where IAM wants any: executions of ours are Standard, and those
that are listed are of a state machine."""

ANALYSE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import parliament
answers = {}
for name, policy in json.load(sys.stdin).items():
    findings = parliament.analyze_policy_string(json.dumps(policy)).findings
    answers[name] = [f"{found.issue}: {found.detail}" for found in findings]
json.dump(answers, sys.stdout)
"""


def analysed(policies: dict[str, Any]) -> dict[str, list[str]]:
    """What parliament finds, by policy."""
    assert PARLIAMENT.exists(), "make test-aws makes this environment"
    words = [str(PARLIAMENT), "-W", "ignore", "-c", ANALYSE]
    done = subprocess.run(words, input=json.dumps(policies), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def documents(template: dict[str, Any]) -> dict[str, Any]:
    """Every policy of the template that an identity has."""
    policies = of_type(template, "AWS::IAM::Policy") | of_type(template, "AWS::IAM::ManagedPolicy")
    inline = {
        f"{name}.{each['PolicyName']}": {"Properties": each}
        for name, role in of_type(template, "AWS::IAM::Role").items()
        for each in role["Properties"].get("Policies", [])
    }
    every = {**policies, **inline}
    text = json.dumps({name: resolved(template, each["Properties"]["PolicyDocument"]) for name, each in every.items()})
    # The ARN of a log group, as CloudFormation gives it, ends with all of its streams; that of a queue has no kind.
    text = re.sub(r":loggroup:(\w+)", r":log-group:\1:*", text)
    loaded: dict[str, Any] = json.loads(re.sub(r":queue:(\w+)", r":\1", text))
    return loaded


def test_the_analyser_finds_nothing(template: dict[str, Any]) -> None:
    policies = documents(template)
    answers = {name: [each for each in found if each not in EITHER_KIND] for name, found in analysed(policies).items()}
    assert {name: found for name, found in answers.items() if found} == {}
    print(f"{len(policies)} policies are sound to parliament")


@pytest.mark.parametrize(
    ("action", "resource", "finding"),
    [
        ("s3:GetObjekt", "arn:aws:s3:::b/*", "UNKNOWN_ACTION"),
        ("s3:GetObject", "arn:aws:s3:::b", "RESOURCE_MISMATCH"),
        ("sagemaker:CreateTrainingJob", f"arn:aws:sagemaker:{OTHERS}:endpoint/e", "RESOURCE_MISMATCH"),
    ],
)
def test_the_analyser_finds_what_is_wrong(action: str, resource: str, finding: str) -> None:
    statement = {"Effect": "Allow", "Action": [action], "Resource": [resource]}
    (found,) = analysed({"wrong": {"Version": "2012-10-17", "Statement": [statement]}})["wrong"]
    assert finding in found


def neighbour(resource: str) -> str:
    """The same kind of resource of somebody else."""
    *start, name = resource.split(":", 5)
    if start[2] == "s3":
        bucket, slash, key = name.partition("/")
        return ":".join([*start, f"{bucket}-of-others{slash}{key}"])
    kind, mark, rest = re.fullmatch(r"([^/:]*)([/:]?)(.*)", name).groups()  # type: ignore[union-attr]  # all match
    own = re.match(r"[^/:]*", rest).group()  # type: ignore[union-attr]
    return ":".join([*start, f"{kind}{mark}somebody-elses{rest[len(own) :]}" if mark else "somebody-elses"])


def denied(role: str) -> list[Case]:
    """What this role must not do: what nobody may, and its own calls on what is somebody else's."""
    own = [(action, neighbour(resource), under) for action, resource, under in ALLOWED[role] if resource != "*"]
    return [*NOBODY, *own]


def test_every_role_of_the_template_is_asked(template: dict[str, Any]) -> None:
    """But for the account's own role for API Gateway's logs, which has a policy of AWS."""
    with_policies = {
        ref["Ref"] for each in of_type(template, "AWS::IAM::Policy").values() for ref in each["Properties"]["Roles"]
    }
    asked = {role: [name for name in with_policies if name.startswith(role)] for role in ALLOWED}
    assert all(len(names) == 1 for names in asked.values()), asked
    assert with_policies == {name for names in asked.values() for name in names}


def test_each_role_may_do_its_work_and_nothing_of_twenty_others(template: dict[str, Any]) -> None:
    cases = {role: denied(role) for role in ALLOWED}
    answers = allowed(template, cases)
    assert [case for case, yes in answers.items() if yes] == []
    needed = allowed(template, ALLOWED)
    assert [case for case, yes in needed.items() if not yes] == []
    fewest = min(len({*each}) for each in cases.values())
    assert fewest >= 20
    print(f"{len(ALLOWED)} roles: {len(needed)} calls allowed, {len(answers)} denied, at least {fewest} by role")


def test_no_role_has_an_action_that_nobody_knows_the_use_of(template: dict[str, Any]) -> None:
    unknown = []
    for role, cases in ALLOWED.items():
        used = {action for action, _, _ in cases}
        for statement in policy_of(template, role)["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            for action in actions:
                known = fnmatch.filter(used, action) or [each for each in BESIDE if fnmatch.fnmatch(action, each)]
                unknown += [] if known or action in BESIDE else [(role, action)]
    assert unknown == [], "use them in ALLOWED of tests/infra/test_roles.py, or say in BESIDE what wants them"
