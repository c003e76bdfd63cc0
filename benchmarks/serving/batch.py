"""Batch: a CSV of a million rows to predictions, against reading the same file and calling `session.run` in chunks.

Both read with the csv module and `float`, in one process; ours also checks, keeps the lines and writes the predictions
to a file, the baseline writes nothing. Memory is the peak of a process of its own for each number of rows.

    python -m benchmarks.serving.batch MODEL.onnx        # prints the rows; DROPFORGE_ROWS=10000000 for the longest
"""

from __future__ import annotations

import csv
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.report import Row
from benchmarks.serving.model import rows as rows_of_data
from dropforge.contract.batch import BatchFile
from dropforge.inference.model import ServedModel
from lambdas.batch.common.answering import Work, answer_piece
from lambdas.batch.common.rows import BLOCK_BYTES, CHUNK_ROWS

MILLION = 1_000_000
MOST = int(os.environ.get("DROPFORGE_ROWS", str(MILLION)))
"""Rows of the longest file that memory is taken of; the shortest has a tenth of them."""

TIMES = 3
"""Each is timed so often, in turn; medians are compared."""


def written(folder: Path, count: int) -> Path:
    """A file of `count` rows of twenty numbers."""
    path, table = folder / f"{count}.csv", rows_of_data()
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        lines = [",".join(map(repr, row.values())) + "\r\n" for row in table]
        block = "".join(lines)
        for _ in range(count // len(table)):
            file.write(block)
        file.writelines(lines[: count % len(table)])
    return path


def loaded(path: Path) -> ServedModel:
    """The model."""
    body = path.read_bytes()
    return ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())


def bare(model: ServedModel, path: Path) -> int:
    """Reads the file and calls `session.run`: what anybody would write; the rows that it did."""
    count, outputs = 0, [each.name for each in model.session.get_outputs()]
    with path.open(newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        while some := list(islice(reader, CHUNK_ROWS)):
            columns = zip(names, zip(*some, strict=True), strict=True)
            arrays = {
                name: np.fromiter(map(float, values), np.float32, len(values)).reshape(-1, 1)
                for name, values in columns
            }
            model.session.run(outputs, arrays)
            count += len(some)
    return count


def ours(model: ServedModel, path: Path) -> int:
    """The piece that Answer would do, to a file beside; the rows that it did."""
    with path.open("rb") as file, path.with_suffix(".out").open("wb") as out:

        def write(data: bytes) -> None:
            out.write(data)

        names = tuple(next(csv.reader([file.readline().decode()])))
        work = Work(model, BatchFile(path.name, "csv", names), "run-0123456789abcdef", {})
        write(work.writer().header().encode())
        blocks = iter(lambda: file.read(BLOCK_BYTES), b"")
        (totals,) = deque(answer_piece(work, blocks, 2, write, write), maxlen=1)
    return totals.predicted


def seconds(model: ServedModel, path: Path) -> tuple[float, float]:
    """Medians of CPU seconds: ours, and the baseline's, taken in turn."""
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(TIMES):
        for name, work in (("bare", bare), ("ours", ours)):
            start = time.process_time()
            work(model, path)
            taken[name].append(time.process_time() - start)
    return statistics.median(taken["ours"]), statistics.median(taken["bare"])


def peak(model: Path, path: Path) -> float:
    """MiB of a process that answers the file and does nothing else."""
    command = [sys.executable, "-m", "benchmarks.serving.batch", str(model), str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def high_water() -> float:
    """MiB that this process had at most; getrusage would count those of the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def rows(model: Path) -> list[Row]:
    """Time for a million rows, and peak memory as rows grow ten times."""
    with tempfile.TemporaryDirectory(prefix="dropforge-batch-") as folder:
        million = written(Path(folder), MILLION)
        taken, baseline = seconds(loaded(model), million)
        few, many = written(Path(folder), MOST // 10), written(Path(folder), MOST)
        small, large = peak(model, few), peak(model, many)
    return [
        Row("batch: 1 M rows, CPU", taken, "s", "lower", peer="csv + session.run", peer_value=baseline),
        Row("batch: 1 M rows / csv + session.run", taken / baseline, "×", "lower", 1.3),
        Row(f"batch: peak memory, {MOST // 10:,} rows", small, "MiB", "lower"),
        Row(f"batch: peak memory, {MOST:,} rows", large, "MiB", "lower"),
        Row("batch: peak memory as rows grow 10×", large / small, "×", "lower", 1.1),
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        ours(loaded(Path(sys.argv[1])), Path(sys.argv[2]))
        print(high_water())
    else:
        for row in rows(Path(sys.argv[1])):
            print(row)
