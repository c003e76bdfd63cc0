"""Ours against other servers over loopback, in one run: one connection, one worker, one thread inside the runtime.

The contestants take turns in every round, so that the machine's moods hit all; each must first give the answers of the
bare runtime. `DROPFORGE_PEERS` names the folder that `install_peers.sh` filled; a peer that is missing is said so.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report import Row
from benchmarks.serving.client import Client, seconds
from benchmarks.serving.contestants import (
    CONTESTANTS,
    MODEL,
    OURS,
    Contestant,
    columns,
    python_of,
    records,
    running,
    second,
)
from benchmarks.serving.model import rows as data
from dropforge.inference.http import Request
from dropforge.inference.model import ServedModel
from dropforge.inference.protocols.dispatch import respond

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dropforge.serve.store import Files

COUNTS = {1: 150, 1000: 8}
"""Rows of a request, and requests of a turn."""
ROUNDS = int(os.environ.get("ROUNDS", "15"))
NEAR = 1e-5
FORMS = {"records": records, "columns": columns}
"""Bodies of ours that the handler is asked by, without a network."""

Times = dict[tuple[str, int], list[float]]


def rows(model: Path) -> list[Row]:
    """The measures, peers' values beside ours."""
    peers = Path(os.environ.get("DROPFORGE_PEERS", ""))
    known = {each.peer for each in CONTESTANTS if each.peer}
    there = {each for each in known if "DROPFORGE_PEERS" in os.environ and python_of(peers, each).exists()}
    for name in sorted(known - there):
        print(
            f"{name}: not measured: DROPFORGE_PEERS has no environment of it; see benchmarks/serving/install_peers.sh"
        )
    chosen = [each for each in CONTESTANTS if each.peer is None or each.peer in there]
    asked = {count: (data() * 2)[:count] for count in COUNTS}
    times = raced(chosen, peers, model, asked)
    times |= in_process(model, asked, peers if "fastapi" in there else None)
    return measures(chosen, {key: statistics.median(each) * 1000 for key, each in times.items()})


def raced(chosen: list[Contestant], peers: Path, model: Path, asked: dict[int, list[dict[str, float]]]) -> Times:
    """Seconds of every answer of every contestant.

    Raises:
        RuntimeError: a server does not start, or gives other answers.
    """
    times: Times = defaultdict(list)
    with ExitStack() as stack:
        clients: dict[str | None, Client] = {}
        for each in chosen:
            if each.peer not in clients:
                log = model.parent / f"{each.peer or 'ours'}.log"
                clients[each.peer] = stack.enter_context(running(each.peer, peers, model, log))
        requests = {(each.name, count): each.request(some) for each in chosen for count, some in asked.items()}
        for each in chosen:
            check(each, clients[each.peer], requests[each.name, max(asked)], expected(model, asked[max(asked)]))
        for at in range(ROUNDS):
            turn = chosen[at % len(chosen) :] + chosen[: at % len(chosen)]  # nobody always follows the same one
            for each in turn:
                for count, repeats in COUNTS.items():
                    times[each.name, count] += seconds(clients[each.peer], requests[each.name, count], repeats)
    return times


def expected(model: Path, some: list[dict[str, float]]) -> np.ndarray:
    """The probability of the second class by the bare runtime, [N]."""
    session, feed = bare(model, some)
    shares: np.ndarray = session.session.run(["probabilities"], feed)[0]
    return shares[:, 1]


def check(each: Contestant, client: Client, request: bytes, right: np.ndarray) -> None:
    """Asks once, until the server is up behind its port.

    Raises:
        RuntimeError: another answer than the bare runtime's.
    """
    body = first(client, request, each.name)
    found = np.array(second(json.loads(body)))
    if found.shape != right.shape or np.abs(found - right).max() > NEAR:
        raise RuntimeError(f"{each.name}: expected the answers of the bare runtime, got {found[:3]} for {right[:3]}")


def first(client: Client, request: bytes, name: str) -> bytes:
    """The body of the first answer; some listen before they can answer.

    Raises:
        RuntimeError: no answer, or another status than 200.
    """
    for _ in range(100):
        try:
            status, body = client.ask(request)
        except OSError:
            client.close()
            time.sleep(0.2)
            continue
        if status == 200:
            return body
        raise RuntimeError(f"{name}: expected 200, got {status}: {body[:300]!r}")
    raise RuntimeError(f"{name}: no answer")


def bare(model: Path, some: list[dict[str, float]]) -> tuple[ServedModel, dict[str, np.ndarray]]:
    """The loaded model, with onnxruntime's own check of the inputs' names, and its inputs, prepared."""
    from hashlib import sha256

    body = model.read_bytes()
    loaded = ServedModel.from_bytes(body, sha256(body).hexdigest())
    del loaded.session._validate_input  # ours is quicker, and would make the bare limit so
    return loaded, {name: np.array([[row[name]] for row in some], np.float32) for name in some[0]}


def in_process(model: Path, asked: dict[int, list[dict[str, float]]], peers: Path | None) -> Times:
    """The bare runtime, our handler by proxy events, and FastAPI behind Mangum by the same: no network."""
    from dropforge.serve.sources import find
    from dropforge.serve.store import Files

    files = Files.of(find([f"{MODEL}={model}"]))
    times: Times = defaultdict(list)
    for count, repeats in COUNTS.items():
        loaded, feed = bare(model, asked[count])
        events = {
            form: proxy(f"/models/{MODEL}/predict", json.dumps(body(asked[count]))) for form, body in FORMS.items()
        }
        run = partial(loaded.session.run, ["prediction", "probabilities"], feed)
        for _ in range(ROUNDS):
            times["bare", count] += timed(run, repeats)
            for form, event in events.items():
                times[form, count] += timed(partial(handled, event, files), repeats)
            if peers is not None:
                times["Mangum", count].append(mangum(peers, model, json.dumps(asked[count]), repeats))
    return times


def handled(event: dict[str, object], files: Files) -> None:
    """As `lambdas.api.predict.handler.handle`, over a file instead of the registry."""
    assert respond(Request.from_event(event), files).to_proxy()["statusCode"] == 200


def timed(act: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each call."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        act()
        found.append(time.perf_counter() - start)
    return found


def mangum(peers: Path, model: Path, body: str, repeats: int) -> float:
    """Median seconds of a proxy event through FastAPI and Mangum in its own environment."""
    events = model.parent / "events.json"
    events.write_text(json.dumps([[proxy("/predict", body), repeats]]))
    program = Path(__file__).parent / "peers" / "mangum_app.py"
    words = [str(python_of(peers, "fastapi")), str(program), str(model), str(events)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""})
    if done.returncode:
        sys.exit(f"Mangum: {done.stderr[-2000:]}")
    (found,) = json.loads(done.stdout)
    return float(found)


def proxy(path: str, body: str) -> dict[str, object]:
    """A proxy event of API Gateway's REST API."""
    empty = dict.fromkeys(("queryStringParameters", "multiValueQueryStringParameters", "multiValueHeaders"))
    return {"httpMethod": "POST", "resource": "/models/{model}/predict", "path": path, "body": body,
            "pathParameters": {"model": MODEL}, "headers": {"Content-Type": "application/json"},
            "requestContext": {"stage": "live", "identity": {}}, "isBase64Encoded": False, **empty}  # fmt: skip


def measures(chosen: Sequence[Contestant], median: dict[tuple[str, int], float]) -> list[Row]:
    """Ours beside each peer (`peer_value`), each by ours in its own form, and the handler against its bare limit."""
    found: list[Row] = []
    peers = [each for each in chosen if each.peer]
    for count in COUNTS:
        words = f"{count} row{'s' if count > 1 else ''}"
        for ours in (each.name for each in chosen if each.name.startswith(OURS)):
            measure = Row(f"{words}: {ours}, p50 over loopback", median[ours, count], "ms", "lower")
            found += [replace(measure, peer=each.name, peer_value=median[each.name, count]) for each in peers] or [
                measure
            ]
        for each in peers:
            alike = f"{OURS}, {each.like}"
            ratio = median[each.name, count] / median[alike, count]
            found.append(Row(f"{words}: {each.name} / {alike}", ratio, "times", "higher", 1.0))
        for form in FORMS:
            ratio = median[form, count] / median["bare", count]
            found.append(Row(f"{words}: handler, {form} in JSON / session.run", ratio, "times", "lower",
                             {1: 1.6, 1000: 9.0}[count]))  # fmt: skip
        found.append(Row(f"{words}: handler, records, in process", median["records", count], "ms", "lower",
                         peer="FastAPI + Mangum" if ("Mangum", count) in median else None,
                         peer_value=median.get(("Mangum", count))))  # fmt: skip
    return found
