"""What security tools let pass: each check gives the resources that break it, so that it can be shown to fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge.contract.instances import PRICES, has_own_disk

from .conftest import flat, of_type
from .evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Template = dict[str, Any]


def statements(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in of_type(template, kind).items():
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            yield name, statement


def machines(template: Template) -> dict[str, dict[str, Any]]:
    found = of_type(template, "AWS::StepFunctions::StateMachine")
    return {name: each["Properties"] for name, each in found.items()}


def states(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = json.loads(flat(machine["DefinitionString"]))["States"]
    return loaded


def tasks(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Those of the machine itself: a fault inside a map is the map's, which has the catch."""
    return {name: state for name, state in states(machine).items() if state["Type"] == "Task"}


def job(template: Template) -> dict[str, Any]:
    """Of the one machine that trains."""
    (found,) = (tasks(each)["Train"] for each in machines(template).values() if "Train" in states(each))
    return dict(found["Arguments"])


def public_buckets(template: Template) -> list[str]:
    allowed = [
        (name, each) for name, each in statements(template, "AWS::S3::BucketPolicy") if each["Effect"] == "Allow"
    ]
    return [name for name, each in allowed if each["Principal"] in ("*", {"AWS": "*"})]


def unprotected_tables(template: Template) -> list[str]:
    """Those that go with the stack, or cannot be restored; a setting makes DynamoDB refuse to delete them, too."""
    return [
        name
        for name, each in of_type(template, "AWS::DynamoDB::Table").items()
        if not str(each.get("DeletionPolicy")).startswith("Retain")
        or not each["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    ]


def topics_without_tls(template: Template) -> list[str]:
    guarded = {
        resource["Ref"]
        for _, statement in statements(template, "AWS::SNS::TopicPolicy")
        if statement["Effect"] == "Deny"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and statement["Principal"] == "*"
        for resource in [statement["Resource"]]
    }
    return sorted(set(of_type(template, "AWS::SNS::Topic")) - guarded)


def open_training(template: Template) -> list[str]:
    return [] if job(template).get("EnableNetworkIsolation") is True else ["Train"]


def plain_volume(template: Template) -> list[str]:
    """Instance types whose volume nobody encrypts."""
    asked = job(template)["ResourceConfig"]
    resources = {name: evaluate(asked, places=[{"instance_type": name}]) for name in PRICES}
    return [name for name, each in resources.items() if not has_own_disk(name) and not each.get("VolumeKmsKeyId")]


def plain_output(template: Template) -> list[str]:
    return [] if "KmsKeyId" in job(template)["OutputDataConfig"] else ["Train"]


def without(field: str) -> Callable[[Template], list[str]]:
    return lambda template: [
        f"{machine}.{name}"
        for machine, each in machines(template).items()
        for name, task in tasks(each).items()
        if not task.get(field)
    ]


def logged_data(template: Template) -> list[str]:
    logged = {name: each["LoggingConfiguration"] for name, each in machines(template).items()}
    return [name for name, each in logged.items() if each.get("IncludeExecutionData") is not False]


def traced_data(template: Template) -> list[str]:
    stages = of_type(template, "AWS::ApiGateway::Stage")
    return [
        name
        for name, stage in stages.items()
        for setting in stage["Properties"].get("MethodSettings", [])
        if setting.get("DataTraceEnabled") is not False
    ]


def open_to_all_origins(template: Template) -> list[str]:
    return [name for name, each in template["Resources"].items() if "Access-Control-Allow-Origin" in json.dumps(each)]


def unsigned_routes(template: Template) -> list[str]:
    methods = of_type(template, "AWS::ApiGateway::Method")
    return [name for name, each in methods.items() if each["Properties"]["AuthorizationType"] != "AWS_IAM"]


def privileged(template: Template) -> list[str]:
    return [name for name, each in template["Resources"].items() if '"Privileged": true' in json.dumps(each)]


CHECKS: dict[str, Callable[[Template], list[str]]] = {
    "public bucket": public_buckets,
    "unprotected table": unprotected_tables,
    "topic without TLS": topics_without_tls,
    "training with a network": open_training,
    "training volume without a key": plain_volume,
    "training output without a key": plain_output,
    "state without a catch": without("Catch"),
    "state without a retry": without("Retry"),
    "state without a timeout": without("TimeoutSeconds"),
    "execution data in the log": logged_data,
    "request data in the trace": traced_data,
    "any origin": open_to_all_origins,
    "privileged": privileged,
    "unsigned route": unsigned_routes,
}
