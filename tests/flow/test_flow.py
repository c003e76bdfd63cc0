"""The whole way on the embedded cloud: what is dropped is served, and what must not be served is not."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.client.faults import ApiFault
from dropforge.contract import names

from .conftest import hurry

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.client import Dropforge

    from .conftest import Forged

NAMES = ("cars", "income", "penguins")


def poll(get: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `get` gives as soon as it gives something; fails after a deadline."""
    deadline = time.monotonic() + seconds
    while not (value := get()):
        assert time.monotonic() < deadline, f"nothing came within {seconds} s"
        time.sleep(0.2)
    return value


def body(forge: Dropforge, bucket: str, key: str) -> bytes:
    content: bytes = forge.connection.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def artifact(forge: Dropforge, run: str, name: str) -> bytes:
    return body(forge, forge.connection.outputs["ArtifactBucket"], names.RunFiles(run).key(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_dropped_data_set_is_promoted_and_beats_the_baseline(forged: dict[str, Forged], name: str) -> None:
    run = forged[name].run
    assert run.status == "promoted", run.reason
    metric = run.metric
    better = run.metrics[metric] - run.baseline[metric]
    assert better > 0 if metric == "auc" else better < 0
    assert run.target == forged[name].target


@pytest.mark.parametrize("name", NAMES)
def test_the_served_model_is_byte_for_byte_the_one_the_run_made(
    forge: Dropforge, forged: dict[str, Forged], name: str
) -> None:
    run = forged[name].run.run
    manifest = json.loads(artifact(forge, run, names.MANIFEST_FILE))
    digest = hashlib.sha256(artifact(forge, run, names.MODEL_FILE)).hexdigest()
    assert digest == manifest["files"][names.MODEL_FILE]["sha256"]
    assert forge.model(name)["live"]["sha256"] == digest


@pytest.mark.parametrize("name", NAMES)
def test_the_api_answers_as_torch_did_on_the_golden_rows(
    forge: Dropforge, forged: dict[str, Forged], name: str
) -> None:
    golden = [json.loads(line) for line in artifact(forge, forged[name].run.run, names.GOLDEN_FILE).splitlines()]
    answer = forge.predict(name, [line["row"] for line in golden])
    assert len(golden) >= 10
    if answer.probabilities is None:
        assert answer.predictions == pytest.approx([line["prediction"] for line in golden], rel=1e-5)
        return
    assert answer.predictions == [line["prediction"] for line in golden]
    for given, expected in zip(answer.probabilities, golden, strict=True):
        assert given == pytest.approx(expected["probabilities"], rel=1e-5, abs=1e-7)


def test_the_api_is_right_about_rows_it_never_saw(forge: Dropforge, forged: dict[str, Forged]) -> None:
    """Better than always giving the most frequent class, or the mean, on the rows held back."""
    for name in ("income", "penguins"):
        unseen = forged[name].unseen
        truth = unseen[forged[name].target].to_list()
        answer = forge.predict(name, unseen.drop(forged[name].target).to_dicts())
        right = sum(given == expected for given, expected in zip(answer.predictions, truth, strict=True))
        assert right > max(truth.count(each) for each in set(truth)), name
        assert len(set(answer.ids)) == len(truth)
    cars = forged["cars"].unseen.drop_nulls("Miles_per_Gallon")
    truth = cars["Miles_per_Gallon"].to_list()
    given = forge.predict("cars", cars.drop("Miles_per_Gallon").to_dicts()).predictions
    mean = sum(truth) / len(truth)
    errors = sum((a - b) ** 2 for a, b in zip(given, truth, strict=True))
    assert errors < 0.5 * sum((mean - b) ** 2 for b in truth)


def test_a_duplicate_trains_nothing(forge: Dropforge, forged: dict[str, Forged]) -> None:
    """The same file again is a new object version: its run names the first and no training job is started."""
    before = training_jobs(forge)
    again = forge.wait(forge.drop(forged["penguins"].file, model="penguins", target="species").run)
    assert again.status == "duplicate"
    assert again.duplicate_of == forged["penguins"].run.run
    assert training_jobs(forge) == before


def training_jobs(forge: Dropforge) -> set[str]:
    pages = forge.connection.client("logs").get_paginator("describe_log_streams")
    streams = pages.paginate(logGroupName="/aws/sagemaker/TrainingJobs")
    return {stream["logStreamName"] for page in streams for stream in page["logStreams"]}


def executions(forge: Dropforge) -> dict[str, str]:
    """Execution ARN to status."""
    machine = forge.connection.outputs["StateMachineArn"]
    found = forge.connection.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return {each["executionArn"]: each["status"] for each in found}


def test_a_repeated_event_trains_nothing(forge: Dropforge, forged: dict[str, Forged]) -> None:
    """S3 delivers at least once: the very same event a second time ends as a success without a run."""
    steps = forge.connection.client("stepfunctions")
    run = forged["cars"].run
    event = json.loads(steps.describe_execution(executionArn=run.execution)["input"])
    before = training_jobs(forge)
    machine = forge.connection.outputs["StateMachineArn"]
    arn = steps.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    status = poll(lambda: next((s for a, s in executions(forge).items() if a == arn and s != "RUNNING"), None))
    assert status == "SUCCEEDED"
    assert training_jobs(forge) == before
    assert forge.run(run.run).execution == run.execution


def test_a_broken_file_ends_in_quarantine_with_a_reason(forge: Dropforge, tmp_path: Path) -> None:
    file = tmp_path / "ragged.csv"
    file.write_text("rooms,price\n" + "3,100\n" * 60 + "4,120,extra\n" + "5,140\n" * 60)
    run = forge.wait(forge.drop(file, model="ragged", target="price").run)
    assert run.status == "rejected"
    assert "62" in run.reason
    kept = names.quarantine_prefix(run.run)
    bucket = forge.connection.outputs["ArtifactBucket"]
    assert body(forge, bucket, f"{kept}ragged.csv") == file.read_bytes()
    assert json.loads(body(forge, bucket, f"{kept}reason.json"))["reason"] == run.reason
    with pytest.raises(Exception, match="ragged"):
        forge.predict("ragged", [{"rooms": 3}])


def test_a_spec_starts_no_run_and_is_obeyed(forge: Dropforge, tmp_path: Path, forged: dict[str, Forged]) -> None:
    s3, bucket = forge.connection.client("s3"), forge.connection.outputs["DropBucket"]
    wishes = "target: island\nbudget: 0.3\ndrop: [species]\n"
    s3.put_object(Bucket=bucket, Key=names.spec_key("islands"), Body=wishes.encode())
    file = tmp_path / "islands.csv"
    file.write_bytes(forged["penguins"].file.read_bytes())
    run = forge.wait(forge.drop(file, model="islands").run)
    assert (run.status, run.target, run.task) == ("promoted", "island", "multiclass"), run.reason
    assert "species" not in [column["name"] for column in forge.model("islands")["card"]["columns"]]
    assert [each.model for each in forge.runs()].count("islands") == 1


def test_the_aws_cli_starts_a_run_too(forge: Dropforge, forged: dict[str, Forged]) -> None:
    """`aws s3 cp` to the embedded cloud's endpoint is all a user needs."""
    connection = forge.connection
    hurry(forge, "copied")
    uri = f"s3://{connection.outputs['DropBucket']}/{names.drop_key('copied', 'penguins.csv')}"
    command = [str(Path(sys.executable).with_name("aws")), "s3", "cp", str(forged["penguins"].file), uri]
    command += ["--endpoint-url", connection.endpoint_url or ""]
    secret = {"AWS_ACCESS_KEY_ID": connection.access_key, "AWS_SECRET_ACCESS_KEY": connection.secret_key}
    bundle = {"AWS_CA_BUNDLE": connection.ca_bundle} if connection.ca_bundle else {}
    environment = {**os.environ, **secret, **bundle, "AWS_DEFAULT_REGION": connection.region}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    row = poll(lambda: next((each for each in forge.runs() if each.model == "copied"), None))
    assert forge.wait(row.run).status == "promoted"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"island": "Torgersen"}], "bill_length_mm"),
        ("whole", "body_mass_g"),
    ],
)
def test_wrong_input_is_answered_with_the_name_of_the_field(
    forge: Dropforge, forged: dict[str, Forged], rows: Any, message: str
) -> None:
    if rows == "whole":
        rows = [{**forged["penguins"].unseen.drop("species").to_dicts()[0], "body_mass_g": "heavy"}]
    with pytest.raises(Exception, match=message):
        forge.predict("penguins", rows)


def test_a_stopped_execution_closes_its_run_and_frees_its_data(forge: Dropforge, forged: dict[str, Forged]) -> None:
    """As somebody stops it in the console of Step Functions: the run is closed by EventBridge's word alone."""
    hurry(forge, "stopped")
    run = forge.drop(forged["penguins"].file, model="stopped", target="species").run
    row = poll(lambda: next((each for each in forge.runs(model="stopped") if each.step == "Train"), None))
    forge.connection.client("stepfunctions").stop_execution(executionArn=row.execution)
    closed = poll(lambda: (found := forge.run(run)).status != "running" and found)
    assert (closed.status, closed.reason) == ("failed", "Train failed: its execution was stopped")
    again = forge.wait(forge.drop(forged["penguins"].file, model="stopped", target="species").run)
    assert again.status == "promoted", again.reason


def test_a_failed_run_rings_the_bell(forge: Dropforge) -> None:
    """An event of an object that is gone: the execution fails, the alarm goes off, subscribers hear of both."""
    heard = subscribed(forge)
    event = {
        "detail": {
            "bucket": {"name": forge.connection.outputs["DropBucket"]},
            "object": {"key": names.drop_key("gone", "gone.csv"), "version-id": "none", "size": 1},
        }
    }
    steps, machine = forge.connection.client("stepfunctions"), forge.connection.outputs["StateMachineArn"]
    arn = steps.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    status = poll(lambda: next((s for a, s in executions(forge).items() if a == arn and s != "RUNNING"), None))
    assert status == "FAILED"
    alarms = forge.connection.client("cloudwatch")

    def ringing() -> set[str]:
        found = {alarm["MetricName"] for alarm in alarms.describe_alarms(StateValue="ALARM")["MetricAlarms"]}
        return found if "ExecutionsFailed" in found else set()

    assert poll(ringing, 120) <= {"ExecutionsFailed", "ExecutionsAborted"}  # what was stopped before rings too
    told = ""
    while not ("Claim failed" in told and "ExecutionsFailed" in told):
        told += poll(heard)


def subscribed(forge: Dropforge) -> Callable[[], str]:
    """A queue of the test's own behind the topic; gives what came since the last call."""
    queues, topics = forge.connection.client("sqs"), forge.connection.client("sns")
    queue = queues.create_queue(QueueName="heard")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = forge.connection.outputs["TopicArn"]
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(lets_topic_send(topic, arn))})
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read() -> str:
        messages = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return "\n".join(message["Body"] for message in messages)

    return read


def lets_topic_send(topic: str, queue: str) -> dict[str, Any]:
    """The queue's policy: SNS may send for this topic alone."""
    service, only = {"Service": "sns.amazonaws.com"}, {"ArnEquals": {"aws:SourceArn": topic}}
    allow = {"Effect": "Allow", "Principal": service, "Action": "sqs:SendMessage", "Resource": queue, "Condition": only}
    return {"Version": "2012-10-17", "Statement": [allow]}


def test_the_api_explains_its_answers(forge: Dropforge, forged: dict[str, Forged]) -> None:
    """What the columns contribute adds up to the answer, in values and in probabilities, of strangers' rows too."""
    for name in NAMES:
        rows = [*forged[name].unseen.drop(forged[name].target).to_dicts()[:3]]
        rows.append(dict.fromkeys(rows[0]))
        plain, answer = forge.predict(name, rows), forge.predict(name, rows, explain=True)
        assert plain.explanations is None and answer.predictions == plain.predictions
        for at, told in enumerate(answer.explanations or []):
            label = answer.predictions[at]
            said = label if answer.probabilities is None else max(answer.probabilities[at].values())
            assert told["class"] == (None if answer.probabilities is None else label)
            assert told["base"] + sum(told["contributions"].values()) == pytest.approx(said, rel=1e-6)
        assert len(answer.explanations or []) == len(rows)
    assert forge.model("penguins")["importances"][0]["fall"] > 0


def test_a_removed_model_is_gone_within_a_minute_and_comes_back(forge: Dropforge, forged: dict[str, Forged]) -> None:
    """Through the functions that have it loaded, and its versions with it; the last test of this model."""
    rows = forged["penguins"].unseen.drop("species").to_dicts()[:2]
    before = forge.predict("penguins", rows)
    forge.remove("penguins")
    assert poll(lambda: status_of(forge, "penguins", rows) == 404, 60)
    assert "penguins" not in [each["model"] for each in forge.models()]
    forge.rollback("penguins")
    assert poll(lambda: status_of(forge, "penguins", rows) == 200, 60)
    assert forge.predict("penguins", rows).predictions == before.predictions


def status_of(forge: Dropforge, model: str, rows: list[dict[str, Any]]) -> int:
    """What the API answers at the moment."""
    try:
        forge.predict(model, rows)
    except ApiFault as fault:
        return fault.status
    return 200
