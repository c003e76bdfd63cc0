"""`make bench-gate`: how often the gate approves noise, and how often it approves a weak but true signal.

Each table is made anew from its seed, learned by the trainer within `BUDGET` minutes of fitting, and judged in the
serving runtime, just as a dropped data set is. On noise nothing can be learned, so every approval is one by chance; a
two-sided interval of 95 % above 0 is there by chance in 2.5 % of cases, and so is a share of shuffles that low.
Scores that Judge states must lie in the intervals that it states beside them.

`SEEDS=50` says how many tables of each kind, `ROWS=1000,200000` how large they are. A weak signal is looked for at the
first size alone, since many rows always show it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.report import Row, publish
from dropforge.contract import names
from dropforge.contract.results import Manifest, Metrics
from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from lambdas.common.artifacts import Artifacts
from lambdas.pipeline.judge.handler import examine
from training_container.driver import train
from training_container.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropforge.contract.results import Verdict

SEEDS = int(os.environ.get("SEEDS", "50"))
SIZES = tuple(int(size) for size in os.environ.get("ROWS", "1000,200000").split(","))
BUDGET = float(os.environ.get("BUDGET", "0.05"))
RUN = "run-0123456789abcdef"
MOST_APPROVED = 0.05


def main() -> None:
    """Every kind of table at every size; the results are written anew after each."""
    rows: list[Row] = []
    for size in SIZES:
        for task, make in TABLES.items():
            for signal in ("noise", "weak signal") if size == SIZES[0] else ("noise",):
                rows += measured(task, make, size, signal)
                publish("gate", rows, ["numpy", "torch", "onnxruntime"], ["SEEDS", "ROWS", "BUDGET"])


def measured(task: str, make: Callable[..., pl.DataFrame], size: int, signal: str) -> Iterator[Row]:
    """The shares of approved tables and of stated scores that lie in their intervals."""
    approved, inside, start = [], [], time.monotonic()
    for seed in range(SEEDS):
        verdict = judged(make(np.random.default_rng(seed), size, 0.0 if signal == "noise" else STRENGTH[task]))
        approved.append(verdict.outcome == "approved")
        inside += [verdict.intervals[name].low <= value <= verdict.intervals[name].high
                   for name, value in verdict.candidate.items() if name in verdict.intervals]  # fmt: skip
        print(f"{task}, {size} rows, {signal}: {seed + 1} of {SEEDS}, {sum(approved)} approved, "
              f"{time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
    what = f"{task}, {size:,} rows, {signal}"
    yield Row(f"{what}: approved", float(np.mean(approved)), "share", "lower" if signal == "noise" else "higher",
              MOST_APPROVED if signal == "noise" else None)  # fmt: skip
    yield Row(f"{what}: stated scores in their intervals", float(np.mean(inside)), "share", "higher", 1.0)


def regression(chance: np.random.Generator, size: int, strength: float) -> pl.DataFrame:
    """A log-normal target and two columns; the strength moves the target's logarithm along the first."""
    columns = chance.normal(size=(size, 2))
    target = np.exp(1.5 * chance.normal(size=size) + strength * columns[:, 0])
    return pl.DataFrame({"a": columns[:, 0], "b": columns[:, 1], "target": target})


def binary(chance: np.random.Generator, size: int, strength: float) -> pl.DataFrame:
    """Three rows in ten are `yes`; the strength moves the log odds."""
    columns = chance.normal(size=(size, 2))
    yes = chance.random(size) < 1 / (1 + np.exp(0.85 - strength * columns[:, 0]))
    return pl.DataFrame({"a": columns[:, 0], "b": columns[:, 1], "target": np.where(yes, "yes", "no")})


def multiclass(chance: np.random.Generator, size: int, strength: float) -> pl.DataFrame:
    """Four classes of unequal shares; the strength moves the log odds of the first."""
    columns = chance.normal(size=(size, 2))
    odds = np.log([0.4, 0.3, 0.2, 0.1]) + strength * columns[:, :1] * np.array([1.0, 0.0, 0.0, 0.0])
    classes = (odds + chance.gumbel(size=(size, 4))).argmax(axis=1)
    return pl.DataFrame({"a": columns[:, 0], "b": columns[:, 1], "target": np.array(list("wxyz"))[classes]})


TABLES: dict[str, Callable[..., pl.DataFrame]] = {"regression": regression, "binary": binary, "multiclass": multiclass}
STRENGTH = {"regression": 0.5, "binary": 0.4, "multiclass": 0.5}
"""A weak signal: an AUC of about .6, an R² of a few per cent."""


def judged(table: pl.DataFrame) -> Verdict:
    """The verdict on the model of a table, where nothing serves yet."""
    with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as folder:
        data, out = Path(folder) / "table.csv", Path(folder) / "model"
        table.write_csv(data)
        with contextlib.redirect_stdout(io.StringIO()):
            train(Job(RUN, "table", (data,), Options(Spec(budget=BUDGET), "target"), None, 0, out))
        files = {name: (out / name).read_bytes() for name in FILES}
        manifest = Manifest.from_json(json.loads((out / names.MANIFEST_FILE).read_bytes()))
    metrics = Metrics.from_json(json.loads(files[names.METRICS_FILE]))
    digest = manifest.files[names.MODEL_FILE].sha256
    return examine(metrics, digest, files, None, Artifacts(""), Spec())


FILES = (names.MODEL_FILE, names.METRICS_FILE, names.GOLDEN_FILE, names.HOLDOUT_FILE, names.BASELINE_FILE)


if __name__ == "__main__":
    main()
