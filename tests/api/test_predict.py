"""Predict over proxy events: right answers, right refusals, and never a 5xx for what a caller sent."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from dropforge.contract import names
from dropforge.contract.settings import NO_HEALTHY_MODEL
from dropforge.inference.protocols import common
from lambdas.api.predict import handler, models
from tests.api.calls import post
from tests.serving.little import TASKS, Little, little
from tests.steps.cloud import NAMESPACE

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud


@pytest.fixture
def made(cloud: Cloud) -> Little:
    """A live model of three integer classes."""
    return little("multiclass", cloud.serve("multiclass", "flowers"))


def csv_of(rows: list[dict[str, Any]]) -> str:
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    return "\n".join([",".join(rows[0]), *lines])


@pytest.mark.parametrize("task", TASKS)
def test_three_ways_to_ask_one_answer(cloud: Cloud, task: str) -> None:
    made = little(task, cloud.serve(task, "flowers"))
    rows = made.rows(12)
    columns = {name: values[:12] for name, values in made.columns.items()}
    encoded = base64.b64encode(csv_of(rows).encode()).decode()
    replies = [
        post(rows),
        post({"rows": rows}, content_type="application/json; charset=utf-8"),
        post({"columns": columns}, content_type=None),
        post(csv_of(rows), content_type='Text/CSV; header="present"'),
        post(encoded, content_type="text/csv", isBase64Encoded=True),
    ]
    assert {reply.status for reply in replies} == {200}
    first = replies[0].body
    for reply in replies:
        assert (reply.body["predictions"], reply.body["probabilities"]) == (
            first["predictions"],
            first["probabilities"],
        )
    assert len({name for reply in replies for name in reply.body["ids"]}) == 5 * 12
    expected = made.expected(columns)
    if task == "regression":
        assert first["predictions"] == pytest.approx(expected.tolist(), rel=1e-5)
    else:
        best = [made.card.classes[at] for at in expected.argmax(axis=1)]
        assert [str(each).lower() for each in first["predictions"]] == best
        assert {type(each) for each in first["predictions"]} == {type(made.target[0])}
        assert all(sum(share.values()) == pytest.approx(1, abs=1e-5) for share in first["probabilities"])


def test_ignored_columns_may_come_along(made: Little) -> None:
    rows = made.rows(2)
    reply = post([{**rows[0], "row": {"any": "thing"}}, rows[1]])
    assert reply.status == 200


@pytest.mark.parametrize(
    ("body", "more", "status", "code"),
    [
        ("", {}, 400, "empty"),
        ("[", {}, 400, "not_json"),
        ("[Infinity]", {}, 400, "not_json"),
        ("3", {}, 400, "wrong_shape"),
        ("\ud800", {}, 400, "not_json"),
        ("***", {"isBase64Encoded": True}, 400, "not_base64"),
        ("ä", {"isBase64Encoded": True}, 400, "not_base64"),
        ("//79", {"isBase64Encoded": True}, 400, "not_json"),
        ([{}], {}, 422, "missing_column"),
        ("<rows/>", {"content_type": "application/xml"}, 415, "content_type"),
        ("x", {"content_type": "x" * 9000}, 415, "content_type"),
        ([{}], {"model": "trees"}, 404, "no_such_model"),
        ([{}], {"model": "Bad Name"}, 404, "no_such_model"),
        ([{}], {"model": "m" * 5000}, 404, "no_such_model"),
        ([{}] * 10_001, {}, 413, "too_many_rows"),
        (" " * (common.MOST_BYTES + 1), {}, 413, "too_large"),
    ],
)
def test_what_a_caller_gets_wrong(made: Little, body: Any, more: Any, status: int, code: str) -> None:  # noqa: ARG001
    reply = post(body, **more)
    assert (reply.status, reply.code) == (status, code)


def test_the_field_is_named(made: Little) -> None:
    rows = made.rows(5)
    rows[3]["x2"] = "tall"
    reply = post(rows)
    assert (reply.status, reply.field) == (422, "rows[3].x2")
    assert "expected a number or null, got 'tall'" in reply.body["error"]["message"]


def test_numbers_beyond_the_model_are_the_caller_s_to_mend(cloud: Cloud) -> None:
    made = little("regression", cloud.serve("regression", "flowers"))
    rows = made.rows(2)
    rows[1] |= {"x0": 3e38, "x1": 3e38, "x2": 3e38, "x3": -3e38}
    reply = post(rows)
    assert (reply.status, reply.code, reply.field) == (422, "out_of_range", "rows[1]")


def test_an_answer_too_large_for_the_function_is_refused(made: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "MOST_ANSWER", 1000)
    assert post(made.rows(2)).status == 200
    reply = post(made.rows(50))
    assert (reply.status, reply.code) == (413, "answer_too_large")


def no_healthy_model(model: str | None) -> float:
    """What the alarm has counted, over all models or for one."""
    found = boto3.client("cloudwatch").get_metric_data(
        StartTime="2020-01-01",
        EndTime="2100-01-01",
        MetricDataQueries=[
            {
                "Id": "m",
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": NO_HEALTHY_MODEL,
                        "Dimensions": [{"Name": "model", "Value": model}] if model else [],
                    },
                    "Period": 10**9,
                    "Stat": "Sum",
                },
            }
        ],
    )
    return sum(found["MetricDataResults"][0]["Values"])


@pytest.mark.parametrize("harm", ["changed", "gone", "no model"])
def test_a_live_model_that_cannot_be_loaded_is_a_503_and_counted(cloud: Cloud, made: Little, harm: str) -> None:
    live = cloud.registry.live("flowers")
    assert live is not None
    if harm == "gone":
        cloud.s3.delete_object(Bucket="artifacts", Key=live.artifact)
    else:
        cloud.s3.put_object(Bucket="artifacts", Key=live.artifact, Body=b"other bytes")
    if harm == "no model":
        cloud.registry.move_live(replace(live, sha256=sha256(b"other bytes").hexdigest(), generation=2))
    reply = post(made.rows(1))
    assert (reply.status, reply.code) == (503, "no_healthy_model")
    assert no_healthy_model("flowers") >= 1 and no_healthy_model(None) >= 1


def test_a_503_does_not_hang_on_its_metric(
    cloud: Cloud, made: Little, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.s3.delete_object(Bucket="artifacts", Key=names.RunFiles(made.card.run).key(names.MODEL_FILE))

    class Down:
        def put_metric_data(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://monitoring.example")

    monkeypatch.setattr("lambdas.common.metrics.cloudwatch", lambda: Down())
    assert post(made.rows(1)).status == 503
    assert "metric lost" in capsys.readouterr().out


def test_an_unreadable_registry_is_a_503(made: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY", "no-such-table")
    handler.models.cache_clear()
    assert post(made.rows(1)).code == "no_healthy_model"


def test_a_promotion_is_seen_when_the_pointer_is_old(
    cloud: Cloud, made: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(models.time, "monotonic", lambda: clock[0])
    assert post(made.rows(1)).body["version"] == "1"
    cloud.serve("multiclass", "flowers", "datasets/flowers/b.csv", b"more")
    clock[0] += models.POINTER_SECONDS
    assert post(made.rows(1)).body["version"] == "1"
    clock[0] += 0.1
    assert post(made.rows(1)).body["version"] == "2"


def test_models_are_loaded_once_and_as_many_are_held_as_memory_allows(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2")
    rows, size = little("regression").rows(1), len(little("regression").body)
    assert handler.models().held.most == 2 * 2**20 // models.MEMORY_SHARE
    handler.models().held.most = int(2.5 * size)
    for name in ("a", "b", "c"):
        cloud.serve("regression", name)
        assert post(rows, name).status == 200
    loaded = dict(handler.models().held.loaded)
    assert len(loaded) == 2
    assert post(rows, "c").status == 200
    assert all(handler.models().held.loaded[digest] is model for digest, model in loaded.items())
    assert post(rows, "a").status == 200


def test_a_registry_that_is_ill_for_a_while_stops_nobody(
    cloud: Cloud, made: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(models.time, "monotonic", lambda: clock[0])
    assert post(made.rows(1)).status == 200
    boto3.client("dynamodb").delete_table(TableName="registry")
    clock[0] += models.STALE_SECONDS
    assert post(made.rows(1)).status == 200
    clock[0] += 0.1
    assert post(made.rows(1)).code == "no_healthy_model"
    assert cloud.messages() == []


def test_a_log_line_holds_no_value(cloud: Cloud, made: Little, capsys: pytest.CaptureFixture[str]) -> None:
    rows = made.rows(1)
    post([{**rows[0], "colour": "secret-colour"}])
    post([{**rows[0], "x0": "secret-number"}])
    cloud.s3.delete_object(Bucket="artifacts", Key=names.RunFiles(made.card.run).key(names.MODEL_FILE))
    handler.models.cache_clear()
    post([{**rows[0], "colour": "secret-colour"}])
    out = capsys.readouterr().out
    assert "secret" not in out and '"event": "no healthy model"' in out
    assert all(json.loads(line)["event"] for line in out.splitlines())


def test_a_log_line_names_function_request_and_model(
    cloud: Cloud, made: Little, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.s3.delete_object(Bucket="artifacts", Key=names.RunFiles(made.card.run).key(names.MODEL_FILE))
    post(made.rows(1), requestContext={"requestId": "request-1"})
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert list(line) == ["level", "event", "function", "request", "model", "reason"]
    assert list(line.values())[:-1] == ["error", "no healthy model", "Predict", "request-1", "flowers"]
