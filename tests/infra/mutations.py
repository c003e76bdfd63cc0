"""Insecure changes of the template, one at a time: each names the promise that it breaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from .conftest import of_type
from .insecure import Template, states

Change = Callable[[Template], object]
ANYBODY: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
OTHERS = {"AWS": "arn:aws:iam::999999999999:root"}


class Mutation(NamedTuple):
    """One change, and the promise whose check must find it."""

    promise: str
    change: Change


def part(template: Template, kind: str, name: str) -> dict[str, Any]:
    """The properties of the resource of this kind whose logical id begins with `name`."""
    found = [each for key, each in of_type(template, f"AWS::{kind}").items() if key.startswith(name)]
    assert found, (kind, name)
    return found[0].setdefault("Properties", {})  # type: ignore[no-any-return]


def setting(kind: str, name: str, **values: Any) -> Change:
    """Gives properties other values; None removes one."""

    def change(template: Template) -> None:
        properties = part(template, kind, name)
        for key, value in values.items():
            properties.pop(key, None) if value is None else properties.update({key: value})

    return change


def saying(kind: str, name: str, document: str = "PolicyDocument", **statement: Any) -> Change:
    """Adds a statement to a policy: `ANYBODY`, but for what is given."""
    return lambda template: part(template, kind, name)[document]["Statement"].append({**ANYBODY, **statement})


def allowing(role: str, actions: str, resource: Any = "*", **more: Any) -> Change:
    """Adds rights to a role."""
    said = {"Effect": "Allow", "Action": actions.split(), "Resource": resource, **more}
    return lambda template: part(template, "IAM::Policy", role)["PolicyDocument"]["Statement"].append(said)


def statement_of(
    template: Template, kind: str, name: str, word: str, document: str = "PolicyDocument"
) -> dict[str, Any]:
    """The first statement of a policy that has this word in it."""
    found = [each for each in part(template, kind, name)[document]["Statement"] if word in json.dumps(each)]
    return found[0]  # type: ignore[no-any-return]


def unconditioned(kind: str, name: str, word: str, document: str = "PolicyDocument") -> Change:
    """Takes the condition away from the first statement with this word."""
    return lambda template: statement_of(template, kind, name, word, document).pop("Condition")


def without(kind: str, name: str, word: str) -> Change:
    """Takes the first statement with this word away."""

    def change(template: Template) -> None:
        said = part(template, kind, name)["PolicyDocument"]["Statement"]
        said.remove(statement_of(template, kind, name, word))

    return change


def trusting(role: str, principal: dict[str, Any], action: str = "sts:AssumeRole") -> Change:
    return saying("IAM::Role", role, "AssumeRolePolicyDocument", Principal=principal, Action=action)


def having(kind: str, **properties: Any) -> Change:
    """Adds a resource."""
    return lambda template: template["Resources"].update(Added={"Type": f"AWS::{kind}", "Properties": properties})


def training(change: Callable[[dict[str, Any]], object]) -> Change:
    """Changes the request for a training job."""

    def act(template: Template) -> None:
        machine = part(template, "StepFunctions::StateMachine", "Pipeline")
        found = states(machine)
        change(found["Train"]["Arguments"])
        machine["DefinitionString"] = json.dumps({"States": found})

    return act


def inside(template: Template, bucket: str, key: str) -> dict[str, Any]:
    """The ARN of objects of a bucket."""
    (name,) = (each for each in of_type(template, "AWS::S3::Bucket") if each.startswith(bucket))
    return {"Fn::Join": ["", [{"Fn::GetAtt": [name, "Arn"]}, key]]}


def role_of_another(template: Template) -> None:
    judge = part(template, "Lambda::Function", "PipelineJudge")["Role"]
    part(template, "Lambda::Function", "ApiPredict")["Role"] = judge


def gone_with_the_stack(kind: str, name: str) -> Change:
    def change(template: Template) -> None:
        found = of_type(template, f"AWS::{kind}").items()
        next(each for key, each in found if key.startswith(name))["DeletionPolicy"] = "Delete"

    return change


SERVICES, BUCKET, RIGHTS = "policy for services alone", "S3::Bucket", "no rights to rights"
OWN, LISTED, QUEUE, TLS = "own resources", "listed actions", "SQS::Queue", "TLS 1.2"
MUTATIONS: dict[str, Mutation] = {
    "key policy for anybody": Mutation(SERVICES, saying("KMS::Key", "LakeKey", "KeyPolicy", Action="kms:*")),
    "key policy for another account": Mutation(SERVICES, saying("KMS::Key", "LakeKey", "KeyPolicy", Principal=OTHERS)),
    "another account may write drops": Mutation(SERVICES, saying("S3::BucketPolicy", "LakeDrop", Principal=OTHERS)),
    "anybody may read artifacts": Mutation(
        SERVICES, saying("S3::BucketPolicy", "LakeArtifacts", Principal={"AWS": "*"}, Action="s3:GetObject")
    ),
    "everybody but one may read": Mutation(
        SERVICES, lambda t: part(t, "S3::BucketPolicy", "LakeDrop")["PolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "NotPrincipal": OTHERS, "Action": "s3:GetObject", "Resource": "*"})
    ),
    "anybody may subscribe to the topic": Mutation(
        SERVICES, saying("SNS::TopicPolicy", "BellTopic", Action="sns:Subscribe")
    ),
    "another account may publish": Mutation(SERVICES, saying("SNS::TopicPolicy", "BellTopic", Principal=OTHERS)),
    "anybody may send dead letters": Mutation(SERVICES, saying("SQS::QueuePolicy", "TriggerDeadLetters")),
    "CloudWatch of any account may use the key": Mutation(
        "service with a source", unconditioned("KMS::Key", "LakeKey", "cloudwatch", "KeyPolicy")
    ),
    "logs of any account may use the key": Mutation(
        "service with a source", unconditioned("KMS::Key", "LakeKey", "logs.", "KeyPolicy")
    ),
    "alarms of any account may publish": Mutation(
        "service with a source", unconditioned("SNS::TopicPolicy", "BellTopic", "cloudwatch")
    ),
    "access logs of any account": Mutation(
        "service with a source", unconditioned("S3::BucketPolicy", "LakeAccesses", "logging.s3")
    ),
    "rules of any account may send dead letters": Mutation(
        "service with a source", unconditioned("SQS::QueuePolicy", "TriggerDeadLetters", "events.amazonaws")
    ),
    "public access not blocked": Mutation(
        "bucket closed to the public", setting(BUCKET, "LakeDrop", PublicAccessBlockConfiguration=None)
    ),
    "access lists count": Mutation("bucket closed to the public", setting(BUCKET, "LakeDrop", OwnershipControls=None)),
    "access list for the public": Mutation(
        "bucket closed to the public", setting(BUCKET, "LakeAccesses", AccessControl="PublicRead")
    ),
    "versioning off": Mutation(
        "bucket with versions", setting(BUCKET, "LakeDrop", VersioningConfiguration={"Status": "Suspended"})
    ),
    "no encryption": Mutation("bucket under the key", setting(BUCKET, "LakeArtifacts", BucketEncryption=None)),
    "encryption without the key": Mutation(
        "bucket under the key", setting(BUCKET, "LakeDrop", BucketEncryption={"SSEAlgorithm": "AES256"})
    ),
    "access logging off": Mutation("bucket with an access log", setting(BUCKET, "LakeDrop", LoggingConfiguration=None)),
    "bucket without TLS": Mutation(TLS, without("S3::BucketPolicy", "LakeDrop", "SecureTransport")),
    "TLS below 1.2": Mutation(TLS, without("S3::BucketPolicy", "LakeArtifacts", "TlsVersion")),
    "queue without TLS": Mutation(TLS, without("SQS::QueuePolicy", "BatchTriggerDeadLetters", "SecureTransport")),
    "topic without TLS": Mutation("topic without TLS", without("SNS::TopicPolicy", "BellTopic", "SecureTransport")),
    "bucket goes with the stack": Mutation("data outlive the stack", gone_with_the_stack(BUCKET, "LakeDrop")),
    "key goes with the stack": Mutation("data outlive the stack", gone_with_the_stack("KMS::Key", "LakeKey")),
    "point-in-time recovery off": Mutation(
        "unprotected table",
        setting("DynamoDB::Table", "Registry", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}),
    ),
    "rotation off": Mutation("key with rotation", setting("KMS::Key", "LakeKey", EnableKeyRotation=False)),
    "topic in the clear": Mutation("encrypted at rest", setting("SNS::Topic", "BellTopic", KmsMasterKeyId=None)),
    "table under AWS's key": Mutation("encrypted at rest", setting("DynamoDB::Table", "Reg", SSESpecification=None)),
    "log in the clear": Mutation("encrypted at rest", setting("Logs::LogGroup", "ApiPredict", KmsKeyId=None)),
    "queue in the clear": Mutation("encrypted at rest", setting(QUEUE, "TriggerDead", SqsManagedSseEnabled=False)),
    "messages over http": Mutation(
        "messages in confidence", having("SNS::Subscription", Protocol="http", Endpoint="http://example.org")
    ),
    "logs kept for ever": Mutation("logs with an end", setting("Logs::LogGroup", "Pipeline", RetentionInDays=None)),
    "function invocable by anybody": Mutation(
        "function for services alone",
        having("Lambda::Permission", Action="lambda:InvokeFunction", Principal="*", FunctionName="f"),
    ),
    "function invocable by any API": Mutation(
        "function for services alone", setting("Lambda::Permission", "ApiRest", SourceArn=None)
    ),
    "public function URL": Mutation("function for services alone", having("Lambda::Url", AuthType="NONE")),
    "function with the role of another": Mutation("function with its own log and role", role_of_another),
    "function without a log of its own": Mutation(
        "function with its own log and role", setting("Lambda::Function", "ApiPredict", LoggingConfig=None)
    ),
    "password in the environment": Mutation(
        "no secret in the environment",
        setting("Lambda::Function", "ApiLive", Environment={"Variables": {"DB_PASSWORD": "hunter2"}}),
    ),
    "no tracing of runs": Mutation(
        "traced and logged", setting("StepFunctions::StateMachine", "Pipeline", TracingConfiguration=None)
    ),
    "no tracing of a function": Mutation(
        "traced and logged", setting("Lambda::Function", "PipelineJudge", TracingConfig=None)
    ),
    "no log of runs": Mutation(
        "traced and logged", setting("StepFunctions::StateMachine", "Batch", LoggingConfiguration={"Level": "OFF"})
    ),
    "training role assumable by the account": Mutation(
        "role for one service", trusting("TrainingRole", {"AWS": {"Ref": "AWS::AccountId"}})
    ),
    "role assumable by anybody": Mutation("role for one service", trusting("ApiPredictRole", {"AWS": "*"})),
    "role assumable from the web": Mutation(
        "role for one service", trusting("PipelineRole", {"Federated": "g.org"}, "sts:AssumeRoleWithWebIdentity")
    ),
    "role for machines of EC2": Mutation(
        "role for one service", trusting("ApiLiveRole", {"Service": "ec2.amazonaws.com"})
    ),
    "role of an administrator": Mutation(
        "no ready-made rights",
        setting("IAM::Role", "BatchJoin", ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ),
    "every action": Mutation(LISTED, allowing("PipelineClaim", "*")),
    "every action of S3": Mutation(LISTED, allowing("PipelineJudge", "s3:*")),
    "every action that reads": Mutation(LISTED, allowing("ApiCatalog", "s3:Get*")),
    "every action but one": Mutation(
        LISTED, lambda t: part(t, "IAM::Policy", "ApiLive")["PolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "NotAction": "iam:*", "Action": [], "Resource": "*"})
    ),
    "Inspect may write anywhere": Mutation(OWN, allowing("PipelineInspect", "s3:PutObject")),
    "Judge may write another bucket": Mutation(OWN, allowing("PipelineJudge", "s3:PutObject", "arn:aws:s3:::other/*")),
    "Claim may write another table": Mutation(
        OWN, allowing("PipelineClaim", "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:123456789012:table/other")
    ),
    "Notify may publish to any topic": Mutation(OWN, allowing("PipelineNotify", "sns:Publish")),
    "Predict may use any key": Mutation(OWN, allowing("ApiPredict", "kms:Decrypt")),
    "runs may invoke any function": Mutation(OWN, allowing("PipelineRole", "lambda:InvokeFunction")),
    "Inspect may write all of the artifacts": Mutation(
        "parts of a bucket", lambda t: allowing("PipelineInspect", "s3:PutObject", inside(t, "LakeArtifacts", "/*"))(t)
    ),
    "Predict may read all drops": Mutation(
        "parts of a bucket", lambda t: allowing("ApiPredict", "s3:GetObject", inside(t, "LakeDrop", "/*"))(t)
    ),
    "training pulls every repository": Mutation(
        "parts of a bucket",
        allowing("TrainingRole", "ecr:BatchGetImage", {"Fn::Sub": "arn:aws:ecr:r:${AWS::AccountId}:repository/*"}),
    ),
    "role may change users": Mutation(RIGHTS, allowing("PipelineRole", "iam:CreateUser")),
    "role may take on others": Mutation(RIGHTS, allowing("ApiPredict", "sts:AssumeRole")),
    "PassRole to any service": Mutation(RIGHTS, unconditioned("IAM::Policy", "PipelineRole", "iam:PassRole")),
    "role may change the key's policy": Mutation(RIGHTS, allowing("TrainingRole", "kms:PutKeyPolicy")),
    "Predict uses the key by itself": Mutation(
        "key through services", unconditioned("IAM::Policy", "ApiPredict", "kms:Decrypt")
    ),
    "grants of the key to anybody": Mutation(
        "key through services", unconditioned("IAM::Policy", "TrainingRole", "kms:CreateGrant")
    ),
    "metrics of everybody": Mutation(
        "metrics of its own", unconditioned("IAM::Policy", "PipelineJudge", "cloudwatch:PutMetricData")
    ),
}  # fmt: skip
"""By name. Those of calls and jobs are in `mutations_of_calls.py`."""
