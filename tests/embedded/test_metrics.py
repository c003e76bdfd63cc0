"""The stack's alarms work here: what AWS records by itself is recorded, and alarms see their own dimensions alone."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from typing import Any

import pytest

from dropforge.embedded.metrics import alarms
from tests.embedded.conftest import Cloud, eventually

Maker = "Callable[..., dict[str, Any]]"
HANDLER = """
def handle(event, context):
    if event.get("path") == "/broken" or event.get("broken"):
        raise RuntimeError("broken")
    return {"statusCode": 200, "body": "fine"}
"""


def total(cloud: Cloud, namespace: str, name: str, dimensions: dict[str, str]) -> float | None:
    """Sum over the last minutes, or None when nothing was recorded."""
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=time.time() - 600,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=["Sum"],
    )
    points = found["Datapoints"]
    return sum(point["Sum"] for point in points) if points else None


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", HANDLER)
    made = cloud.client("lambda").create_function(
        FunctionName="counted",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/training",
        Handler="index.handle",
        Code={"ZipFile": code.getvalue()},
    )
    return str(made["FunctionArn"])


@pytest.fixture(scope="module")
def api(cloud: Cloud, function: str) -> str:
    """Base URL of a REST API that passes everything to the function."""
    client = cloud.client("apigateway")
    made = client.create_rest_api(name="counted-api")["id"]
    root = client.get_resources(restApiId=made)["items"][0]["id"]
    path = client.create_resource(restApiId=made, parentId=root, pathPart="{proxy+}")["id"]
    client.put_method(restApiId=made, resourceId=path, httpMethod="GET", authorizationType="NONE")
    client.put_integration(
        restApiId=made,
        resourceId=path,
        httpMethod="GET",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    client.create_deployment(restApiId=made, stageName="live")
    return f"{cloud.address.url}/_aws/execute-api/{made}/live"


def call(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_executions_are_counted(cloud: Cloud, request_of: Maker) -> None:
    of_machine = {"StateMachineArn": cloud.machine}
    before = total(cloud, "AWS/States", "ExecutionsFailed", of_machine) or 0
    cloud.train(request_of("fail"))
    assert eventually(lambda: total(cloud, "AWS/States", "ExecutionsFailed", of_machine) == before + 1)
    assert (total(cloud, "AWS/States", "ExecutionsStarted", of_machine) or 0) > before
    assert total(cloud, "AWS/States", "ExecutionTime", of_machine)


def test_api_calls_and_the_functions_behind_them_are_counted(cloud: Cloud, api: str) -> None:
    assert call(f"{api}/fine") == 200
    assert call(f"{api}/broken") >= 500
    name, stage = {"ApiName": "counted-api"}, {"ApiName": "counted-api", "Stage": "live"}
    for dimensions in (name, stage):
        assert total(cloud, "AWS/ApiGateway", "Count", dimensions) == 2
        assert total(cloud, "AWS/ApiGateway", "5XXError", dimensions) == 1
        assert total(cloud, "AWS/ApiGateway", "4XXError", dimensions) == 0
        assert total(cloud, "AWS/ApiGateway", "Latency", dimensions)
    behind = {"FunctionName": "counted"}
    assert total(cloud, "AWS/Lambda", "Errors", behind) == 1
    assert total(cloud, "AWS/Lambda", "Invocations", behind) == 2
    assert total(cloud, "AWS/Lambda", "Duration", behind)


def test_a_direct_invocation_is_counted_once(cloud: Cloud, function: str) -> None:
    before = total(cloud, "AWS/Lambda", "Invocations", {"FunctionName": "counted"}) or 0
    cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps({}))
    assert total(cloud, "AWS/Lambda", "Invocations", {"FunctionName": "counted"}) == before + 1


def test_a_dead_letter_rings_its_own_alarm_and_no_other(cloud: Cloud) -> None:
    sqs, watch = cloud.client("sqs"), cloud.client("cloudwatch")
    ears = sqs.create_queue(QueueName="ears")["QueueUrl"]
    listening = sqs.get_queue_attributes(QueueUrl=ears, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="bell")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=listening)
    for queue in ("dead", "other"):
        sqs.create_queue(QueueName=queue)
        watch.put_metric_alarm(
            AlarmName=f"letters-{queue}",
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Dimensions=[{"Name": "QueueName", "Value": queue}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[topic] if queue == "dead" else [],
        )
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"], MessageBody="letter")

    def rung() -> Any:
        return sqs.receive_message(QueueUrl=ears).get("Messages")

    message = json.loads(json.loads(eventually(rung)[0]["Body"])["Message"])
    assert (message["AlarmName"], message["NewStateValue"]) == ("letters-dead", "ALARM")
    states = {found["AlarmName"]: found["StateValue"] for found in watch.describe_alarms()["MetricAlarms"]}
    assert states["letters-dead"] == "ALARM"
    assert states["letters-other"] == "OK"


ALARM = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0, "StateValue": "OK"}


@pytest.mark.parametrize(
    ("wish", "values", "state"),
    [
        ({}, [6.0], "ALARM"),
        ({}, [5.0], "OK"),
        ({}, [None], "INSUFFICIENT_DATA"),
        ({"TreatMissingData": "notBreaching"}, [None], "OK"),
        ({"TreatMissingData": "breaching"}, [None], "ALARM"),
        ({"TreatMissingData": "ignore", "StateValue": "ALARM"}, [None], "ALARM"),
        ({}, [6.0, 5.0, 6.0], "OK"),
        ({"DatapointsToAlarm": 2}, [6.0, 5.0, 6.0], "ALARM"),
        ({"DatapointsToAlarm": 2, "TreatMissingData": "notBreaching"}, [6.0, None, None], "OK"),
    ],
)
def test_states_of_an_alarm(wish: dict[str, Any], values: list[float | None], state: str) -> None:
    assert alarms.new_state({**ALARM, **wish}, values) == state
