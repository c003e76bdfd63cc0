"""Explanations take turns, leave threads to predictions, and stop when nobody waits for them."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.inference.explain import ASKING
from dropforge.inference.http import answer
from dropforge.serve.app import App
from dropforge.serve.explaining import FIRST_PIECE, Asker, Explaining, Gone, Turns
from dropforge.serve.settings import Settings
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serve.conftest import place_run, until
from tests.serve.running import ask, connected, running
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.inference.http import Response


def asked(rows: int) -> dict[str, np.ndarray]:
    return {"x": np.arange(rows, dtype=np.float32).reshape(-1, 1)}


def test_pieces_give_the_answers_of_the_whole() -> None:
    turns, sizes = Turns(), []

    def model(feed: Any) -> np.ndarray:
        sizes.append(len(feed["x"]))
        return feed["x"] * 2

    asker = Asker(turns)
    assert asker.work(lambda: (asker(model, asked(5_000)), answer(200, {}))[1]).status == 200
    assert sum(sizes) == 5_000 and sizes[0] == FIRST_PIECE and len(sizes) > 1
    turns.begin(asker)
    assert (asker(model, asked(5_000)) == asked(5_000)["x"] * 2).all()


def test_every_request_has_a_piece_in_turn() -> None:
    """Three requests of ten pieces: none has two before all others that are not done have had one."""
    turns, pieces, all_wait = Turns(), [], threading.Barrier(3)

    def worked(name: str) -> None:
        asker = Asker(turns)

        def reply() -> Response:
            for _ in range(10):
                asker(lambda feed: (pieces.append(name), feed["x"])[1], asked(1))
            return answer(200, {})

        all_wait.wait()
        asker.work(reply)

    turns.begin(turns)  # so that all of them are there before the first begins
    threads = [threading.Thread(target=worked, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    until(lambda: len(turns._waiting) == 4)
    turns.end()
    for thread in threads:
        thread.join()
    rounds = [pieces[at : at + 3] for at in range(0, 30, 3)]
    assert len(pieces) == 30 and all(set(each) == set("abc") for each in rounds[1:-1])


def test_an_abandoned_request_stops_at_its_next_piece() -> None:
    async def tried() -> int:
        explaining, calls, begun = Explaining(2), [], threading.Event()

        def reply() -> Response:
            asking = ASKING.get()
            while True:
                asking(lambda feed: (calls.append(1), begun.set(), feed["x"])[2], asked(1))

        async def gone() -> None:
            await asyncio.to_thread(begun.wait)

        with pytest.raises(Gone):
            await explaining.answer(reply, "/models/a/predict", gone())
        for _ in range(1_000):
            if not explaining.busy:
                return len(calls)
            await asyncio.sleep(0.01)
        raise AssertionError("it goes on")

    assert asyncio.run(tried()) >= 1


def test_too_many_at_a_time_are_told_to_come_again() -> None:
    async def tried() -> Response:
        explaining, done = Explaining(1), threading.Event()
        never = asyncio.get_running_loop().create_future()
        first = asyncio.create_task(explaining.answer(lambda: (done.wait(), answer(200, {}))[1], "/", never))
        await asyncio.sleep(0)
        refused = await explaining.answer(lambda: answer(200, {}), "/", asyncio.Event().wait())
        done.set()
        assert (await first).status == 200
        return refused

    refused = asyncio.run(tried())
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")


def test_predictions_and_health_are_answered_while_explanations_wait(tmp_path: Path) -> None:
    app = App(Files.of(find([str(place_run(tmp_path, "multiclass"))])), Settings(most_explained=2))
    rows = json.dumps(little("multiclass").rows(100) * 4).encode()
    one = json.dumps(little("multiclass").rows(1)).encode()
    path = "/models/flowers/predict?explain=true"
    with running(app) as port:
        assert ask(port, "POST", path, one).body["explanations"]
        app.explaining._turns.begin("held")
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(one)}\r\n\r\n".encode()
        waiting = [connected(port, head + one) for _ in range(2)]
        until(lambda: app.explaining.busy == 2)
        assert ask(port, "POST", path, one).status == 503
        assert ask(port, "POST", "/models/flowers/predict", rows).status == 200
        assert ask(port, "GET", "/ping").status == 200
        for each in waiting:
            each.close()  # their clients leave
        app.explaining._turns.end()
        until(lambda: app.explaining.busy == 0)
        assert ask(port, "POST", path, one).status == 200
