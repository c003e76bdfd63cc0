"""`make bench-capture`: what capture adds to an answer and to a cold start, and whether what is lost is known.

- An answer of one row, in one process, by Predict's own code: without capture, with it, and with a shadow beside it.
  The kinds take turns, a few hundred requests each, so that a busy machine troubles all alike.
- A cold start, from the deployed package, that answers one request: with capture and without.
- Processes that capture on one disk and are killed at random: of every record, the names of the objects say whether it
  came or was lost. Each process notes how many records it had begun and ended before it was killed.

`RECORDS=100000` says how many records the killed processes make.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.report import Row, publish
from benchmarks.serving.cold import cloud, laid_out, start, taking_turns
from benchmarks.serving.model import rows as rows_of_data
from benchmarks.serving.model import trained
from dropforge.contract.captures import part_of
from dropforge.contract.models import Candidate, LiveRow
from dropforge.inference.capture.buffer import Buffer
from dropforge.inference.capture.writer import Writer
from dropforge.inference.http import Request
from dropforge.inference.model import ServedModel
from dropforge.inference.protocols.dispatch import respond
from lambdas.upkeep.compact.accounts import accounts

if TYPE_CHECKING:
    from dropforge.inference.after import Answered, Refused

RECORDS = int(os.environ.get("RECORDS", "100000"))
A_PROCESS = 2_000
"""Records that a process makes at most before it is killed."""

REQUESTS, ROUNDS = 400, 40
STARTS = 15
LIVE = LiveRow("cancer", "1", "run-0123456789abcdef", "model.onnx", "0" * 64, 1, "2026-11-01T12:00:00+00:00")
SHADOW = Candidate("2", LIVE.run, "model.onnx", "1" * 64, "shadow", 0.0, "salt", LIVE.moved)

ANSWERED = """
import lambdas.api.predict.handler, sys
body = open(sys.argv[3]).read()
event = {"httpMethod": "POST", "resource": "/models/{model}/predict", "pathParameters": {"model": "cancer"},
         "headers": {"content-type": "application/json"}, "body": body}
assert lambdas.api.predict.handler.handle(event, None)["statusCode"] == 200
"""


class One:
    """A store of one model, which captures or does not."""

    def __init__(self, model: ServedModel, row: LiveRow, buffer: Buffer | None) -> None:
        self.model, self.row, self.buffer = model, row, buffer

    def live(self, _model: str) -> LiveRow:
        """The one row."""
        return self.row

    def version(self, _model: str, _version: str) -> LiveRow:
        """The one row."""
        return self.row

    def load(self, _row: Any) -> ServedModel:
        """The one model."""
        return self.model

    def report(self, _model: str, fault: Exception) -> None:
        """No model is ill here."""
        raise fault

    def count_unknown(self, _row: Any, _values: int) -> None:
        """Nothing is unknown here."""

    def answered(self, answered: Answered) -> None:
        """Puts it aside, as Predict does."""
        if self.buffer is not None:
            self.buffer.answered(answered)

    def refused(self, refused: Refused) -> None:
        """Nothing is refused here."""
        raise AssertionError(refused.code)


class Known(NamedTuple):
    """What is known of the records of the killed processes."""

    records: int
    lost: int
    unexplained: int


def main() -> None:
    """Every measure, and the table."""
    with tempfile.TemporaryDirectory() as folder:
        model = trained(Path(folder))
        rows = [*answers(model, Path(folder)), *cold_starts(model, Path(folder)), *killed(model, Path(folder))]
    publish("capture", rows, ["numpy", "onnxruntime"], ["RECORDS"])


def answers(path: Path, folder: Path) -> list[Row]:
    """The times of an answer of one row, in microseconds."""
    model = opened(path)
    body = json.dumps(rows_of_data()[:1]).encode()
    request = Request("POST", "/models/{model}/predict", {"model": "cancer"}, {}, {}, body, "arn:aws:iam::1:user/ann")
    buffers = {name: Buffer(str(folder / name)) for name in ("captured", "shadowed")}
    stores = {
        "plain": One(model, LIVE, None),
        "captured": One(model, LIVE, buffers["captured"]),
        "shadowed": One(model, LIVE.__class__(**{**vars(LIVE), "candidate": SHADOW}), buffers["shadowed"]),
    }
    found: dict[str, list[float]] = {name: [] for name in stores}
    for _ in range(ROUNDS):
        for name, store in stores.items():
            for _ in range(REQUESTS):
                begun = time.perf_counter()
                respond(request, store)
                found[name].append(1e6 * (time.perf_counter() - begun))
            if store.buffer is not None:
                store.buffer.take()
    times = {name: np.array(each[REQUESTS:]) for name, each in found.items()}
    plain = {at: float(np.percentile(times["plain"], at)) for at in (50, 99)}
    rows = []
    for name, what in (("captured", "capture"), ("shadowed", "a shadow")):
        middle, slow = (float(np.percentile(times[name], at)) for at in (50, 99))
        rows += [
            Row(f"answer of 1 row, p50: what {what} adds", middle - plain[50], "µs", "lower", 20, "without", plain[50]),
            Row(f"answer of 1 row, p99: with {what} / without", slow / plain[99], "×", "lower", 1.01 if name ==
                "captured" else None, "µs without", plain[99]),
        ]  # fmt: skip
    return rows


def opened(path: Path) -> ServedModel:
    """The model of a file."""
    body = path.read_bytes()
    return ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())


def cold_starts(path: Path, folder: Path) -> list[Row]:
    """CPU of a start that answers a request, in milliseconds."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    asked = folder / "rows.json"
    asked.write_text(json.dumps(rows_of_data()[:1]))
    with cloud(path.read_bytes(), digest) as environment, tempfile.TemporaryDirectory() as laid:
        _, package = laid_out(Path(laid))
        words = [str(path.resolve()), digest, str(asked)]
        kinds = {"plain": environment, "captured": {**environment, "CAPTURES": "artifacts"}}
        found = taking_turns(
            {name: partial(start, ANSWERED, words, package, each) for name, each in kinds.items()}, STARTS
        )
    more = 1e3 * (found["captured"] - found["plain"])
    return [Row("cold start with its answer: CPU that capture adds", more, "ms", "lower", 1, "ms without",
                1e3 * found["plain"])]  # fmt: skip


def killed(path: Path, folder: Path) -> list[Row]:
    """Records of processes that were killed at random."""
    disk, bucket, notes = (folder / name for name in ("disk", "bucket", "notes"))
    for each in (bucket, notes):
        each.mkdir()
    chance, made = random.Random(20261201), 0
    while made < RECORDS:
        most = min(A_PROCESS, RECORDS - made)
        made += one_killed(path, disk, bucket, notes, chance.randint(1, most))
    one_killed(path, disk, bucket, notes, 0)  # the next process on this disk, which ends in an orderly way
    known = compared(bucket, notes)
    return [
        Row("records of processes that were killed at random", known.records, "records", "higher", RECORDS),
        Row("of them lost, and known to be", known.lost, "records", "lower"),
        Row("records that are neither there nor known to be lost", known.unexplained, "records", "lower", 0),
    ]


def one_killed(path: Path, disk: Path, bucket: Path, notes: Path, count: int) -> int:
    """Runs a process that makes `count` records and is killed then; with 0, one that makes a record and ends."""
    words = [sys.executable, "-m", "benchmarks.capture", *map(str, (path, disk, bucket, notes, count))]
    subprocess.run(words, check=count == 0)
    return count


def process(path: Path, disk: Path, bucket: Path, notes: Path, count: int) -> None:
    """The life of such a process. It writes now and then, at moments of its own."""
    chance, buffer = random.Random(), Buffer(str(disk))

    def put(key: str, body: bytes, tags: str) -> None:  # noqa: ARG001 - a directory has no tags
        target = bucket / key.replace("/", "~")
        partial_file = bucket / f".{os.getpid()}"
        partial_file.write_bytes(body)  # S3 has an object whole or not at all
        partial_file.rename(target)

    writer = Writer(buffer, put, "salt")
    store = One(opened(path), LIVE, buffer)
    body = json.dumps(rows_of_data()[:1]).encode()
    request = Request("POST", "/models/{model}/predict", {"model": "cancer"}, {}, {}, body, "arn:aws:iam::1:user/ann")
    for number in range(max(count, 1)):
        respond(request, store)
        if number == 0:
            (stream,) = buffer.streams()
            note = os.open(notes / stream.sandbox, os.O_CREAT | os.O_WRONLY)
        os.pwrite(note, (number + 1).to_bytes(8, "little"), 0)
        if chance.random() < 0.01:
            writer.write()
    if count:
        os.kill(os.getpid(), 9)
    writer.write()
    writer.end()


def compared(bucket: Path, notes: Path) -> Known:
    """What the names of the objects say, against what the processes have noted."""
    parts = [part for path in bucket.iterdir() if (part := part_of(path.name.replace("~", "/"))) is not None]
    found, _ = accounts(parts, {})
    said = {each.sandbox: (each.received, each.missing) for each in found}
    noted = {path.name: int.from_bytes(path.read_bytes(), "little") for path in notes.iterdir()}
    unexplained = sum(abs(count - sum(said.get(sandbox, (0, 0)))) for sandbox, count in noted.items())
    return Known(sum(noted.values()), sum(lost for _, lost in said.values()), unexplained)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        model, disk, bucket, notes = (Path(word) for word in sys.argv[1:5])
        process(model, disk, bucket, notes, int(sys.argv[5]))
    else:
        main()
