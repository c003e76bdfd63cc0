"""The catalog over proxy events; every answer is checked against the OpenAPI document as it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openapi_spec_validator import validate

from dropforge.contract.names import METRICS_FILE, VERDICT_FILE, RunFiles
from dropforge.inference.openapi.document import document
from lambdas.api.catalog.handler import handle
from tests.api.calls import get, proxy
from tests.serving.little import little, metrics, trained
from tests.steps.cloud import HANDLERS

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

BESIDE = ("direction", "intervals", "gains", "groups", "calibration", "importances", "notes")
"""Fields of `metrics.json` that a model's page shows beside its scores."""

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_models_and_what_serves(cloud: Cloud) -> None:
    assert get("/models").body == {"models": [], "next": None}
    run = cloud.serve("regression", "houses")
    cloud.serve("binary", "flowers")
    models = get("/models").body["models"]
    assert [each["model"] for each in models] == ["flowers", "houses"]
    assert (models[1]["version"], models[1]["run"], models[1]["task"]) == ("1", run, "regression")
    assert models[1]["metrics"]["rmse"] < models[1]["baseline"]["rmse"]


def test_a_model_s_page(cloud: Cloud) -> None:
    cloud.serve("multiclass", "flowers")
    run = cloud.serve("multiclass", "flowers", "datasets/flowers/b.csv", b"more")
    refused = cloud.claim("datasets/flowers/c.csv", b"still more")["run"]
    cloud.judged("multiclass", refused)
    HANDLERS["register"]({"run": refused, "model": "flowers", "outcome": "refused", "reason": "worse"}, None)
    page = get("/models/{model}", model="flowers").body
    assert (page["version"], page["live"]["run"], page["live"]["previous"]) == ("2", run, "1")
    assert [each["version"] for each in page["versions"]] == ["3", "2", "1"]
    assert [each["outcome"] for each in page["versions"]] == ["refused", "approved", "approved"]
    assert [move["version"] for move in page["history"]] == ["2", "1"]
    card = little("multiclass", run).card.to_json()
    assert {name: page["card"][name] for name in ("task", "target", "classes", "columns", "ignored")} == {
        name: card[name] for name in ("task", "target", "classes", "columns", "ignored")
    }
    assert page["lineage"]["key"] == "datasets/flowers/a.csv"


def test_a_model_s_page_tells_how_far_to_trust_it(cloud: Cloud) -> None:
    run = cloud.serve("binary", "flowers")
    page = get("/models/{model}", model="flowers").body
    told = metrics(little("binary", run)).to_json()
    stated = json.loads(cloud.file(run, VERDICT_FILE))
    expected = {**told, "intervals": stated["intervals"], "gains": stated["gains"]}
    assert {name: page[name] for name in BESIDE} == {name: expected[name] for name in BESIDE}
    for name, value in page["metrics"].items():
        assert page["intervals"][name]["low"] <= value <= page["intervals"][name]["high"]
    assert [each["column"] for each in page["importances"]] == ["x0", "colour"]
    row = get("/runs/{run}", run=run).body
    assert row["intervals"].keys() == row["metrics"].keys()
    assert row["notes"] == told["notes"]


def test_a_run_of_before_intervals_has_a_page_too(cloud: Cloud) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    files = trained(little("binary", run))
    old = {name: value for name, value in json.loads(files[METRICS_FILE]).items() if name not in {*BESIDE, "groups"}}
    made = trained(little("binary", run), **{METRICS_FILE: json.dumps({**old, "direction": "higher"}).encode()})
    answer = cloud.judged("binary", run, files=made)
    verdict = json.loads(cloud.file(run, VERDICT_FILE))
    judged_before = {name: value for name, value in verdict.items() if name not in ("intervals", "gains", "rows")}
    place = RunFiles(run).key(VERDICT_FILE)
    cloud.s3.put_object(Bucket="artifacts", Key=place, Body=json.dumps(judged_before).encode())
    HANDLERS["register"]({"run": run, "model": "flowers", **answer}, None)
    page = get("/models/{model}", model="flowers").body
    assert (page["intervals"], page["importances"], page["calibration"], page["notes"]) == ({}, [], None, [])


def test_a_model_that_never_served(cloud: Cloud) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    cloud.judged("regression", run)
    HANDLERS["register"]({"run": run, "model": "flowers", "outcome": "refused", "reason": "worse"}, None)
    page = get("/models/{model}", model="flowers").body
    assert page["version"] is None and page["live"] is None and page["history"] == []
    assert [each["outcome"] for each in page["versions"]] == ["refused"]
    assert get("/models").body == {"models": [], "next": None}


def test_runs_newest_first_by_model_and_number(cloud: Cloud) -> None:
    runs = [cloud.claim(f"datasets/{model}/{at}.csv", b"%d" % at)["run"] for at in range(3) for model in ("a", "b")]
    assert [each["run"] for each in get("/runs").body["runs"]] == runs[::-1]
    assert [each["run"] for each in get("/runs", {"model": "a"}).body["runs"]] == runs[-2::-2]
    assert [each["run"] for each in get("/runs", {"limit": "2"}).body["runs"]] == runs[:3:-1]
    assert get("/runs", {"model": "nobody"}).body == {"runs": [], "next": None}


@pytest.mark.parametrize("model", [None, "a"])
def test_runs_go_on_page_by_page(cloud: Cloud, model: str | None) -> None:
    runs = [cloud.claim(f"datasets/{name}/{at}.csv", b"%d" % at)["run"] for at in range(5) for name in ("a", "b")]
    query, found = {"limit": "2", **({"model": model} if model else {})}, []
    while True:
        page = get("/runs", query).body
        found += [each["run"] for each in page["runs"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert found == (runs[-2::-2] if model else runs[::-1])


def test_models_go_on_page_by_page(cloud: Cloud) -> None:
    names = [f"flowers-{at}" for at in range(4)]
    for name in names:
        cloud.serve("regression", name)
    pages = [get("/models", {"limit": "2"}).body, get("/models", {"limit": "2", "after": "flowers-1"}).body]
    assert [[each["model"] for each in page["models"]] for page in pages] == [names[:2], names[2:]]
    assert [page["next"] for page in pages] == ["flowers-1", "flowers-3"]
    assert get("/models", {"after": "flowers-3"}).body == {"models": [], "next": None}


@pytest.mark.parametrize("after", ["x" * 81, "é", "a b", "'; --"])
@pytest.mark.parametrize("route", ["/models", "/runs"])
def test_a_wrong_place_to_go_on_is_named(cloud: Cloud, route: str, after: str) -> None:  # noqa: ARG001
    reply = get(route, {"after": after})
    assert (reply.status, reply.code, reply.field) == (400, "wrong_query", "after")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "²", "9" * 5000])
def test_a_wrong_limit_is_named(cloud: Cloud, limit: str) -> None:  # noqa: ARG001
    reply = get("/runs", {"limit": limit})
    assert (reply.status, reply.code, reply.field) == (400, "wrong_query", "limit")


def test_one_run(cloud: Cloud) -> None:
    run = cloud.serve("regression", "houses")
    body = get("/runs/{run}", run=run).body
    assert (body["run"], body["model"], body["version"]) == (run, "houses", "1")
    assert set(body["metrics"]) == {"rmse", "mae", "r2"}


def test_a_run_that_a_later_version_stored_is_refused_with_the_reason(cloud: Cloud) -> None:
    run = cloud.serve("regression", "houses")
    cloud.registry.update_run(run, schema="dropforge.run/2")
    for reply in (get("/runs/{run}", run=run), get("/runs")):
        assert (reply.status, reply.code) == (500, "unreadable")
        assert "got 'dropforge.run/2'; a newer Dropforge stored it: update this one" in reply.body["error"]["message"]


def test_a_log_line_names_function_and_request(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    run = cloud.serve("regression", "houses")
    cloud.registry.update_run(run, schema="dropforge.run/2")
    capsys.readouterr()
    handle({**proxy("GET", "/runs/{run}", {"run": run}), "requestContext": {"requestId": "request-1"}}, None)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(line) == ["level", "event", "function", "request", "route", "reason"]
    assert list(line.values())[:-1] == ["error", "unreadable", "Catalog", "request-1", "/runs/{run}"]


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("/models/{model}", {"model": "nobody"}),
        ("/models/{model}", {"model": "Bad Name"}),
        ("/models/{model}", {"model": "m" * 5000}),
        ("/runs/{run}", {"run": "run-0000000000000000"}),
        ("/runs/{run}", {"run": "r" * 5000}),
        ("/elsewhere", {}),
    ],
)
def test_what_is_not_there(cloud: Cloud, resource: str, path: dict[str, str]) -> None:  # noqa: ARG001
    reply = get(resource, **path)
    assert (reply.status, reply.code) == (404, "not_found") and len(reply.body["error"]["message"]) < 300


def test_the_document_is_valid_served_and_committed(cloud: Cloud) -> None:  # noqa: ARG001
    validate(document())
    assert get("/openapi.json").body == document()
    committed = json.loads(COMMITTED.read_text())
    assert committed == document(), (
        "docs/openapi.json is old: python -m dropforge.inference.openapi.document > docs/openapi.json"
    )
