"""What must hold of the template, and that each check can fail."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import flat, of_type
from .insecure import CHECKS, Template, machines, states

Change = Callable[[Template], None]


def first(template: Template, kind: str) -> dict[str, Any]:
    return next(iter(of_type(template, kind).values()))["Properties"]  # type: ignore[no-any-return]


def rewrite(change: Callable[[dict[str, Any]], None]) -> Change:
    """A change of the rendered states."""

    def act(template: Template) -> None:
        machine = next(each for each in machines(template).values() if "Train" in states(each))
        found = states(machine)
        change(found)
        machine["DefinitionString"] = json.dumps({"States": found})

    return act


def open_bucket(template: Template) -> None:
    document = first(template, "AWS::S3::BucketPolicy")["PolicyDocument"]
    document["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"})


CHANGES: dict[str, Change] = {
    "public bucket": open_bucket,
    "unprotected table": lambda t: first(t, "AWS::DynamoDB::Table")["PointInTimeRecoverySpecification"].update(
        PointInTimeRecoveryEnabled=False
    ),
    "topic without TLS": lambda t: first(t, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"].pop(0),
    "training with a network": rewrite(lambda s: s["Train"]["Arguments"].update(EnableNetworkIsolation=False)),
    "training volume without a key": rewrite(
        lambda s: s["Train"]["Arguments"].update(ResourceConfig={"InstanceType": "{% $places[0].instance_type %}"})
    ),
    "training output without a key": rewrite(lambda s: s["Train"]["Arguments"]["OutputDataConfig"].pop("KmsKeyId")),
    "state without a catch": rewrite(lambda s: s["Judge"].pop("Catch")),
    "state without a retry": rewrite(lambda s: s["Judge"].pop("Retry")),
    "state without a timeout": rewrite(lambda s: s["Judge"].pop("TimeoutSeconds")),
    "execution data in the log": lambda t: first(t, "AWS::StepFunctions::StateMachine")["LoggingConfiguration"].update(
        IncludeExecutionData=True
    ),
    "request data in the trace": lambda t: first(t, "AWS::ApiGateway::Stage")["MethodSettings"][0].update(
        DataTraceEnabled=True
    ),
    "any origin": lambda t: first(t, "AWS::ApiGateway::Method").update(
        Integration={"ResponseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"}}
    ),
    "privileged": lambda t: t["Resources"].update(Job={"Type": "AWS::Batch::JobDefinition", "Privileged": True}),
    "unsigned route": lambda t: first(t, "AWS::ApiGateway::Method").update(AuthorizationType="NONE"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_template_is_sound(template: Template, name: str) -> None:
    assert CHECKS[name](template) == []


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_finds_what_it_is_for(template: Template, name: str) -> None:
    changed = copy.deepcopy(template)
    CHANGES[name](changed)
    assert CHECKS[name](changed) != []


def test_buckets_are_private_versioned_encrypted_and_take_tls_alone(template: Template) -> None:
    buckets = of_type(template, "AWS::S3::Bucket")
    assert len(buckets) == 3
    for name, bucket in buckets.items():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert "BucketEncryption" in bucket["Properties"], name
    kms = [each for each in buckets.values() if "aws:kms" in json.dumps(each["Properties"]["BucketEncryption"])]
    assert len(kms) == 2
    assert all(each["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"} for each in kms)
    policies = of_type(template, "AWS::S3::BucketPolicy").values()
    assert all('"aws:SecureTransport": "false"' in json.dumps(policy) for policy in policies)
    assert len(policies) == 3


def test_drops_are_told_natively_and_nothing_is_lost(template: Template) -> None:
    assert not [each for each in template["Resources"].values() if each["Type"].startswith("Custom::")]
    assert len(of_type(template, "AWS::Lambda::Function")) == 19
    told = [b for b in of_type(template, "AWS::S3::Bucket").values() if "NotificationConfiguration" in b["Properties"]]
    assert len(told) == 1
    rules = [each for each in of_type(template, "AWS::Events::Rule").values() if source_of(each) == "aws.s3"]
    keys = [each["Properties"]["EventPattern"]["detail"]["object"]["key"] for each in rules]
    assert sorted(prefix["prefix"] for (prefix,) in keys) == ["batch/", "datasets/"]
    for rule in rules:
        (target,) = rule["Properties"]["Targets"]
        assert "DeadLetterConfig" in target
        assert not {"Input", "InputPath", "InputTransformer"} & target.keys()


def source_of(rule: dict[str, Any]) -> str:
    (source,) = rule["Properties"].get("EventPattern", {"source": [""]})["source"]
    return str(source)


def config_of(template: Template, function: str) -> Any:
    """How a function's asynchronous invocations are tried, and where they go that fail."""
    configs = [each["Properties"] for each in of_type(template, "AWS::Lambda::EventInvokeConfig").values()]
    (config,) = (each for each in configs if each["FunctionName"] == {"Ref": function})
    return config


def test_every_early_end_of_an_execution_is_told_to_its_own_notify(template: Template) -> None:
    every = of_type(template, "AWS::Events::Rule")
    rules = {name: each for name, each in every.items() if source_of(each) == "aws.states"}
    told = set()
    for name, rule in rules.items():
        detail = rule["Properties"]["EventPattern"]["detail"]
        assert detail["status"] == ["ABORTED", "TIMED_OUT", "FAILED"]
        (machine,), (target,) = detail["stateMachineArn"], rule["Properties"]["Targets"]
        told.add((machine["Ref"][:5], target["Arn"]["Fn::GetAtt"][0][:11]))
        assert name[:5] == machine["Ref"][:5]
        queue, config = target["DeadLetterConfig"]["Arn"], config_of(template, target["Arn"]["Fn::GetAtt"][0])
        assert queue["Fn::GetAtt"][0].startswith(name[:5])
        assert config["DestinationConfig"] == {"OnFailure": {"Destination": queue}}
    assert told == {("Batch", "BatchNotify"), ("Pipel", "PipelineNot")}


def test_the_table_can_be_restored_and_costs_nothing_idle(template: Template) -> None:
    table = first(template, "AWS::DynamoDB::Table")
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEType"] == "KMS"


def test_the_workflow_and_the_api_are_logged_traced_and_throttled(template: Template) -> None:
    assert len(machines(template)) == 3
    for machine in machines(template).values():
        assert machine["StateMachineType"] == "STANDARD"
        assert machine["TracingConfiguration"] == {"Enabled": True}
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
    stage = first(template, "AWS::ApiGateway::Stage")
    assert "AccessLogSetting" in stage
    assert stage["MethodSettings"][0]["ThrottlingRateLimit"] == 100


def test_every_alarm_rings_the_bell(template: Template) -> None:
    alarms = {name: each["Properties"] for name, each in of_type(template, "AWS::CloudWatch::Alarm").items()}
    watched = {alarm["MetricName"]: alarm for alarm in alarms.values()}
    assert set(watched) == {
        "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ApproximateNumberOfMessagesVisible",
        "5XXError", "Latency", "Throttles", "NoHealthyModel", "GpuNotSeen", "Errors",
    }  # fmt: skip
    watching: dict[str, set[str]] = {}
    for alarm in alarms.values():
        watching.setdefault(alarm["MetricName"], set()).add(json.dumps(alarm.get("Dimensions")))
    twice = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ApproximateNumberOfMessagesVisible")
    assert [len(watching[name]) for name in twice] == [3, 2, 2, 2], "of runs and of batches, and of rollouts"
    assert watched["Latency"]["ExtendedStatistic"] == "p95"
    topic = next(iter(of_type(template, "AWS::SNS::Topic")))
    assert all(alarm["AlarmActions"] == [{"Ref": topic}] for alarm in alarms.values())
    assert len(of_type(template, "AWS::CloudWatch::Dashboard")) == 1


def test_no_role_may_do_everything(template: Template) -> None:
    """No `*` action; `*` as a resource only where AWS knows no other."""
    boundless = {
        *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"),
        *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
        *(
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        ),
        *("cloudwatch:PutMetricData", "ecr:GetAuthorizationToken"),
    }
    for name, policy in of_type(template, "AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [each for each in actions if each == "*" or each.endswith(":*")], name
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            if "*" in [flat(each) for each in resources]:
                assert set(actions) <= boundless, (name, actions)
