"""`dropforge serve` at the limit of its machine, beside explanations, reloads, and clients that send nothing.

    DURATION=300 make bench-load

The model is a bag of boosters for the prices of houses. Eight clients ask without a pause: one row, 300 rows, CSV,
tensors and SageMaker's lists. A probe asks for health every ten milliseconds throughout.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report import Row, publish
from benchmarks.serving.client import Client
from benchmarks.serving.contestants import ROOT, free, started
from benchmarks.serving.explain import held_out, trained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SECONDS = float(os.environ.get("DURATION", "300"))
CLIENTS = 8
EXPLAINERS = 8
PROBE = 0.01
"""Seconds between two probes of health."""

SILENT = 1_100
"""Connections that send nothing."""

FILES = 1_024
"""Files that the server may open while they are there: what many systems allow."""


@dataclass
class Told:
    """What one kind of client has seen."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def ask(self, client: Client, request: bytes) -> None:
        """One request, timed."""
        begun = time.perf_counter()
        try:
            status, _ = client.ask(request)
        except (OSError, ValueError):
            status = 0
            client.close()
        self.seconds.append(time.perf_counter() - begun)
        self.errors += status != 200

    def share(self, part: float) -> float:
        """Milliseconds within which this part of all answers came."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def post(path: str, body: bytes, content_type: str) -> bytes:
    """A request in bytes."""
    length = str(len(body))
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {content_type}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def requests_of(records: Sequence[dict[str, Any]]) -> list[bytes]:
    """One request of each kind."""
    names, some = list(records[0]), list(records[:300])
    lists = [list(record.values()) for record in some[:50]]
    lines = "\n".join([",".join(names), *(",".join(map(str, row)) for row in lists)])
    tensors = [
        {"name": name, "shape": [50], "datatype": "FP64", "data": [record[name] for record in some[:50]]}
        for name in names
    ]
    predict = "/models/houses/predict"
    return [
        post(predict, json.dumps(some[:1]).encode(), "application/json"),
        post(predict, json.dumps(some).encode(), "application/json"),
        post(predict, lines.encode(), "text/csv"),
        post("/v2/models/houses/infer", json.dumps({"inputs": tensors}).encode(), "application/json"),
        post("/models/houses/invocations", json.dumps({"instances": lists}).encode(), "application/json"),
    ]


def together(port: int, seconds: float, asks: Sequence[tuple[Sequence[bytes], float]]) -> list[Told]:
    """Clients that ask at the same time, each with its requests in turn and its pause between two."""
    end, told = time.monotonic() + seconds, [Told() for _ in asks]

    def client(at: int) -> None:
        connection, (requests, pause), turn = Client(port), asks[at], 0
        while time.monotonic() < end:
            told[at].ask(connection, requests[turn % len(requests)])
            turn += 1
            time.sleep(pause)
        connection.close()

    threads = [threading.Thread(target=client, args=(at,)) for at in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


HEALTH = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def probed(port: int, seconds: float) -> Iterator[Told]:
    """What a probe of health sees, which is a process of its own: clients in threads would hold it up themselves."""
    words = [sys.executable, "-m", "benchmarks.load", str(port), str(seconds)]
    probe, told = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True), Told()
    yield told
    said = json.loads(probe.communicate(timeout=seconds + 60)[0])
    told.seconds, told.errors = said["seconds"], said["errors"]


def probe(port: int, seconds: float) -> int:
    """Asks for health, and prints what it saw."""
    (told,) = together(port, seconds, [([HEALTH], PROBE)])
    print(json.dumps({"seconds": told.seconds, "errors": told.errors}))
    return 0


def resident(process: int) -> float:
    """MiB of memory that a process holds."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def at_the_limit(port: int, process: int, kinds: list[bytes]) -> list[Row]:
    """All clients for all of the time; memory after a fifth of it and at the end."""
    asks = [([*kinds[at % 5 :], *kinds[: at % 5]], 0.0) for at in range(CLIENTS)]
    memory: list[float] = []
    timer = threading.Timer(SECONDS / 5, lambda: memory.append(resident(process)))
    timer.start()
    with probed(port, SECONDS) as health:
        told = together(port, SECONDS, asks)
    timer.join()
    memory.append(resident(process))
    whole = Told([each for one in told for each in one.seconds], sum(one.errors for one in told))
    where = f"{CLIENTS} clients without a pause, {SECONDS:.0f} s"
    return [
        Row(f"{where}: answers a second", len(whole.seconds) / SECONDS, "1/s", "higher"),
        Row(f"{where}: errors", whole.errors + health.errors, "", "lower", 0),
        Row(f"{where}: p50", whole.share(0.5), "ms", "lower"),
        Row(f"{where}: p99", whole.share(0.99), "ms", "lower"),
        Row(f"{where}: p99 of health", health.share(0.99), "ms", "lower", 10),
        Row(f"{where}: memory at the end against a fifth of the time", memory[-1] / memory[0], "×", "lower", 1.1),
    ]


def beside_explanations(port: int, kinds: list[bytes]) -> list[Row]:
    """300 rows alone, and while eight clients ask for explanations."""
    seconds = SECONDS / 5
    (alone,) = together(port, seconds / 2, [(kinds[1:2], 0.05)])
    rows = kinds[1].partition(b"\r\n\r\n")[2]
    body = json.dumps(json.loads(rows)[:20]).encode()
    explain = post("/models/houses/predict?explain=true", body, "application/json")
    asks = [([explain], 0.0)] * (EXPLAINERS - 1)
    with probed(port, seconds) as health:
        predictions, *explained = together(port, seconds, [(kinds[1:2], 0.05), *asks])
    where = f"beside {EXPLAINERS - 1} clients that ask for explanations of 20 rows"
    return [
        Row(f"{where}: p99 of 300 rows against alone", predictions.share(0.99) / alone.share(0.99), "×", "lower", 3),
        Row(f"{where}: p99 of health", health.share(0.99), "ms", "lower", 10),
        Row(
            f"{where}: errors",
            predictions.errors + health.errors + sum(one.errors for one in explained),
            "",
            "lower",
            0,
        ),
    ]


def beside(port: int, kinds: list[bytes], words: str, act: Callable[[], None]) -> list[Row]:
    """Health and single rows while something else is done once a second."""
    seconds, done = SECONDS / 10, threading.Event()

    def acting() -> None:
        while not done.wait(1.0):
            act()

    thread = threading.Thread(target=acting)
    thread.start()
    with probed(port, seconds) as health:
        (single,) = together(port, seconds, [(kinds[:1], 0.01)])
    done.set()
    thread.join()
    return [
        Row(f"{words}: p99 of one row", single.share(0.99), "ms", "lower"),
        Row(f"{words}: p99 of health", health.share(0.99), "ms", "lower", 10),
        Row(f"{words}: errors", single.errors + health.errors, "", "lower", 0),
    ]


def replaced(model: Path) -> Callable[[], None]:
    """Writes the model's file anew: the same content, which the server opens again."""
    body = model.read_bytes()

    def act() -> None:
        fresh = model.with_suffix(".new")
        fresh.write_bytes(body)
        fresh.replace(model)

    return act


def silent(model: Path, kinds: list[bytes], log: Path) -> list[Row]:
    """Health while more connections are open than the server may have files, and what it logs of them."""
    port = free()
    words = [sys.executable, "-m", "dropforge.serve", str(model), "--port", str(port), "--name", "houses"]
    limited = ["bash", "-c", f'ulimit -n {FILES}; exec "$@"', "bash", *words]
    with started(limited, port, log, str(ROOT)):
        before = log.stat().st_size
        held = []
        for _ in range(SILENT):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=30))
        found = beside(port, kinds, f"beside {SILENT} silent connections with {FILES} files", lambda: None)
        for each in held:
            each.close()
        return [*found, Row("log that they cause", (log.stat().st_size - before) / 1024, "KiB", "lower", 64)]


def main() -> int:
    """Measures, prints and writes `benchmarks/results/load.json`."""
    with tempfile.TemporaryDirectory(prefix="dropforge-load-") as name:
        folder = Path(name)
        model = trained(folder / "houses")
        some, pool = held_out(model)
        kinds, port = requests_of([*some, *pool]), free()
        alone = folder / "houses.onnx"
        alone.write_bytes(model.read_bytes())
        words = [sys.executable, "-m", "dropforge.serve", f"houses={alone}", "--port", str(port)]
        with started(words, port, folder / "log", str(ROOT)):
            process = listening(port)
            rows = at_the_limit(port, process, kinds)
            rows += beside_explanations(port, kinds)
            megabytes = alone.stat().st_size / 1e6
            rows += beside(
                port, kinds, f"while the model of {megabytes:.1f} MB is replaced every second", replaced(alone)
            )
        rows += silent(alone, kinds, folder / "silent.log")
    publish("load", rows, ["onnxruntime", "uvicorn", "httptools"], dials=["DURATION"])
    return 0


def listening(port: int) -> int:
    """The process that listens at a port, by its command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"dropforge.serve" in words and str(port).encode() in words:
            return int(folder.name)
    raise RuntimeError(f"expected a server at port {port}, found none")


if __name__ == "__main__":
    sys.exit(probe(int(sys.argv[1]), float(sys.argv[2])) if sys.argv[1:] else main())
