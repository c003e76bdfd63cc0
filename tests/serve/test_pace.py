"""Which answers may hold up the event loop."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import dropforge.serve.app as module
from dropforge.inference.http import Request
from dropforge.serve.app import App
from dropforge.serve.pace import GUESS, PATIENCE, SMALL, Pace
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serving.little import little

from .conftest import place_run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def asked(size: int, model: str = "flowers") -> Request:
    return Request("POST", "/models/{model}/predict", {"model": model}, {}, {}, b"x" * size)


def test_what_is_not_known_goes_by_its_size() -> None:
    most = round(PATIENCE / GUESS)
    assert Pace().is_quick(asked(most)) and not Pace().is_quick(asked(most + 1))
    assert Pace().is_quick(Request("GET", "/models", {}, {}, {}, None))


def test_a_quick_model_s_large_bodies_stay_and_a_slow_one_s_smaller_ones_go() -> None:
    pace = Pace()
    pace.learn(asked(100_000, "quick"), 0.0005)
    pace.learn(asked(10_000, "slow"), 0.01)
    assert pace.is_quick(asked(300_000, "quick")) and not pace.is_quick(asked(500_000, "quick"))
    assert not pace.is_quick(asked(SMALL, "slow")) and pace.is_quick(asked(SMALL, "other"))
    for _ in range(20):
        pace.learn(asked(100_000, "quick"), 0.1)
    assert not pace.is_quick(asked(20_000, "quick")), "it has become slow"


def test_small_bodies_teach_nothing() -> None:
    pace = Pace()
    pace.learn(asked(SMALL - 1), 1.0)
    assert pace.is_quick(asked(SMALL))


def test_a_slow_answer_moves_the_next_into_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, moved = App(Files.of(find([str(place_run(tmp_path, "multiclass"))]))), []
    body = json.dumps(little("multiclass").rows(100)).encode()
    assert SMALL < len(body) < PATIENCE / GUESS

    async def to_thread(act: Any, *given: Any) -> Any:
        moved.append(len(given[0].body))
        return act(*given)

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    clock = iter(range(100))
    monkeypatch.setattr(module.asyncio, "to_thread", to_thread)
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(clock))
    scope = {"method": "POST", "path": "/models/flowers/predict", "query_string": b"", "headers": []}
    assert [asyncio.run(app.answered(scope, receive)).status for _ in range(2)] == [200, 200]
    assert moved == [len(body)]
