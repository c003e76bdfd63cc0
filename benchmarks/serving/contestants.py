"""Who is measured: how each is started, and the same rows as each one's natural body."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.serving.client import Client, post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[2]
MODEL = "cancer"
STARTS_WITHIN = 90.0

Record = dict[str, float]


def records(rows: Sequence[Record]) -> Any:
    """`[{…}, …]`."""
    return list(rows)


def columns(rows: Sequence[Record]) -> Any:
    """`{"columns": {name: […], …}}`."""
    return {"columns": {name: [row[name] for row in rows] for name in rows[0]}}


def table(key: str) -> Callable[[Sequence[Record]], Any]:
    """`{key: [[…], …]}`."""
    return lambda rows: {key: [list(row.values()) for row in rows]}


def tensor(rows: Sequence[Record]) -> Any:
    """One tensor of Open Inference Protocol v2."""
    flat = [value for row in rows for value in row.values()]
    return {"inputs": [{"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP32", "data": flat}]}


def second(answer: Any) -> list[float]:
    """The probability of the second class in every row, of whatever shape the answer is."""
    if "outputs" in answer:
        (shares,) = (each["data"] for each in answer["outputs"] if each["name"] == "probabilities")
        return [float(value) for value in shares[1::2]]
    if "probabilities" not in answer:
        return [float(row["score"]) for row in answer["predictions"]]
    return [float(list(row.values() if isinstance(row, dict) else row)[1]) for row in answer["probabilities"]]


@dataclass(frozen=True)
class Contestant:
    """One server and one way to ask it; `peer` names its environment, None for ours."""

    name: str
    peer: str | None
    path: str
    body: Callable[[Sequence[Record]], Any]
    like: str = ""
    """Of a peer: the form of ours that takes the same numbers in the same shape."""

    def request(self, rows: Sequence[Record]) -> bytes:
        """The whole request, made once."""
        return post(self.path, json.dumps(self.body(rows), separators=(",", ":")).encode())


OURS = "dropforge serve"
CONTESTANTS = (
    Contestant(f"{OURS}, records", None, f"/models/{MODEL}/predict", records),
    Contestant(f"{OURS}, columns", None, f"/models/{MODEL}/predict", columns),
    Contestant(f"{OURS}, v2 tensor", None, f"/v2/models/{MODEL}/infer", tensor),
    Contestant(f"{OURS}, instances", None, f"/models/{MODEL}/invocations", table("instances")),
    Contestant("FastAPI + uvicorn, records", "fastapi", "/predict", records, "records"),
    Contestant("MLServer, v2 tensor", "mlserver", f"/v2/models/{MODEL}/infer", tensor, "v2 tensor"),
    Contestant("KServe, v1 instances", "kserve", f"/v1/models/{MODEL}:predict", table("instances"), "instances"),
    Contestant("LitServe, rows", "litserve", "/predict", table("rows"), "instances"),
    Contestant("BentoML, array", "bentoml", "/predict", table("rows"), "instances"),
)


def python_of(peers: Path, peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return peers / peer / "bin" / "python"


@contextmanager
def running(peer: str | None, peers: Path, model: Path, log: Path) -> Iterator[Client]:
    """A server with one worker, until the block ends; ours when `peer` is None.

    Raises:
        RuntimeError: it does not listen in time.
    """
    port = free()
    if peer is None:
        words = [sys.executable, "-m", "dropforge", "serve", f"{MODEL}={model}", "--port", str(port)]
    else:
        here = Path(__file__).parent / "peers" / f"{peer}_app.py"
        words = [str(python_of(peers, peer)), str(here), str(model), str(port)]
    with started(words, port, log, "" if peer else str(ROOT)) as client:
        yield client


@contextmanager
def started(words: list[str], port: int, log: Path, python_path: str) -> Iterator[Client]:
    """A process that listens at `port`, until the block ends.

    Raises:
        RuntimeError: it does not listen in time.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": python_path}
    with log.open("w") as said:
        process = subprocess.Popen(words, cwd=log.parent, env=environment, stdout=said, stderr=said,
                                   start_new_session=True)  # fmt: skip
        try:
            _wait(process, port, log)
            yield Client(port)
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its own group: some leave workers behind
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{log.stem}: does not listen at port {port}: {log.read_text()[-2000:]}")


def free() -> int:
    """A free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
