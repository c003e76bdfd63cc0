"""Explanations and importances off AWS: the same as there, and nobody waits for another's."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

from dropforge.contract.names import METRICS_FILE
from dropforge.serve import app as module
from dropforge.serve.app import App
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from lambdas.api.predict import handler
from tests.api.calls import proxy
from tests.serve.conftest import Server, place_run
from tests.serving.little import little, metrics

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from dropforge.inference.http import Request, Response
    from tests.steps.cloud import Cloud

PATH = "/models/flowers/predict?explain=true&class=1"


def test_the_same_explanations_as_on_aws(cloud: Cloud, server: Server) -> None:
    cloud.serve("multiclass", "flowers")
    body = json.dumps(little("multiclass").rows(5))
    asked = {"body": body, "queryStringParameters": {"explain": "true", "class": "1"}}
    on_aws = json.loads(
        handler.handle(proxy("POST", "/models/{model}/predict", {"model": "flowers"}) | asked, None)["body"]
    )
    here = server.ask("POST", PATH, body.encode(), content_type="application/json")
    assert here.status == 200
    assert here.body["explanations"] == on_aws["explanations"] and len(here.body["explanations"]) == 5


def test_a_wrong_query_is_refused(server: Server) -> None:
    reply = server.ask(
        "POST", "/models/flowers/predict?explain=maybe", json.dumps(little("multiclass").rows(1)).encode()
    )
    assert (reply.status, reply.body["error"]["field"]) == (400, "explain")


def test_explanations_leave_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, threads = Files.of(find([str(place_run(tmp_path, "multiclass"))])), []

    def replied(request: Request, files: Files) -> Response:
        threads.append((request.query, threading.current_thread().name.partition("_")[0]))
        return answered(request, files)

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(little("multiclass").rows(1)).encode()}

    answered = module.reply
    monkeypatch.setattr(module, "reply", replied)
    for query in (b"", b"explain=true"):
        scope = {"method": "POST", "path": "/models/flowers/predict", "query_string": query, "headers": []}
        assert asyncio.run(App(files).answered(scope, receive)).status == 200
    assert threads == [({}, "MainThread"), ({"explain": "true"}, "explain")]


def test_a_model_s_page_says_which_columns_matter(server: Server, tmp_path: Path) -> None:
    page = server.ask("GET", "/models/flowers").body
    assert page["importances"] == [each.to_json() for each in metrics(little("multiclass")).importances]
    own = server.ask("GET", "/openapi.json").body["components"]["schemas"]["Model"]
    assert "importances" in own["required"] and set(page) == set(own["required"])
    run = place_run(tmp_path, "multiclass")
    (run / METRICS_FILE).write_text((run / METRICS_FILE).read_text() + " ")
    assert Files.of(find([str(run)])).served["flowers"].importances == (), "not those that the manifest promises"
    (run / METRICS_FILE).unlink()
    assert Files.of(find([str(run)])).served["flowers"].importances == ()
