"""The two cheap runs that settle on AWS what no machine without an account can show.

    python -m examples.first_runs --plan     what would be run, and what it may cost at most
    python -m examples.first_runs            both runs, one after the other
    python -m examples.first_runs cpu        one of them

Deploy first (docs/aws.md). `cpu` trains on an ml.m5.xlarge, `gpu` on an ml.g6.xlarge; what each settles stands in
`SETTLES`, and is printed as settled or not.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from dropforge.client import Dropforge
from dropforge.contract.prices import LIST
from dropforge.contract.registry import TrainingRun
from examples.datasets import SOURCES, load

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET = SOURCES["houses"].target
TIMEOUT = 3 * 3600.0
OVERHEAD = 600
"""Seconds beyond the budget that a job may be billed for, at most: its start, the proof of the model, its end."""


@dataclass(frozen=True)
class FirstRun:
    """One of the two runs; the size of its data decides where it trains."""

    rows: int
    instance: str
    minutes: float
    """The budget of its training."""

    @property
    def most_dollars(self) -> float:
        """What its training may cost at most, on demand."""
        return LIST.cost(self.instance, self.minutes * 60 + OVERHEAD)


RUNS = {
    "cpu": FirstRun(rows=4_000, instance="ml.m5.xlarge", minutes=3),
    "gpu": FirstRun(rows=80_000, instance="ml.g6.xlarge", minutes=6),
}

SETTLES = {
    "cpu": (
        "SageMaker takes the image's manifest and starts it",
        "the folders of /opt/ml can be written, whoever owns them",
        "Step Functions learns of the job's end (`.sync`)",
        "ml.m5.xlarge is to be had",
    ),
    "gpu": (
        "SageMaker takes the GPU image's manifest and starts it",
        "the host's driver runs the image's CUDA: the trainer saw its GPU",
        "ml.g6.xlarge is to be had, on spot or on demand",
    ),
}
"""What each run settles, in the order of `settled`."""


def settled(name: str, run: TrainingRun) -> Mapping[str, bool]:
    """Which of `SETTLES` a run that has ended shows to be so."""
    trained = run.status in ("promoted", "refused")
    there = run.instance_type == RUNS[name].instance
    if name == "cpu":
        return dict(zip(SETTLES[name], (trained, trained, trained, trained and there), strict=True))
    seen = trained and there and run.device not in (None, "", "cpu")
    started = seen or any(hop.obstacle == "gpu_not_seen" for hop in run.hops)
    return dict(zip(SETTLES[name], (started, seen, trained and there), strict=True))


def write(name: str, folder: Path) -> Path:
    """Writes the data of a run: house prices, repeated with a little noise where more are needed."""
    houses, rows = load("houses"), RUNS[name].rows
    times = -(-rows // houses.height)
    noisy = [
        houses.with_columns((pl.col("MedInc") * (1 + at / 1_000)).round(6), (pl.col("HouseAge") + at / 100).round(6))
        for at in range(times)
    ]
    path = folder / f"first-{name}.csv"
    pl.concat(noisy).sample(rows, shuffle=True, seed=7).write_csv(path)
    return path


def drop(forge: Dropforge, name: str) -> bool:
    """Makes one run, prints what it settled, and returns whether that is everything."""
    began, model = time.monotonic(), f"first-{name}"
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.yaml"
        spec.write_text(f"target: {TARGET}\nbudget: {RUNS[name].minutes}\n")
        outcome = forge.drop(write(name, Path(folder)), model=model, spec=spec, wait=True, timeout=TIMEOUT)
    run = forge.run(outcome.run)
    if not isinstance(run, TrainingRun):
        raise TypeError(f"{outcome.run}: expected a run of training, got one of {run.kind}")
    print(f"\n{name}: {run.status} after {time.monotonic() - began:.0f} s on {run.instance_type}, {run.device}")
    print(f"  run {run.run}, cost ${run.cost or 0:.4f}; {run.reason}")
    for hop in run.hops:
        print(f"  left {hop.instance_type}{' (spot)' if hop.spot else ''}: {hop.obstacle}, {hop.times} times")
    answers = settled(name, run)
    for question, yes in answers.items():
        print(f"  {'settled' if yes else 'OPEN   '}  {question}")
    return all(answers.values())


def main(arguments: list[str]) -> int:
    """Makes the named runs, or both; returns 1 if anything is left open, 2 for a wrong call."""
    names = [each for each in arguments if each != "--plan"] or list(RUNS)
    unknown = [each for each in names if each not in RUNS]
    if unknown:
        print(f"expected some of {', '.join(RUNS)}, or --plan, got {', '.join(unknown)}", file=sys.stderr)
        return 2
    for name in names:
        run = RUNS[name]
        print(f"{name}: {run.rows:,} rows on {run.instance}, {run.minutes:g} min, at most ${run.most_dollars:.2f}")
    if "--plan" in arguments:
        return 0
    forge = Dropforge()
    return 0 if all([drop(forge, name) for name in names]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
