"""The security promises that the template keeps: each has a name, words, and a check that lists what breaks it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .conftest import flat, of_type
from .insecure import CHECKS, Template, machines, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Promise(NamedTuple):
    """One promise of the template."""

    words: str
    broken_by: Callable[[Template], list[str]]
    """Gives the resources that break it."""


PROMISES: dict[str, Promise] = {name: Promise(f"no {name}", check) for name, check in CHECKS.items()}
DATA_BUCKETS = ("LakeDrop", "LakeArtifacts")
POLICIES = tuple(f"AWS::{kind}" for kind in ("S3::BucketPolicy", "SNS::TopicPolicy", "SQS::QueuePolicy"))
WITHOUT_RESOURCE = (
    *("xray:", "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
    *("cloudwatch:PutMetricData", "ecr:GetAuthorizationToken"),
)
"""How the actions begin that AWS knows no resource for."""
SOURCES = ("aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn")
TRUSTED = tuple(f"{name}.amazonaws.com" for name in "lambda states sagemaker events codebuild apigateway".split())
NO_QUEUE_NEEDED = ("ReconcilerRule", "CompactorRule", "TrainingImageBuilderEnded")
"""Rules whose event may be lost: the next look makes good for it; CloudFormation waits for a build for a time."""
ASKS_KMS = ("TrainingRole",)
"""Roles that SageMaker alone takes on: it is not documented through which services it uses a job's key."""


def promise(name: str, words: str) -> Callable[[Callable[[Template], Iterator[str]]], None]:
    """Adds the check as the promise of this name."""

    def add(check: Callable[[Template], Iterator[str]]) -> None:
        PROMISES[name] = Promise(words, lambda template: list(check(template)))

    return add


def properties(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, each["Properties"]) for name, each in of_type(template, kind).items())


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def resource_policies(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of the policies of buckets, topics, queues and the key."""
    for kind in POLICIES:
        yield from statements(template, kind)
    for name, key in properties(template, "AWS::KMS::Key"):
        yield from ((name, each) for each in key["KeyPolicy"]["Statement"])


def rights(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of what roles may do."""
    yield from statements(template, "AWS::IAM::Policy")
    for name, role in properties(template, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            yield from ((name, each) for each in policy["PolicyDocument"]["Statement"])


def own_account(principal: Any) -> bool:
    """Whether it is the account itself, which then decides by its users' policies."""
    account = flat(principal["AWS"]) if isinstance(principal, dict) and set(principal) == {"AWS"} else ""
    return account == "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"


def keys(statement: dict[str, Any]) -> set[str]:
    """The condition keys of a statement."""
    return {key for test in statement.get("Condition", {}).values() for key in test}


@promise("policy for services alone", "only services, and for the key its account, are allowed by a resource's policy")
def _(template: Template) -> Iterator[str]:
    for name, each in resource_policies(template):
        service = isinstance(each.get("Principal"), dict) and set(each["Principal"]) == {"Service"}
        account = name.startswith("LakeKey") and own_account(each.get("Principal"))
        if each["Effect"] == "Allow" and not (service or account):
            yield name


@promise("service with a source", "a service may act for this account's resources alone")
def _(template: Template) -> Iterator[str]:
    for name, each in resource_policies(template):
        if each["Effect"] == "Allow" and "Service" in each.get("Principal", {}) and not keys(each) & {*SOURCES}:
            yield name


@promise("bucket closed to the public", "public access is blocked four times, and access lists are off")
def _(template: Template) -> Iterator[str]:
    for name, bucket in properties(template, "AWS::S3::Bucket"):
        blocked = list(bucket.get("PublicAccessBlockConfiguration", {}).values())
        owner = bucket.get("OwnershipControls", {}).get("Rules") == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        if blocked != [True] * 4 or (name.startswith(DATA_BUCKETS) and not owner) or "AccessControl" in bucket:
            yield name


@promise("bucket with versions", "what is overwritten or deleted can be brought back")
def _(template: Template) -> Iterator[str]:
    for name, bucket in properties(template, "AWS::S3::Bucket"):
        if name.startswith(DATA_BUCKETS) and bucket.get("VersioningConfiguration") != {"Status": "Enabled"}:
            yield name


@promise("bucket under the key", "data are encrypted with the stack's key")
def _(template: Template) -> Iterator[str]:
    for name, bucket in properties(template, "AWS::S3::Bucket"):
        text = json.dumps(bucket.get("BucketEncryption", {}))
        if "SSEAlgorithm" not in text or (name.startswith(DATA_BUCKETS) and "LakeKey" not in text):
            yield name


@promise("bucket with an access log", "who read and wrote is logged")
def _(template: Template) -> Iterator[str]:
    for name, bucket in properties(template, "AWS::S3::Bucket"):
        if name.startswith(DATA_BUCKETS) and "DestinationBucketName" not in bucket.get("LoggingConfiguration", {}):
            yield name


@promise("TLS 1.2", "buckets refuse everybody without TLS 1.2, queues without TLS")
def _(template: Template) -> Iterator[str]:
    plain, old = {"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": 1.2}}
    for kind, wanted in (("S3::Bucket", [plain, old]), ("SQS::Queue", [plain])):
        refused = {
            (each["Properties"].get("Bucket") or each["Properties"]["Queues"][0])["Ref"]: [
                said.get("Condition")
                for said in each["Properties"]["PolicyDocument"]["Statement"]
                if said["Effect"] == "Deny" and said["Principal"] == {"AWS": "*"} and said["Action"][-2:] == ":*"
            ]
            for each in of_type(template, f"AWS::{kind}Policy").values()
        }
        for name in of_type(template, f"AWS::{kind}"):
            if not all(condition in refused.get(name, []) for condition in wanted):
                yield name


@promise("data outlive the stack", "buckets, table and key stay when the stack is destroyed")
def _(template: Template) -> Iterator[str]:
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table", "AWS::KMS::Key"):
        for name, each in of_type(template, kind).items():
            if not str(each.get("DeletionPolicy")).startswith("Retain") or each.get("UpdateReplacePolicy") != "Retain":
                yield name


@promise("key with rotation", "the key's material changes every year")
def _(template: Template) -> Iterator[str]:
    return (name for name, key in properties(template, "AWS::KMS::Key") if key.get("EnableKeyRotation") is not True)


@promise("encrypted at rest", "table, topic and logs are under the stack's key, and queues are encrypted")
def _(template: Template) -> Iterator[str]:
    fields = {"SNS::Topic": "KmsMasterKeyId", "Logs::LogGroup": "KmsKeyId", "DynamoDB::Table": "SSESpecification"}
    for kind, field in fields.items():
        for name, each in properties(template, f"AWS::{kind}"):
            if "LakeKey" not in json.dumps(each.get(field)):
                yield name
    for name, queue in properties(template, "AWS::SQS::Queue"):
        if queue.get("SqsManagedSseEnabled") is not True:
            yield name


@promise("messages in confidence", "subscriptions are mails or encrypted calls")
def _(template: Template) -> Iterator[str]:
    topics = properties(template, "AWS::SNS::Subscription")
    return (name for name, each in topics if each["Protocol"] not in ("email", "https"))


@promise("logs with an end", "logs are deleted after a time")
def _(template: Template) -> Iterator[str]:
    return (name for name, each in properties(template, "AWS::Logs::LogGroup") if not each.get("RetentionInDays"))


@promise("function for services alone", "functions are invoked by services for the stack's rules and API, and by roles")
def _(template: Template) -> Iterator[str]:
    for name, each in properties(template, "AWS::Lambda::Permission"):
        source = flat(each.get("SourceArn", ""))
        service = each["Principal"] in ("events.amazonaws.com", "apigateway.amazonaws.com")
        if not (service and "<" in source and each["Action"] == "lambda:InvokeFunction"):
            yield name
    yield from of_type(template, "AWS::Lambda::Url")


@promise("function with its own log and role", "functions share neither a role nor a log")
def _(template: Template) -> Iterator[str]:
    seen: set[str] = set()
    for name, each in properties(template, "AWS::Lambda::Function"):
        own = {json.dumps(each["Role"]), json.dumps(each.get("LoggingConfig"))}
        if own & {*seen, "null"}:
            yield name
        seen |= own


@promise("no secret in the environment", "functions hold no passwords and keys")
def _(template: Template) -> Iterator[str]:
    words = ("PASSWORD", "SECRET", "TOKEN", "ACCESS_KEY", "CREDENTIAL")
    for name, each in properties(template, "AWS::Lambda::Function"):
        if [key for key in each.get("Environment", {}).get("Variables", {}) if any(word in key for word in words)]:
            yield name


@promise("traced and logged", "runs, and the functions that are their states, are traced, and their states are logged")
def _(template: Template) -> Iterator[str]:
    for name, each in machines(template).items():
        if each.get("TracingConfiguration") != {"Enabled": True} or each["LoggingConfiguration"].get("Level") != "ALL":
            yield name
    for name, function in properties(template, "AWS::Lambda::Function"):
        if not name.startswith("Api") and function.get("TracingConfig") != {"Mode": "Active"}:
            yield name


@promise("role for one service", "a role is taken on by one service, never by people, accounts or the web")
def _(template: Template) -> Iterator[str]:
    for name, role in properties(template, "AWS::IAM::Role"):
        for each in role["AssumeRolePolicyDocument"]["Statement"]:
            principal = each["Principal"]
            if (
                set(principal) != {"Service"}
                or principal["Service"] not in TRUSTED
                or each["Action"] != "sts:AssumeRole"
            ):
                yield name


@promise("no ready-made rights", "no role has a policy of AWS but the account's own for API Gateway's logs")
def _(template: Template) -> Iterator[str]:
    for name, role in properties(template, "AWS::IAM::Role"):
        if role.get("ManagedPolicyArns") and not name.startswith("ApiRestCloudWatchRole"):
            yield name


@promise("listed actions", "rights list actions and resources; none has all of a service's, or all but some")
def _(template: Template) -> Iterator[str]:
    for name, each in rights(template):
        if {"NotAction", "NotResource"} & each.keys() or [
            a
            for a in listed(each["Action"])
            if a.endswith(("*", ":*")) and a not in ("kms:GenerateDataKey*", "kms:ReEncrypt*")
        ]:
            yield name


@promise("own resources", "rights name resources of this stack, unless AWS knows none for the action")
def _(template: Template) -> Iterator[str]:
    for name, each in rights(template):
        for resource in map(flat, listed(each.get("Resource", "*"))):
            free = all(action.startswith(WITHOUT_RESOURCE) for action in listed(each.get("Action", "")))
            mine = "<" in resource.replace("<AWS::Partition>", "") or "${AWS::AccountId}" in resource
            if not mine and not (resource == "*" and free):
                yield f"{name}: {resource}"


@promise("parts of a bucket", "no role reads or writes every object of a bucket, or pulls every image")
def _(template: Template) -> Iterator[str]:
    for name, each in rights(template):
        for resource in map(flat, listed(each.get("Resource", "*"))):
            if resource.endswith((".Arn>/*", ".Arn>*", ":repository/*")):
                yield f"{name}: {resource}"


@promise("no rights to rights", "no role changes roles or takes on others; the one that is passed goes to SageMaker")
def _(template: Template) -> Iterator[str]:
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    for name, each in rights(template):
        for action in listed(each.get("Action", "")):
            passed = action == "iam:PassRole" and each.get("Condition") == to_sagemaker
            if action.startswith(("iam:", "sts:", "organizations:", "lambda:Add", "kms:Put")) and not passed:
                yield f"{name}: {action}"


@promise("key through services", "roles use the key through the services that keep its data")
def _(template: Template) -> Iterator[str]:
    for name, each in rights(template):
        asked = [action for action in listed(each.get("Action", "")) if action.startswith("kms:")]
        wanted = "kms:GrantIsForAWSResource" if "kms:CreateGrant" in asked else "kms:ViaService"
        if asked and wanted not in keys(each) and not (name.startswith(ASKS_KMS) and "kms:CreateGrant" not in asked):
            yield name


@promise("metrics of its own", "metrics are written to the namespaces of the stack and of training jobs alone")
def _(template: Template) -> Iterator[str]:
    for name, each in rights(template):
        if "cloudwatch:PutMetricData" in listed(each.get("Action", "")) and "cloudwatch:namespace" not in keys(each):
            yield name
