"""What honest scores cost, and whether they are: CPU seconds for 20,000 hold-out rows, and how often intervals cover.

Coverage is simulated: many small hold-outs of a known model, whose true score is that on very many rows.

    make bench-scores
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.report import Row, publish
from dropforge.contract.results import PRIMARY
from dropforge.metrics import scores as metrics
from dropforge.metrics.baseline import learn_baseline
from dropforge.metrics.evaluation import compare, of_baseline, of_table
from dropforge.metrics.intervals import intervals
from dropforge.metrics.resampling import REPLICATES
from training_container.scoring.calibration import calibration

if TYPE_CHECKING:
    from dropforge.contract.tasks import Task

CLASSES: dict[Task, int] = {"regression": 0, "binary": 2, "multiclass": 5}
ROWS = 20_000
SMALL = 250
TRIES = 400
MANY = 400_000


def main() -> None:
    """Measures and publishes."""
    rows = [row for task in CLASSES for row in (cost(task), coverage(task))]
    publish("scores", [*rows, false_alarms()], ["numpy", "scikit-learn"])


def simulated(task: Task, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and the answers of a model that is right most of the time."""
    chance, classes = np.random.default_rng(seed), CLASSES[task]
    if not classes:
        values = chance.normal(size=rows)
        return values, values + chance.standard_t(5, rows) / 2
    truth = chance.integers(0, classes, rows)
    odds = chance.normal(size=(rows, classes))
    odds[np.arange(rows), truth] += 1.5
    answers = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    return truth, answers


def cost(task: Task) -> Row:
    """Every metric's interval, the baseline's and the gain's; the peer is AUC alone, one resample after another."""
    truth, answers = simulated(task, ROWS, 0)
    start = time.process_time()
    compare(of_table(task, truth, answers), of_baseline(truth, learn_baseline(task, truth, CLASSES[task])), 0)
    spent = time.process_time() - start
    name = f"intervals of all {task} scores, baseline and gain, {ROWS:,} rows"
    if task != "binary":
        return Row(name, spent, "CPU s", "lower", 2.0)
    peer = "scikit-learn's AUC alone in a loop"
    return Row(name, spent, "CPU s", "lower", 2.0, peer, loop_of_auc(truth, answers))


def loop_of_auc(truth: np.ndarray, answers: np.ndarray) -> float:
    """CPU seconds of as many resamples by hand."""
    chance, start = np.random.default_rng(0), time.process_time()
    for _ in range(REPLICATES):
        drawn = chance.integers(0, len(truth), len(truth))
        roc_auc_score(truth[drawn], answers[drawn, 1])
    return time.process_time() - start


def coverage(task: Task) -> Row:
    """Share of small hold-outs whose interval holds the true score of the deciding metric."""
    name, hits = PRIMARY[task], 0
    right = metrics.scores(task, *simulated(task, MANY, 1))[name]
    for seed in range(TRIES):
        truth, answers = simulated(task, SMALL, 10 + seed)
        found = intervals(task, truth, answers, metrics.scores(task, truth, answers), seed)[name]
        hits += found.low <= right <= found.high
    return Row(f"coverage of {name}, {SMALL} rows ({TRIES} hold-outs)", hits / TRIES, "share", "higher", 0.95)


def false_alarms() -> Row:
    """Share of perfectly calibrated models that are called uncalibrated."""
    wrong = 0
    for seed in range(TRIES):
        chance = np.random.default_rng(seed)
        said = chance.random(1_000)
        truth = (chance.random(1_000) < said).astype(np.int64)
        wrong += calibration(truth, np.stack([1 - said, said], axis=1), seed).calibrated is False
    name = f"calibrated models called uncalibrated, 1,000 rows ({TRIES} hold-outs)"
    return Row(name, wrong / TRIES, "share", "lower", 0.05)


if __name__ == "__main__":
    main()
