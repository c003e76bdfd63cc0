"""Rehearse: the deployed prediction function answers with the new version before any caller asks it.

The invocation alone is stood in for: it reaches Predict's own handler, in this process.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract import names
from dropforge.contract.captures import Captured
from dropforge.contract.models import live_key
from dropforge.contract.rollouts import RolloutWish
from dropforge.contract.spec import Spec
from lambdas.api.predict.handler import handle as predict
from lambdas.api.predict.models import Models
from lambdas.common import aws
from lambdas.common.artifacts import Artifacts
from lambdas.pipeline.rehearse import logic
from lambdas.pipeline.rehearse.deployed import request
from lambdas.pipeline.rehearse.handler import handle as rehearse
from lambdas.pipeline.rehearse.rows import MOST_CAPTURED, captured_rows
from tests.serving.little import little
from tests.steps.cloud import HANDLERS, Cloud, delete_row, forget

if TYPE_CHECKING:
    from collections.abc import Callable

    Harm = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]

CANDIDATE = "2"


class Functions:
    """Lambda's client: it invokes Predict here, says that each invocation took 2 ms, and harms some answers."""

    def __init__(self, harm: Harm, slow: float) -> None:
        self.harm, self.slow = harm, slow
        self.invoked: list[tuple[str, Any]] = []

    def invoke(self, FunctionName: str, LogType: str, Payload: bytes) -> dict[str, Any]:
        """The answer of Predict."""
        assert (FunctionName, LogType) == ("arn:predict", "Tail")
        event = json.loads(Payload)
        version = event["pathParameters"]["version"]
        self.invoked.append((version, json.loads(event["body"])[0]))
        response = predict(event, None)
        took = 2.0
        if version == CANDIDATE:
            response, took = self.harm(event, response), took * self.slow
        log = f"REPORT RequestId: 1\tDuration: {took:.2f} ms\tBilled Duration: 3 ms"
        crashed = {"FunctionError": "Unhandled"} if response.get("errorType") else {}
        body = io.BytesIO(json.dumps(response).encode())
        return {"StatusCode": 200, "Payload": body, "LogResult": base64.b64encode(log.encode()).decode(), **crashed}


def unharmed(_event: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """The answer as it was."""
    return response


def failing_where(column: str, value: Any, code: str = "no_healthy_model") -> Harm:
    """No answer to rows with this value."""

    def harm(event: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
        if json.loads(event["body"])[0].get(column) != value:
            return response
        if code == "function_error":
            return {"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}
        return {"statusCode": 503, "body": json.dumps({"error": {"code": code}})}

    return harm


def answering(prediction: Any) -> Harm:
    """This answer to every row."""

    def harm(_event: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
        document = json.loads(response["body"])
        return {**response, "body": json.dumps({**document, "predictions": [prediction]})}

    return harm


def answering_otherwise(event: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """Another class in every second row."""
    document = json.loads(response["body"])
    if (json.loads(event["body"])[0]["x0"] or 0.0) % 2 == 0:
        document["predictions"] = ["other"]
    return {**response, "body": json.dumps(document)}


class Stage:
    """A cloud with a live version and an approved one, which is not promoted yet."""

    def __init__(self, cloud: Cloud, patch: pytest.MonkeyPatch, task: str = "multiclass", **wishes: Any) -> None:
        self.cloud, self.patch, self.task = cloud, patch, task
        patch.setenv("PREDICT", "arn:predict")
        cloud.serve(task, "flowers")
        self.run = cloud.claim("datasets/flowers/b.csv", b"more")["run"]
        answer = cloud.judged(task, self.run, spec=Spec(rollout=RolloutWish(**wishes)))
        registered = HANDLERS["register"]({"run": self.run, "model": "flowers", **answer}, None)
        assert registered["version"] == CANDIDATE, answer

    def capture(self, count: int = 150, version: str = "1", hours: int = 0, hidden: str = "") -> list[dict[str, Any]]:
        """Writes records of answered rows, as the prediction function does, without the hidden column."""
        at = datetime.now(UTC) - timedelta(hours=hours)
        rows = [{**row, "x0": float(number)} for number, row in enumerate((little(self.task).rows(100) * 100)[:count])]
        records = [
            Captured(
                at.isoformat(),
                "flowers",
                version,
                "s",
                number + 1,
                id=f"p-{number}",
                inputs={name: value for name, value in row.items() if name != hidden},
            )
            for number, row in enumerate(rows)
        ]
        records += [replace(records[0], sequence=count + 1, id="", inputs=None, code="unknown_column")]
        lines = b"".join(json.dumps(each.to_json()).encode() + b"\n" for each in records)
        lines += b'{"schema": "dropforge.capture/9"}\n'
        folder = f"{names.CAPTURES}flowers/{version}/{at:%Y-%m-%d-%H}/"
        self.cloud.s3.put_object(Bucket="artifacts", Key=f"{folder}s-{hours}.jsonl.gz", Body=gzip.compress(lines))
        self.cloud.s3.put_object(Bucket="artifacts", Key=f"{folder}s-{hours}.end", Body=b"")
        return rows

    def rehearsed(self, harm: Harm = unharmed, slow: float = 1.0) -> tuple[dict[str, Any], Functions]:
        """What Rehearse gives, and what it invoked."""
        functions = Functions(harm, slow)
        self.patch.setattr(aws, "functions", lambda: functions)
        return rehearse({"run": self.run, "model": "flowers", "version": CANDIDATE}, None), functions


def report_of(cloud: Cloud, run: str) -> str:
    """The run's report with three charts of the rehearsal, which the manifest knows."""
    page = cloud.file(run, names.REPORT_FILE)
    manifest = json.loads(cloud.file(run, names.MANIFEST_FILE))
    assert manifest["files"][names.REPORT_FILE]["sha256"] == hashlib.sha256(page).hexdigest()
    assert b"<b>This version may serve.</b>" in page and page.count(b"<svg") == 3
    return page.decode()


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_an_equal_version_passes_and_both_answer_every_row(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    stage = Stage(cloud, monkeypatch, task)
    rows = stage.capture()
    answer, functions = stage.rehearsed()
    assert answer == {"outcome": "rehearsed", "reason": ""}
    for version in ("1", CANDIDATE):
        asked = [row for each, row in functions.invoked if each == version]
        assert [row for row in asked if row in rows] == rows[::-1], "the newest first"
        assert len(asked) > len(rows)
    assert cloud.registry.training_run(stage.run).step == "Rehearse"
    first = report_of(cloud, stage.run)
    stage.rehearsed()
    assert report_of(cloud, stage.run) == first, "a step that is repeated draws once"


@pytest.mark.parametrize("code", ["no_healthy_model", "function_error"])
def test_a_row_that_the_new_version_alone_fails_on_refuses_it_by_name(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    stage = Stage(cloud, monkeypatch)
    stage.capture()
    answer, functions = stage.rehearsed(failing_where("x0", 140.0, code))
    assert answer["outcome"] == "refused"
    assert "the row of prediction p-140 with version 2 each of 3 times" in answer["reason"]
    assert code in answer["reason"] and "version 1 answers it" in answer["reason"]
    assert "p-140 with version 2 each of 3 times" in report_of(cloud, stage.run)
    assert "`dropforge rollback flowers --to 2` makes it live anyway" in answer["reason"]
    assert sum(row["x0"] == 140.0 and version == CANDIDATE for version, row in functions.invoked) == 3
    run = cloud.registry.training_run(stage.run)
    assert (run.status, run.reason) == ("refused", answer["reason"])
    version = cloud.registry.version("flowers", CANDIDATE)
    assert version is not None and version.outcome == "approved"


def test_a_failure_that_does_not_repeat_refuses_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(cloud, monkeypatch)
    stage.capture()
    failures = iter([True])
    failing = failing_where("x0", 140.0)

    def harm(event: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
        fails = json.loads(event["body"])[0]["x0"] == 140.0 and next(failures, False)
        return failing(event, response) if fails else response

    assert stage.rehearsed(harm)[0]["outcome"] == "rehearsed"


@pytest.mark.parametrize(
    ("harm", "slow", "words"),
    [
        (unharmed, 2.0, "2 times in the median"),
        (answering("1"), 1.0, "version 2 answers otherwise than version 1 on"),
    ],
)
def test_figures_refuse_with_their_limit(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, harm: Harm, slow: float, words: str
) -> None:
    stage = Stage(cloud, monkeypatch)
    stage.capture()
    answer, _ = stage.rehearsed(harm, slow)
    assert answer["outcome"] == "refused" and words in answer["reason"] and "expected" in answer["reason"]
    assert len(answer["reason"]) <= 500
    assert words in report_of(cloud, stage.run)


def test_rows_without_their_sensitive_values_are_asked_and_say_nothing_of_how_often_answers_differ(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(cloud, monkeypatch)
    stage.capture(hidden="colour")
    assert stage.rehearsed(slow=2.0)[0]["outcome"] == "refused"
    assert stage.rehearsed(answering_otherwise)[0]["outcome"] == "rehearsed"
    _, functions = stage.rehearsed()
    assert sum(row["x0"] == 77.0 and row["colour"] is None for _, row in functions.invoked) == 2


def test_a_rehearsal_is_counted_and_alarmed_of_by_nobody(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(cloud, monkeypatch)
    told: list[str] = []
    monkeypatch.setattr(Models, "report", lambda *_: told.append("report"))
    monkeypatch.setattr(Models, "answered", lambda *_: told.append("answered"))
    monkeypatch.setattr(Models, "refused", lambda *_: told.append("refused"))
    stage.rehearsed()
    candidate = cloud.registry.version("flowers", CANDIDATE)
    assert candidate is not None
    cloud.s3.delete_object(Bucket="artifacts", Key=candidate.artifact)
    forget()
    assert "no_healthy_model" in stage.rehearsed()[0]["reason"] and told == []
    predict(request("flowers", CANDIDATE, {}) | {"requestContext": {"identity": {"userArn": "arn:someone"}}}, None)
    assert told == ["report", "refused"]


def test_the_owner_sets_the_limits(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(cloud, monkeypatch, slower=3.0)
    stage.capture()
    assert stage.rehearsed(slow=2.0)[0]["outcome"] == "rehearsed"


def test_answers_to_golden_rows_may_differ_since_these_are_extreme(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, functions = Stage(cloud, monkeypatch).rehearsed(answering("other"))
    assert answer["outcome"] == "rehearsed" and len(functions.invoked) > 20


def test_at_once_asks_the_golden_rows_alone(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(cloud, monkeypatch, mode="at-once")
    stage.capture()
    answer, functions = stage.rehearsed(slow=5.0)
    assert answer["outcome"] == "rehearsed" and {version for version, _ in functions.invoked} == {CANDIDATE}
    golden = len(cloud.file(stage.run, names.GOLDEN_FILE).splitlines())
    assert len(functions.invoked) == 1 + golden


def test_a_golden_row_refuses_too_where_the_live_version_is_not_asked(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(cloud, monkeypatch, mode="at-once")
    row = json.loads(cloud.file(stage.run, names.GOLDEN_FILE).splitlines()[1])["row"]
    answer, _ = stage.rehearsed(failing_where("x0", row["x0"]))
    assert answer["outcome"] == "refused" and "failed on golden row" in answer["reason"]
    assert "answers it" not in answer["reason"]


def test_a_first_version_takes_nobodys_place_and_is_not_rehearsed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(cloud, monkeypatch)
    cloud.s3.delete_object(Bucket="artifacts", Key=names.RunFiles(stage.run).key(names.GOLDEN_FILE))
    delete_row(live_key("flowers"))
    answer, functions = stage.rehearsed()
    assert answer["outcome"] == "rehearsed" and functions.invoked == []


def test_rows_are_read_backwards_by_the_hour_up_to_their_most(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(cloud, monkeypatch)
    for hours, count in ((0, 300), (2, 900), (30, 10)):
        stage.capture(count, hours=hours)
    stage.capture(50, version="7")
    artifacts, now, card = Artifacts("artifacts"), datetime.now(UTC), little("multiclass").card
    rows = captured_rows("flowers", "1", card, artifacts, now)
    assert len(rows) == MOST_CAPTURED and rows[0].name == "the row of prediction p-299"
    assert [row.name for row in captured_rows("flowers", "7", card, artifacts, now)][-1] == "the row of prediction p-0"
    assert captured_rows("flowers", "3", card, artifacts, now) == []


def test_a_rehearsal_ends_in_time(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(cloud, monkeypatch)
    stage.capture()
    monkeypatch.setattr(logic, "SECONDS", 0.0)
    answer, functions = stage.rehearsed()
    assert answer["outcome"] == "rehearsed" and len(functions.invoked) == 2
