"""Log lines of `dropforge serve`, which answers many requests at a time."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any

import dropforge.serve.app as module
from dropforge.contract.log import log
from dropforge.inference.http import answer
from dropforge.serve.app import App
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serving.little import little

from .conftest import place_run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from dropforge.inference.http import Request, Response

SCOPE = {"method": "POST", "path": "/models/flowers/predict", "query_string": b"explain=true", "headers": []}
"""Explanations are made in a thread."""


def application(folder: Path) -> App:
    return App(Files.of(find([str(place_run(folder, "multiclass"))])))


def receiver() -> Any:
    """A client that sends its body and then waits."""
    messages = [{"type": "http.request", "body": json.dumps(little("multiclass").rows(1)).encode()}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    return receive


def test_a_fault_names_function_and_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_request: Request, _files: Files) -> Response:
        raise RuntimeError("secret-value")

    monkeypatch.setattr(module, "reply", broken)
    assert asyncio.run(application(tmp_path).answered(dict(SCOPE), receiver())).status == 500
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(line) == ["level", "event", "function", "request", "type"]
    assert (line["level"], line["event"], line["function"], line["type"]) == ("error", "fault", "Serve", "RuntimeError")
    assert line["request"].startswith(f"{module.PROCESS}-")


def test_requests_that_are_answered_together_keep_their_own_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def logged(_request: Request, _files: Files) -> Response:
        log("first")
        log("second")
        return answer(200, {})

    async def together() -> None:
        await asyncio.gather(*(asyncio.create_task(app.answered(dict(SCOPE), receiver())) for _ in range(8)))

    monkeypatch.setattr(module, "reply", logged)
    app = application(tmp_path)
    asyncio.run(together())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = {
        event: sorted(line["request"] for line in lines if line["event"] == event) for event in ("first", "second")
    }
    assert len(set(events["first"])) == 8 and events["first"] == events["second"]


def test_a_rejected_file_is_a_warning_with_its_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = application(tmp_path)
    one = app.files.served["flowers"]
    one.path.write_bytes(b"no model")
    one.looked = -math.inf
    assert app.files.live("flowers") == one.row
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["level"], line["model"]) == ("warning", "flowers")
    assert line["event"] == "rejected new file; keeping the previous model"
