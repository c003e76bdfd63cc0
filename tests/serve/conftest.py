"""Real servers: `dropforge serve` as a process, on a port that the system chose."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract.names import MANIFEST_FILE, METRICS_FILE, MODEL_FILE
from tests.serving.little import little, trained
from tests.steps.cloud import Cloud, cloud_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 60


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    port: int
    log: Path
    """What it wrote to standard output."""

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            text = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, json.loads(text) if text else None)
        finally:
            connection.close()

    def predict(self, model: str, rows: list[dict[str, Any]]) -> Reply:
        """Predictions of records."""
        return self.ask("POST", f"/models/{model}/predict", json.dumps(rows).encode(), content_type="application/json")


def place_run(folder: Path, task: str, run: str = "run-0123456789abcdef", model: str = "flowers") -> Path:
    """A run's folder as the trainer leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = trained(little(task, run, model))
    for name in (MODEL_FILE, MANIFEST_FILE, METRICS_FILE):
        (folder / name).write_bytes(files[name])
    return folder


@contextmanager
def serving(*words: str | Path) -> Iterator[Server]:
    """`dropforge serve …` until the block ends."""
    command = [sys.executable, "-m", "dropforge", "serve", *map(str, words), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=log, text=True, env=environment)
        try:
            yield Server(process, _port(process), Path(log.name))
        finally:
            process.terminate()
            process.communicate(timeout=STARTS_WITHIN)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    said = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
    assert found, said + process.communicate(timeout=STARTS_WITHIN)[1]
    return int(found[1])


def until(true: Any, seconds: float = 20) -> None:
    """Waits for `true()`; fails when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`flowers` (multiclass), and `houses` (regression) under a name of its own."""
    folder = tmp_path_factory.mktemp("serve")
    place_run(folder / "flowers", "multiclass")
    houses = place_run(folder / "regression", "regression")
    with serving(folder / "flowers", f"houses={houses / 'model.onnx'}") as running:
        yield running


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """AWS in memory, to compare with."""
    with cloud_in_memory(monkeypatch) as made:
        yield made
