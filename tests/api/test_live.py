"""A model taken back is gone within seconds and comes back as it was; a move is done once and stays in the history."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.api.live_pointer.handler import handle
from lambdas.api.predict import models
from tests.api.calls import Reply, get, post, proxy, read
from tests.serving.little import little
from tests.steps.cloud import HANDLERS

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

ROWS = little("regression").rows(1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What Predict takes for the time."""
    now = [1000.0]
    monkeypatch.setattr(models.time, "monotonic", lambda: now[0])
    return now


def remove(model: str = "flowers") -> Reply:
    return read(handle(proxy("DELETE", "/models/{model}/live", {"model": model}), None), "Live")


def serve(body: Any, model: str = "flowers") -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return read(handle(proxy("PUT", "/models/{model}/live", {"model": model}) | {"body": text}, None), "Live")


def test_a_removed_model_is_gone_and_comes_back(cloud: Cloud, clock: list[float]) -> None:
    cloud.serve("regression", "flowers")
    assert post(ROWS).status == post(ROWS, version="1").status == 200
    gone = remove()
    assert (gone.status, gone.body["withdrawn"], gone.body["version"]) == (200, True, "1")
    clock[0] += models.POINTER_SECONDS + 0.1  # far less than a minute
    assert post(ROWS).code == post(ROWS, version="1").code == "no_such_model"
    assert get("/models").body == {"models": [], "next": None}
    page = get("/models/{model}", model="flowers").body
    assert page["live"] is None and [move["withdrawn"] for move in page["history"]] == [True, False]
    back = serve({"version": page["history"][1]["version"]})
    assert (back.body["withdrawn"], back.body["generation"]) == (False, 3)
    assert post(ROWS).status == 200
    assert [each["model"] for each in get("/models").body["models"]] == ["flowers"]


def test_an_older_version_serves_again(cloud: Cloud, clock: list[float]) -> None:
    cloud.serve("regression", "flowers")
    cloud.serve("regression", "flowers", "datasets/flowers/b.csv", b"more")
    assert post(ROWS).body["version"] == "2"
    assert serve({"version": "1"}).body["previous"] == "2"
    clock[0] += models.POINTER_SECONDS + 0.1
    assert post(ROWS).body["version"] == "1"


def test_what_was_dropped_before_a_removal_does_not_bring_the_model_back(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    slow = cloud.claim("datasets/flowers/slow.csv", b"slow")["run"]
    answer = cloud.judged("regression", slow)
    version = HANDLERS["register"]({"run": slow, "model": "flowers", **answer}, None)["version"]
    remove()
    told = HANDLERS["promote"]({"run": slow, "model": "flowers", "version": version}, None)
    assert told["outcome"] == "refused" and "removed after this was dropped" in told["reason"]
    assert cloud.registry.live("flowers") is None
    cloud.serve("regression", "flowers", "datasets/flowers/new.csv", b"new")
    live = cloud.registry.live("flowers")
    assert live is not None and (live.version, live.generation) == ("3", 3)


@pytest.mark.parametrize("act", [remove, lambda: serve({"version": "1"})], ids=["remove", "serve"])
def test_done_twice_is_done_once_and_a_lost_answer_is_made_good(cloud: Cloud, act: Any) -> None:
    cloud.serve("regression", "flowers")
    cloud.serve("regression", "flowers", "datasets/flowers/b.csv", b"more")
    cloud.line.writes = 0
    lost = itertools.count(1)
    cloud.line.lose = lambda _operation, _count: next(lost) == 1
    with pytest.raises(ReadTimeoutError):
        act()
    first, again = act(), act()
    assert first.body == again.body and first.body["generation"] == 3
    assert len(cloud.registry.history("flowers")) == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": "9"}, 404, "no_such_version"),
        ({"version": "2"}, 404, "no_such_version"),
        ({"version": 1}, 400, "wrong_shape"),
        ([], 400, "wrong_shape"),
        ("", 400, "wrong_shape"),
        ("[" * 100_000, 400, "wrong_shape"),
    ],
)
def test_what_may_not_serve(cloud: Cloud, body: Any, status: int, code: str) -> None:
    cloud.serve("regression", "flowers")
    refused = cloud.claim("datasets/flowers/c.csv", b"c")["run"]
    cloud.judged("regression", refused)
    HANDLERS["register"]({"run": refused, "model": "flowers", "outcome": "refused", "reason": "worse"}, None)
    reply = serve(body)
    assert (reply.status, reply.code, reply.field) == (status, code, "version")
    if status == 404:
        assert "expected one of: 1" in reply.body["error"]["message"]


@pytest.mark.parametrize("model", ["nobody", "Bad Name", "m" * 5000])
def test_a_model_that_never_served(cloud: Cloud, model: str) -> None:  # noqa: ARG001
    assert remove(model).code == "not_found"
    assert serve({"version": "1"}, model).status == 404
