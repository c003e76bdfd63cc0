"""Which answers may hold up the event loop."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import dropforge.serve.app as module
from dropforge.inference.http import Request
from dropforge.serve.app import App
from dropforge.serve.pace import GUESS, PATIENCE, Pace, values_in
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serving.little import little

from .conftest import place_run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def asked(count: int, model: str = "flowers", content_type: str = "") -> Request:
    """A request of so many values."""
    body = b",".join([b"12345678"] * count)
    return Request("POST", "/models/{model}/predict", {"model": model}, {}, {"content-type": content_type}, body)


def test_values_are_counted_by_what_separates_them() -> None:
    assert values_in(b"1,1,1\n2,2,2") == 6
    assert values_in(b'[{"a": 1, "b": 2}]') == 2
    assert values_in(b"\x00" * 6_400) == 100, "what has no separators goes by its size"
    assert values_in(b"1,1\n" * 100_000) == 200_006, "a long body is counted in part"


def test_what_is_not_known_goes_by_its_size() -> None:
    most = round(PATIENCE / GUESS)
    assert Pace().is_quick(asked(most)) and not Pace().is_quick(asked(most + 1))
    assert Pace().is_quick(Request("GET", "/models", {}, {}, {}, None))


def test_small_bodies_of_a_slow_model_leave_the_loop_too() -> None:
    pace = Pace()
    pace.learn(asked(100, "slow"), 0.02)
    assert not pace.is_quick(asked(100, "slow")) and pace.is_quick(asked(100, "other"))
    assert pace.is_quick(asked(100, "slow", "text/csv")), "another way to write values is learned by itself"


def test_one_row_does_not_slow_a_thousand_down() -> None:
    pace = Pace()
    pace.learn(asked(20), 0.0001)
    pace.learn(asked(20_000), 0.0015)
    assert pace.is_quick(asked(20)) and pace.is_quick(asked(20_000)) and not pace.is_quick(asked(60_000))


def test_one_slow_request_is_soon_forgotten_and_several_are_not() -> None:
    pace = Pace()
    pace.learn(asked(100), 0.0001)
    pace.learn(asked(100), 0.02)
    assert not pace.is_quick(asked(100))
    for _ in range(3):
        pace.learn(asked(100), 0.0001)
    assert pace.is_quick(asked(100))
    for _ in range(20):
        pace.learn(asked(100), 0.02)
    assert not pace.is_quick(asked(100)), "it has become slow"


def test_a_slow_answer_moves_the_next_into_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, moved = App(Files.of(find([str(place_run(tmp_path, "multiclass"))]))), []
    body = json.dumps(little("multiclass").rows(100)).encode()

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    clock = iter(range(100))
    submit = app.threads.submit
    monkeypatch.setattr(app.threads, "submit", lambda *given: (moved.append(1), submit(*given))[1])
    monkeypatch.setattr(module.time, "thread_time", lambda: next(clock))
    scope = {"method": "POST", "path": "/models/flowers/predict", "query_string": b"", "headers": []}
    assert [asyncio.run(app.answered(scope, receive)).status for _ in range(2)] == [200, 200]
    assert moved == [1]
