"""Every family is fitted, the validation score chooses, and only then is the hold-out scored, once."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from dropforge.contract.results import METRICS, PRIMARY, Candidate, Metrics
from training_container import metrics
from training_container.encoding import Encoder
from training_container.faults import JobFault
from training_container.models.body import predict
from training_container.models.family import Problem
from training_container.models.gradient_descent import GradientDescent
from training_container.models.linear import Ridge, Softmax
from training_container.models.neural import Neural
from training_container.scoring.honest import honest
from training_container.watch import Budget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.data.dataset import Dataset
    from training_container.models.body import Body
    from training_container.models.family import Family, Fitted
    from training_container.watch import Watch

PORTFOLIO: tuple[Family, ...] = (Ridge(), Softmax(), GradientDescent(), Neural())
"""The families, quick ones first: the budget's rest belongs to the last."""

SHARES = {"linear": 0.1, "gradient-descent": 0.05}
"""Part of the fitting's progress that a family fills; the others share the rest."""


@dataclass(frozen=True)
class Trial:
    """One family's model."""

    name: str
    fitted: Fitted
    seconds: float


@dataclass(frozen=True)
class Study:
    """All that was tried on one data set, and the model that was chosen, on the CPU."""

    dataset: Dataset
    encoder: Encoder
    problem: Problem
    trials: tuple[Trial, ...]
    chosen: Trial

    @property
    def body(self) -> Body:
        """The chosen model."""
        return self.chosen.fitted.body


def the_device() -> torch.device:
    """The GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_cores() -> None:
    """All cores that this process may use, up to 4: small batches gain nothing from more."""
    torch.set_num_threads(min(4, len(os.sched_getaffinity(0))))


def metric_of(dataset: Dataset, wanted: str | None) -> str:
    """The metric that decides: the spec's, or the task's own.

    Raises:
        JobFault: the spec names a metric that the task does not have.
    """
    metric = wanted or PRIMARY[dataset.task]
    if metric not in METRICS[dataset.task]:
        raise JobFault(
            f"spec: metric: expected one of {list(METRICS[dataset.task])} for {dataset.task}, got {metric!r}"
        )
    return metric


def pose(dataset: Dataset, encoder: Encoder, metric: str, seed: int) -> Problem:
    """The data set as encoded tables on the training device."""
    device = the_device()
    return Problem(
        task=dataset.task,
        metric=metric,
        direction=METRICS[dataset.task][metric],
        classes=len(dataset.classes),
        sizes=tuple(each.size for each in encoder.vocabularies),
        train=encoder.encode(dataset.train.columns).to(device),
        train_target=dataset.train.target,
        validation=encoder.encode(dataset.validation.columns).to(device),
        validation_target=dataset.validation.target,
        seed=seed,
        device=device,
    )


def study(dataset: Dataset, *, metric: str | None, minutes: float, seed: int, watch: Watch,
          families: Sequence[Family] = PORTFOLIO) -> Study:  # fmt: skip
    """Fits every family that the task has and chooses by validation score, the earlier of equals."""
    encoder = Encoder.learn(dataset.columns, dataset.train.columns, dataset.date_formats)
    problem = pose(dataset, encoder, metric_of(dataset, metric), seed)
    budget = Budget(minutes)
    fitting = [family for family in families if dataset.task in family.tasks]
    rest = (1 - sum(SHARES.get(family.name, 0.0) for family in fitting)) / max(
        1, sum(family.name not in SHARES for family in fitting)
    )
    trials, done = [], 0.0
    for family in fitting:
        share = SHARES.get(family.name, rest)
        trials.append(_try(family, problem, budget, watch.within(done, done + share, model=family.name)))
        done += share
    chosen = trials[0]
    for trial in trials[1:]:
        if problem.better(trial.fitted.validation, chosen.fitted.validation):
            chosen = trial
    return Study(dataset, encoder, problem, tuple(trials), chosen)


def _try(family: Family, problem: Problem, budget: Budget, watch: Watch) -> Trial:
    torch.manual_seed(problem.seed)
    start = time.monotonic()
    fitted = family.fit(problem, budget, watch)
    fitted.body.to("cpu")
    return Trial(family.name, fitted, time.monotonic() - start)


def baseline(dataset: Dataset, rows: int) -> np.ndarray:
    """What knowing nothing but the training targets answers: mean [rows], or class shares [rows, classes]."""
    target = dataset.train.target
    if dataset.task == "regression":
        return np.full(rows, target.mean())
    counts = np.bincount(target, minlength=len(dataset.classes))
    return np.tile(counts / counts.sum(), (rows, 1))


def score(done: Study) -> Metrics:
    """The chosen model's and the baseline's scores on the hold-out, which nothing before this has seen."""
    dataset, problem = done.dataset, done.problem
    truth = dataset.holdout.target
    answers, trivial = _answer(done, dataset.holdout.columns), baseline(dataset, len(truth))
    measured = Metrics(
        task=dataset.task,
        metric=problem.metric,
        direction=problem.direction,
        chosen=done.chosen.name,
        holdout=known(metrics.scores(dataset.task, truth, answers)),
        validation=known(done.chosen.fitted.validation),
        baseline=known(metrics.scores(dataset.task, truth, trivial)),
        candidates=tuple(
            Candidate(trial.name, known(trial.fitted.validation), round(trial.seconds, 3), trial.fitted.settings)
            for trial in done.trials
        ),
        rows=dict(dataset.counts),
    )
    return honest(measured, dataset, answers=answers, trivial=trivial, answer=partial(_answer, done), seed=problem.seed)


def _answer(done: Study, columns: dict[str, np.ndarray]) -> np.ndarray:
    return predict(done.body, done.encoder.encode(columns))


def known(scores: dict[str, float]) -> dict[str, float]:
    """The scores that exist: AUC does not where the rows hold one class alone, and JSON has no NaN."""
    return {name: value for name, value in scores.items() if not np.isnan(value)}
