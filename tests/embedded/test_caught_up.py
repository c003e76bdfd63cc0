"""What MiniStack alone still lacks. A failure here is good news: remove the addition that the test names."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.embedded.home import Home
from dropforge.embedded.keys import credentials
from dropforge.embedded.settings import Address, clean_environment
from tests.embedded.conftest import Cloud, eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """MiniStack as it comes, without anything of ours."""
    home, address = Home(tmp_path_factory.mktemp("bare")), Address(free_port(), strict=False)
    environ = {
        **clean_environment(),
        **credentials(home),
        "GATEWAY_PORT": str(address.port),
        "BIND_HOST": "127.0.0.1",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.state),
        "TMPDIR": str(home.root),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nowhere",
    }
    with (home.root / "log").open("w") as log:
        child = subprocess.Popen([sys.executable, "-m", "ministack"], env=environ, stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(address))
        yield Cloud(home, address)
    finally:
        child.terminate()
        child.wait(20)


def _answers(address: Address) -> bool:
    try:
        with urllib.request.urlopen(f"{address.url}/_ministack/health", timeout=2):
            return True
    except OSError:
        return False


def recorded(cloud: Cloud, namespace: str) -> list[Any]:
    return list(cloud.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"])


def test_no_metrics_of_executions(bare: Cloud) -> None:
    """dropforge/embedded/metrics/states.py"""
    states = bare.client("stepfunctions")
    definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    role = "arn:aws:iam::000000000000:role/any"
    bare.machine = states.create_state_machine(name="pass", definition=json.dumps(definition), roleArn=role)[
        "stateMachineArn"
    ]
    assert bare.train({})["status"] == "SUCCEEDED"
    assert recorded(bare, "AWS/States") == []


def test_no_metrics_of_apis(bare: Cloud) -> None:
    """dropforge/embedded/metrics/api.py"""
    client = bare.client("apigateway")
    made = client.create_rest_api(name="mock")["id"]
    root = client.get_resources(restApiId=made)["items"][0]["id"]
    client.put_method(restApiId=made, resourceId=root, httpMethod="GET", authorizationType="NONE")
    which = {"restApiId": made, "resourceId": root, "httpMethod": "GET"}
    client.put_integration(**which, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_method_response(**which, statusCode="200")
    client.put_integration_response(**which, statusCode="200")
    client.create_deployment(restApiId=made, stageName="live")
    with urllib.request.urlopen(f"{bare.address.url}/_aws/execute-api/{made}/live/", timeout=10) as answer:
        assert answer.status == 200
    assert recorded(bare, "AWS/ApiGateway") == []


def test_functions_are_not_measured_where_all_invocations_pass() -> None:
    """dropforge/embedded/metrics/functions.py"""
    import inspect

    from ministack.services import lambda_svc

    assert "_emit_lambda_metrics" not in inspect.getsource(lambda_svc._execute_function_dispatch)
    assert list(inspect.signature(lambda_svc._emit_lambda_metrics).parameters) == [
        "function_name",
        "duration_ms",
        "error",
        "throttle",
    ]


def test_no_metrics_of_queues(bare: Cloud) -> None:
    """dropforge/embedded/metrics/queues.py"""
    sqs = bare.client("sqs")
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName="dead")["QueueUrl"], MessageBody="letter")
    assert recorded(bare, "AWS/SQS") == []


def test_alarms_mix_their_dimensions(bare: Cloud) -> None:
    """dropforge/embedded/metrics/alarms.py"""
    watch = bare.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="mine",
        Namespace="Test",
        MetricName="Count",
        Dimensions=[{"Name": "owner", "Value": "me"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    datum = {"MetricName": "Count", "Dimensions": [{"Name": "owner", "Value": "you"}], "Value": 9}
    watch.put_metric_data(Namespace="Test", MetricData=[datum])
    assert watch.describe_alarms(AlarmNames=["mine"])["MetricAlarms"][0]["StateValue"] == "ALARM"


def test_filtering_logs_overlooks_the_prefix(bare: Cloud) -> None:
    """dropforge/embedded/logs.py"""
    logs = bare.client("logs")
    logs.create_log_group(logGroupName="group")
    for stream in ("one/a", "two/a"):
        logs.create_log_stream(logGroupName="group", logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": stream}
        logs.put_log_events(logGroupName="group", logStreamName=stream, logEvents=[event])
    found = logs.filter_log_events(logGroupName="group", logStreamNamePrefix="one/")["events"]
    assert len(found) == 2


def test_state_is_not_saved_while_it_runs(bare: Cloud) -> None:
    """dropforge/embedded/persistence.py"""
    from ministack import app

    assert not (bare.home.state / "sqs.json").exists()
    assert callable(app._build_persistence_save_dict)


def test_running_executions_do_not_outlive_a_restart() -> None:
    """dropforge/embedded/resume.py"""
    import inspect

    from ministack.services import stepfunctions

    assert '"States.ServiceRestart"' in inspect.getsource(stepfunctions._restore_state)


def test_tasks_do_not_ask_for_the_state_machines_role() -> None:
    """dropforge/embedded/roles.py"""
    import inspect

    from ministack.services import stepfunctions

    assert "roleArn" not in inspect.getsource(stepfunctions._execute_task)
    assert "roleArn" not in inspect.getsource(stepfunctions._invoke_resource)


def test_events_of_objects_do_not_name_the_version() -> None:
    """dropforge/embedded/events.py"""
    import inspect

    from ministack.services import s3

    assert "version-id" not in inspect.getsource(s3._fire_s3_event)


def test_no_ranges_of_versions(bare: Cloud) -> None:
    """dropforge/embedded/ranges.py"""
    s3 = bare.client("s3")
    s3.create_bucket(Bucket="ranged")
    s3.put_bucket_versioning(Bucket="ranged", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="ranged", Key="a", Body=b"0123456789")["VersionId"]
    found = s3.get_object(Bucket="ranged", Key="a", VersionId=version, Range="bytes=2-4")
    assert found["Body"].read() == b"0123456789"


def test_what_names_no_type_is_not_binary() -> None:
    """dropforge/embedded/media.py"""
    from ministack.services import apigateway_v1

    assert not apigateway_v1._media_type_matches(None, ["*/*"])
    assert apigateway_v1._media_type_matches("application/json", ["*/*"])


def test_policies_do_not_see_the_namespace_of_a_count() -> None:
    """dropforge/embedded/namespaces.py"""
    import inspect

    from ministack.core import iam_actions, iam_evaluator

    sources = inspect.getsource(iam_actions) + inspect.getsource(iam_evaluator)
    assert "cloudwatch:namespace" not in sources
    # The function that the addition wraps has these parameters.
    names = list(inspect.signature(iam_actions.request_tag_context).parameters)
    assert names == ["service", "iam_action", "body", "params"]
