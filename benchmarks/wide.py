"""What columns cost beside the budget: tables of 200 rows and 250 to 1,999 columns, trained, judged and asked.

Run it by `make bench-wide`; `COLUMNS=250,1999` says how many columns, the fewest first. Three columns in four are
numbers, one is a category, and some of both have gaps. A process of its own trains each table, so that its memory is
its own. What each step takes is processor time, which a busy machine changes little, between the lines that the trainer
writes when it begins a step and when it ends one.

What grows with the square of the columns would cost eight times as much a column at 1,999 as at 250.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.report import Row, publish
from dropforge.contract import names
from dropforge.contract.results import Manifest, Metrics
from dropforge.contract.spec import Spec
from dropforge.inference.model import ServedModel
from dropforge.inference.protocols.simple import many_records
from dropforge.inference.rows import from_json, to_arrays
from lambdas.common.artifacts import Artifacts
from lambdas.pipeline.judge.handler import examine

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = tuple(int(size) for size in os.environ.get("COLUMNS", "250,500,1000,1999").split(","))
ROWS = 200
BUDGET = 0.2
"""Minutes of fitting: enough for a first model of every family."""

MOST_SECONDS, MOST_MEMORY = 30.0, 1.5
"""For the proof of the model file at 1,999 columns, and GiB that it may take beside fitting."""


def main() -> None:
    """All sizes, then the cost of a column at the last one against the first."""
    found = {size: measured(size) for size in SIZES}
    few, many = SIZES[0], SIZES[-1]
    rows = []
    for size, measures in found.items():
        for what, (value, unit) in measures.items():
            target = MOST_SECONDS if what == "proof" and size == many else None
            rows.append(Row(f"{size:,} columns: {what}", value, unit, "lower", target))
    for what, (value, unit) in found[many].items():
        first = found[few][what][0]
        if unit != "GiB":
            rows.append(Row(f"{what}, {unit} a column: {many:,} columns against {few:,}",
                            value / many / (first / few), "times", "lower"))  # fmt: skip
    more = found[many]["peak memory"][0] - found[few]["peak memory"][0]
    rows.append(Row(f"peak memory beyond that of {few:,} columns", more, "GiB", "lower", MOST_MEMORY))
    publish("wide", rows, ["onnx", "onnxruntime", "torch", "numpy"], ["COLUMNS"])


def measured(size: int) -> dict[str, tuple[float, str]]:
    """Every measure of a table with so many columns, with its unit."""
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "wide.csv", Path(folder) / "out"
        made(size).write_csv(data)
        steps, memory = trained(data, out)
        print(f"{size} columns: {steps}", flush=True)
        files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return {
        **{what: (seconds, "CPU s") for what, seconds in steps.items()},
        "peak memory": (memory, "GiB"),
        **judged_and_asked(files),
    }


def made(size: int) -> pl.DataFrame:
    """A table whose label depends on its first three columns."""
    draw = np.random.default_rng(size)
    columns: dict[str, list[object]] = {}
    for at in range(size):
        if at % 4 == 3:
            values: list[object] = draw.choice(["red", "green", "blue"], ROWS).tolist()
        else:
            values = draw.normal(size=ROWS).round(3).tolist()
        gaps = draw.random(ROWS) < (0.1 if at % 5 == 4 else 0)
        columns[f"g{at}"] = [None if gap else value for value, gap in zip(values, gaps, strict=True)]
    total = sum(np.array(columns[f"g{at}"], float) for at in range(3)) + draw.normal(0, 0.5, ROWS)
    return pl.DataFrame(columns).with_columns(pl.Series("label", np.where(total > 0, "yes", "no")))


def trained(data: Path, out: Path) -> tuple[dict[str, float], float]:
    """Processor seconds of each step of the trainer, and its peak memory in GiB."""
    command = [sys.executable, "-m", "training_container.trainer", "--data", str(data), "--target", "label", "--out",
               str(out), "--budget", str(BUDGET), "--search", "none"]  # fmt: skip
    begun: dict[str, float] = {}
    ended: dict[str, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        for line in trainer.stdout:
            step = next((word.partition("=")[2] for word in line.split() if word.startswith("step=")), "")
            ended[step] = used(trainer.pid)
            begun.setdefault(step, ended[step])
        _, status, usage = os.wait4(trainer.pid, 0)
        trainer.returncode = os.waitstatus_to_exitcode(status)
    if trainer.returncode != 0:
        raise RuntimeError(f"trainer: expected exit code 0, got {trainer.returncode}: see its error above")
    steps = {
        "reading": ended["read"] - begun["read"],
        "export": begun["prove"] - begun["export"],
        "proof": ended["prove"] - begun["prove"],
        "scores and report": ended["write"] - ended["prove"],
    }
    return steps, usage.ru_maxrss / 2**20


def used(process: int) -> float:
    """Seconds of processor time that a running process has taken, in all of its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def judged_and_asked(files: dict[str, bytes]) -> dict[str, tuple[float, str]]:
    """What Judge takes for the files, how long the model takes to load, and a request with one row to be answered."""
    manifest = Manifest.from_json(json.loads(files[names.MANIFEST_FILE]))
    start = time.process_time()
    metrics = Metrics.from_json(json.loads(files[names.METRICS_FILE]))
    examine(metrics, manifest.files[names.MODEL_FILE].sha256, files, None, Artifacts("none"), Spec())
    judging = time.process_time() - start
    body, digest = files[names.MODEL_FILE], manifest.files[names.MODEL_FILE].sha256
    model = ServedModel.from_bytes(body, digest)
    row = json.dumps([json.loads(files[names.GOLDEN_FILE].splitlines()[0])["row"]]).encode()

    def ask() -> None:
        model.predict(to_arrays(many_records(row, model.card) or from_json(row), model.card))

    return {
        "judging": (judging, "CPU s"),
        "loading": (1000 * typical(lambda: ServedModel.from_bytes(body, digest), 5), "CPU ms"),
        "a row": (1000 * typical(ask, 100), "CPU ms"),
    }


def typical(call: Callable[[], object], times: int) -> float:
    """The median of the seconds of processor time that a call takes."""
    found = []
    for _ in range(times):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return median(found)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
