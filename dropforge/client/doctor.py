"""What a cloud needs before Dropforge can be deployed into it and used: each check gives findings with their fixes.

The checks only read. They need no stack, and every one gives an answer whatever the others found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dropforge.client.connection import STACK, Connection
from dropforge.client.faults import REFUSED
from dropforge.client.quotas import ENOUGH_CONCURRENCY, concurrency_quota, quota_name, training_quotas
from dropforge.contract.instances import has_gpu

if TYPE_CHECKING:
    from dropforge.client.quotas import Quota
    from dropforge.contract.instances import Place

Status = Literal["ok", "warning", "blocks"]
Client = Callable[[str], Any]

BOOTSTRAP_STACK = "CDKToolkit"
INACTIVE = ("SubscriptionRequiredException", "OptInRequired", "NotSignedUp")
"""Codes of a service that the account has not been activated for."""
ACCESS: dict[str, tuple[str, dict[str, Any]]] = {
    "s3": ("list_buckets", {}),
    "dynamodb": ("list_tables", {}),
    "kms": ("list_aliases", {}),
    "lambda": ("list_functions", {}),
    "stepfunctions": ("list_state_machines", {}),
    "events": ("list_rules", {}),
    "apigateway": ("get_rest_apis", {}),
    "cloudwatch": ("describe_alarms", {}),
    "logs": ("describe_log_groups", {}),
    "sns": ("list_topics", {}),
    "sqs": ("list_queues", {}),
    "iam": ("list_roles", {"MaxItems": 1}),
}
"""A call that only reads, for each service that the stack uses."""
ON_AWS: dict[str, tuple[str, dict[str, Any]]] = {
    "sagemaker": ("list_training_jobs", {"MaxResults": 1}),
    "ecr": ("describe_repositories", {"maxResults": 1}),
    "codebuild": ("list_projects", {}),
}
"""The same for services that the embedded cloud plays in its own way."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    check: str
    status: Status
    """`blocks`: Dropforge cannot be deployed or cannot train. `warning`: something will be slower or fail later."""
    message: str
    fix: str = ""
    command: str = ""
    """A command that mends it or asks for it."""
    link: str = ""

    def to_json(self) -> dict[str, str]:
        """The finding as JSON values; what it has not is left out."""
        return {name: value for name, value in asdict(self).items() if value}


def examine_embedded(connection: Connection) -> Iterator[Finding]:
    """The findings on a running embedded cloud."""
    yield Finding("cloud", "ok", f"{connection.where}, with the stack in it")
    yield from _access(connection.client, ACCESS)


def examine_account(profile: str | None = None, stack: str = STACK) -> Iterator[Finding]:
    """The findings on the AWS account that the environment or the profile opens."""
    try:
        session = boto3.Session(profile_name=profile)
    except BotoCoreError as fault:
        yield Finding("credentials", "blocks", str(fault), "set AWS_PROFILE to a profile that exists")
        return
    region = os.environ.get("AWS_REGION") or session.region_name
    yield _region(region)
    where = region or "us-east-1"
    connection = Connection(where, {}, "", endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), profile=profile)
    credentials = _credentials(connection.client, session)
    yield credentials
    if credentials.status == "blocks":
        return
    account = credentials.message.split()[1]
    yield _stack(
        connection.client, BOOTSTRAP_STACK, "bootstrap", "blocks", f"npx cdk bootstrap aws://{account}/{where}"
    )
    yield _stack(connection.client, stack, "stack", "warning", "npx cdk deploy")
    yield from _training(connection.client, where)
    yield _concurrency(connection.client, where)
    yield from _access(connection.client, {**ACCESS, **ON_AWS})


def _region(region: str | None) -> Finding:
    if region is None:
        fix = "set AWS_REGION, or give the profile a region"
        return Finding("region", "blocks", "no region is set", fix, "export AWS_REGION=eu-central-1")
    known = boto3.Session().get_available_regions("sagemaker")
    if region not in known:
        return Finding(
            "region", "warning", f"{region} is not known to have SageMaker", "choose another region with AWS_REGION"
        )
    return Finding("region", "ok", region)


def _credentials(client: Client, session: Any) -> Finding:
    if session.get_credentials() is None:
        fix = "log in (`aws sso login`), or set AWS_PROFILE"
        return Finding("credentials", "blocks", "no AWS credentials were found", fix, "aws sso login")
    try:
        caller = client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as fault:
        return Finding("credentials", "blocks", _why(fault), "log in again, or set AWS_PROFILE", "aws sso login")
    return Finding("credentials", "ok", f"account {caller['Account']} as {caller['Arn']}")


def _stack(client: Client, name: str, check: str, missing: Status, command: str) -> Finding:
    try:
        (found,) = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as fault:
        if fault.response["Error"]["Code"] == "ValidationError":  # what CloudFormation calls a missing stack
            return Finding(check, missing, f"there is no stack {name!r} here yet", f"run `{command}`", command)
        return Finding(check, "warning", _why(fault), "allow cloudformation:DescribeStacks")
    except BotoCoreError as fault:
        return Finding(check, "warning", _why(fault))
    state = found["StackStatus"]
    if state.endswith(("_COMPLETE", "_IN_PROGRESS")) and "ROLLBACK" not in state.removeprefix("UPDATE_"):
        return Finding(check, "ok", f"{name}: {state}")
    return Finding(check, "warning", f"{name}: {state}", f"look at its events, then run `{command}`", command)


def _training(client: Client, region: str) -> Iterator[Finding]:
    """A finding for each place, and one on all: without any place nothing trains."""
    try:
        quotas = training_quotas(client)
    except (BotoCoreError, ClientError) as fault:
        fix = "allow servicequotas:ListServiceQuotas, or look at the quotas in the console"
        link = f"https://{region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"
        yield Finding("training quotas", "warning", f"they could not be read: {_why(fault)}", fix, link=link)
        return
    for place, quota in quotas.items():
        yield _place(place, quota, region)
    usable = [place for place, quota in quotas.items() if quota is not None and quota.value >= 1]
    if not usable:
        yield Finding(
            "training", "blocks", "no instance type may be used for training", "ask for one of the quotas above"
        )
    elif not any(has_gpu(place.instance_type) for place in usable):
        names = ", ".join(place.name for place in usable)
        yield Finding("training", "warning", f"no GPU may be used; runs train on {names}", "ask for a GPU's quota")
    elif all(has_gpu(place.instance_type) for place in usable):
        yield Finding("training", "warning", "no CPU may be used; small data train on a GPU", "ask for a CPU's quota")
    else:
        yield Finding("training", "ok", f"runs can train at {len(usable)} of {len(quotas)} places")


def _place(place: Place, quota: Quota | None, region: str) -> Finding:
    check = f"quota of {place.name}"
    if quota is None:
        return Finding(check, "warning", f"{region} has no quota named {quota_name(place)!r}", "no such machine here")
    if quota.value >= 1:
        return Finding(check, "ok", f"{quota.value:g} at a time")
    message, fix = f"0: {quota.name} is not allowed", "ask for 1 or more; small ones are usually granted within a day"
    return Finding(check, "warning", message, fix, quota.command(1, region), quota.link(region))


def _concurrency(client: Client, region: str) -> Finding:
    check = "concurrency of functions"
    try:
        quota = concurrency_quota(client)
    except (BotoCoreError, ClientError) as fault:
        return Finding(check, "warning", _why(fault), "allow lambda:GetAccountSettings")
    if quota.value >= ENOUGH_CONCURRENCY:
        return Finding(check, "ok", f"{quota.value:g} at a time")
    status: Status = "blocks" if quota.value < 1 else "warning"
    message = f"{quota.value:g} executions at a time, for all functions of the account in {region}; more are throttled"
    return Finding(check, status, message, "ask for 1,000", quota.command(1000, region), quota.link(region))


def _access(client: Client, calls: dict[str, tuple[str, dict[str, Any]]]) -> Iterator[Finding]:
    for service, (call, arguments) in calls.items():
        try:
            getattr(client(service), call)(**arguments)
        except ClientError as fault:
            yield _no_access(service, fault)
        except BotoCoreError as fault:
            yield Finding(f"access to {service}", "blocks", _why(fault), "check the network, proxies and the region")
        else:
            yield Finding(f"access to {service}", "ok", "it answers")


def _no_access(service: str, fault: ClientError) -> Finding:
    check, code = f"access to {service}", fault.response["Error"]["Code"]
    if code in INACTIVE:
        link = "https://portal.aws.amazon.com/billing/signup?type=resubscribe#/resubscribed"
        return Finding(check, "blocks", _why(fault), "finish the account's registration", link=link)
    if code in REFUSED:
        return Finding(check, "warning", _why(fault), "deploy with credentials that may, or ask the account's owner")
    return Finding(check, "warning", _why(fault))


def _why(fault: Exception) -> str:
    return " ".join(str(fault).split())
