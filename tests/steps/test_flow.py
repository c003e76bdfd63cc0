"""The golden events of the workflow, one after the other, from a drop to a prediction."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dropforge.contract import names
from dropforge.contract.instances import PRICES
from lambdas.api.predict.handler import handle as predict
from tests.serving.little import TASKS, little
from tests.steps.cloud import HANDLERS, Cloud, event, run_of

KEY = "datasets/flowers/a.csv"


def step(name: str, **values: str) -> Any:
    """Sends the golden event to its function; the answer must be the golden one."""
    told = event(name, **values)
    answer = HANDLERS[name.partition("-")[0]](told["given"], None)
    assert answer == told["answer"]
    return answer


@pytest.mark.parametrize("task", TASKS)
def test_the_way_of_a_data_set(cloud: Cloud, task: str) -> None:
    dropped = cloud.drop(KEY)
    run = run_of(dropped)
    step("claim", run=run, version=dropped["version"])
    step("judge", run=run, artifacts=cloud.train(task, "flowers", run))
    step("register", run=run)
    step("promote", run=run)
    made = little(task, run)
    request = {
        "httpMethod": "POST",
        "resource": "/models/{model}/predict",
        "pathParameters": {"model": "flowers"},
        "headers": {"content-type": "application/json"},
        "body": json.dumps(made.rows(5)),
    }
    answer = predict(request, None)
    assert answer["statusCode"] == 200
    body = json.loads(answer["body"])
    assert (body["model"], body["version"], len(set(body["ids"]))) == ("flowers", "1", 5)
    expected = made.expected({name: values[:5] for name, values in made.columns.items()})
    if task == "regression":
        assert body["predictions"] == pytest.approx(expected.tolist(), rel=1e-5) and body["probabilities"] is None
    else:
        given = [[share[name] for name in made.card.classes] for share in body["probabilities"]]
        assert given == [pytest.approx(shares, abs=1e-5) for shares in expected.tolist()]
    step("notify", run=run)
    check_run(cloud, run, task)
    check_version(cloud, run)


def check_run(cloud: Cloud, run: str, task: str) -> None:
    row = cloud.registry.run(run)
    assert (row.status, row.version, row.job) == ("promoted", "1", f"dropforge-{run}-1")
    assert row.cost == pytest.approx(PRICES["ml.g6.xlarge"] / 30, rel=1e-4)
    assert row.report == f"s3://artifacts/runs/{run}/report.html"
    report = cloud.file(run, names.REPORT_FILE).decode()
    assert report.startswith(f"<h1>{task}</h1>") and "This version may serve." in report
    assert row.metric in row.metrics and row.metric in row.baseline
    (message,) = cloud.messages()
    assert message["Subject"] == "Dropforge: flowers promoted"
    assert {name: each["Value"] for name, each in message["MessageAttributes"].items()} == {
        "status": "promoted",
        "model": "flowers",
    }
    assert f"{row.metric} on the hold-out" in message["Message"] and str(row.report) in message["Message"]


def check_version(cloud: Cloud, run: str) -> None:
    (version,) = cloud.registry.versions("flowers")
    live = cloud.registry.live("flowers")
    assert live is not None and (live.version, live.generation, live.previous) == ("1", 1, None)
    assert live.sha256 == version.sha256 == little(version.task, run).sha256
    assert cloud.file(run, names.MODEL_FILE) == little(version.task, run).body
    assert version.lineage["version"] == "v1" and version.lineage["code"] == "c0de"
    assert cloud.registry.history("flowers") == [live]


def test_wishes_and_parts_start_nothing(cloud: Cloud) -> None:
    dropped = cloud.drop("datasets/flowers/spec.yaml")
    step("claim-ignored", run=run_of(dropped), version=dropped["version"])
    for key in ("datasets/flowers/set/part-1.csv", "datasets/flowers/", "batch/flowers/set/part-1.csv"):
        assert cloud.claim(key)["outcome"] == "ignored"
    assert cloud.registry.runs(10) == []


def test_a_failed_run_says_why_and_what_to_do(cloud: Cloud) -> None:
    dropped = cloud.drop(KEY)
    run = run_of(dropped)
    step("claim", run=run, version=dropped["version"])
    step("notify-failed", run=run)
    row = cloud.registry.run(run)
    assert (row.status, row.step) == ("failed", "Train")
    assert "needs at least 2 classes in 'churned', got 1" in row.reason
    (message,) = cloud.messages()
    assert row.reason in message["Message"] and "drop the file again" in message["Message"]
