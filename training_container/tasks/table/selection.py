"""Every family is fitted, the best is tuned, out-of-fold answers weigh the ensemble; the hold-out is scored once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from dropforge.contract.results import METRICS, Candidate
from dropforge.metrics.baseline import learn_baseline
from dropforge.metrics.evaluation import beyond_chance, of_baseline, of_table
from dropforge.metrics.scores import known
from training_container.checkpoints import Checkpoints
from training_container.devices import training_device
from training_container.encoding import Encoder
from training_container.faults import JobFault
from training_container.models.catboost import CatBoost
from training_container.models.data import assign_folds, repeats
from training_container.models.family import Conditional, Flavour, Problem, Tunable
from training_container.models.gradient_descent import GradientDescent
from training_container.models.lightgbm import LightGBM
from training_container.models.linear import Ridge, Softmax
from training_container.models.neural import Neural
from training_container.models.racing import Outraced
from training_container.scoring.diagnostics import add_diagnostics
from training_container.tasks.table.ensemble import ensemble, greedy
from training_container.tasks.table.refitting import refit
from training_container.tasks.table.tuning import TIME_MARGIN, tune
from training_container.tasks.task import metric_of, metrics_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from dropforge.contract.baseline import Baseline
    from dropforge.contract.results import Metrics
    from dropforge.contract.spec import Search
    from dropforge.datasets.dataset import Dataset
    from training_container.budget import Budget
    from training_container.encoding import Table
    from training_container.models.family import Family, Fitted
    from training_container.models.predictor import Predictor
    from training_container.progress import Progress
    from training_container.scoring.importance import Answer

PORTFOLIO: tuple[tuple[Family, float], ...] = (
    (Ridge(), 0.1),
    (Softmax(), 0.1),
    (GradientDescent(), 0.05),
    (LightGBM(), 0.3),
    (LightGBM.oblique(), 0.35),
    (CatBoost(), 0.65),
    (CatBoost.oblique(), 0.65),
    (LightGBM.extra(), 0.3),
    (Neural(), 0.7),
    (Neural.periodic(), 0.7),
)
"""The families, quick ones first, each with the part that it may take of what is left of the budget."""

PORTFOLIO_PROGRESS, REFIT_PROGRESS = 0.5, 0.7
"""The progress of fitting at which the portfolio is done, and at which families are refitted; tuning fills the rest."""

TUNING_NAME = "tuning"

CUT_NOTE = "fitting was stopped before its time was over: the model is of what was fitted until then"


@dataclass(frozen=True)
class Trial:
    """One family's bag of models, or the ensemble of several."""

    name: str
    fitted: Fitted
    seconds: float


@dataclass(frozen=True)
class Study:
    """All that was tried on one data set, and the ensemble of it, on the CPU."""

    dataset: Dataset
    encoder: Encoder
    problem: Problem
    trials: tuple[Trial, ...]
    chosen: Trial
    notes: tuple[str, ...] = ()
    """What went wrong while fitting, for people."""

    @property
    def predictor(self) -> Predictor:
        """The chosen model."""
        return self.chosen.fitted.predictor

    @property
    def neighbourhood(self) -> tuple[str, str] | None:
        """The two columns of numbers in which most folds tell trees what a row's neighbours have, if they do."""
        trees = any(trial.fitted.predictor.forests for trial in self.trials)  # without any, nothing was looked for
        pairs = self.problem.tree_inputs.neighbours.pairs if trees else []
        if not pairs:
            return None
        names, (first, second) = self.encoder.names("numbers"), Counter(pairs).most_common(1)[0][0]
        return (names[first], names[second]) if max(first, second) < len(names) else None  # others are ranks and dates


def pose(dataset: Dataset, encoder: Encoder, metric: str, seed: int, checkpoints: Checkpoints) -> Problem:
    """All rows but the hold-out as encoded tables on the training device."""
    device, rows = training_device(), dataset.learning
    encoded = encoder.encode(rows.columns)
    return Problem(
        task=dataset.task,
        metric=metric,
        direction=METRICS[dataset.task][metric],
        classes=len(dataset.classes),
        sizes=tuple(vocabulary.size for vocabulary in encoder.vocabularies),
        rows=encoded.to(device),
        target=rows.target,
        fold=_folds(dataset, encoded),
        seed=seed,
        device=device,
        checkpoints=checkpoints,
    )


def _folds(dataset: Dataset, encoded: Table) -> np.ndarray:
    """The fold of each row: whole groups or blocks of time where rows are split by these, else by content."""
    if dataset.folds is not None:
        return dataset.folds
    target = dataset.learning.target
    return assign_folds(target, len(dataset.classes), is_repeat=repeats(encoded, target))


def study(dataset: Dataset, *, metric: str | None, budget: Budget, seed: int, progress: Progress,
          search: Search = "tpe", checkpoints: Checkpoints | None = None,
          families: Sequence[tuple[Family, float]] = PORTFOLIO) -> Study:  # fmt: skip
    """Fits every family that the task has, tunes the best one with what is left, and weighs them all.

    All but the first family are skipped where the budget leaves no time for them or they are not expected to help;
    flavours that are outraced are given up. Once there is a model, a family whose library fails is skipped too, with
    a note.
    """
    encoder = Encoder.learn(dataset.columns, dataset.learning.columns)
    problem = pose(dataset, encoder, metric_of(dataset.task, metric), seed, checkpoints or Checkpoints())
    fitting = [(family, share) for family, share in families if problem.task in family.tasks]
    trials: list[Trial] = []
    failures: list[str] = []
    done, step = 0.0, PORTFOLIO_PROGRESS / sum(share for _, share in fitting)
    for family, share in fitting:
        if trials and budget.left:
            problem.prepare()
        part = budget.part(share)
        try:
            if not trials or (budget.left and _worth(family, problem, part, trials)):
                within = progress.within(done, done + share * step, model=family.name)
                trials += _try(family, problem, part, within, trials)
        except Exception as error:  # of whatever kind the library raises
            if not trials or isinstance(error, JobFault):
                raise
            failures.append(_failure(family.name, error))
            progress.update(done, model=family.name, failed=type(error).__name__)
        done += share * step
    known, ranked = {family.name: family for family, _ in families}, _ranked(problem, trials)
    trials = _refitted(problem, trials, known, budget, progress.within(done, REFIT_PROGRESS))
    rest = progress.within(REFIT_PROGRESS, 1.0, model=TUNING_NAME)
    trials += [Trial(*tuned) for tuned in tune(problem, ranked, known, search, budget, rest)]
    cut = [CUT_NOTE] if budget.stopped else []
    return Study(dataset, encoder, problem, tuple(trials), _ensemble(problem, trials), (*cut, *failures))


def _failure(family: str, error: Exception) -> str:
    line = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{family} could not be fitted and was left out: {type(error).__name__}: {line[:200]}"


def _worth(family: Family, problem: Problem, budget: Budget, trials: Sequence[Trial]) -> bool:
    fitted = {trial.name: trial.fitted for trial in trials}
    return not isinstance(family, Conditional) or family.worthwhile(problem, budget, fitted)


def _try(family: Family, problem: Problem, budget: Budget, progress: Progress, trials: Sequence[Trial]) -> list[Trial]:
    """The family's trial; none where it was outraced."""
    torch.manual_seed(problem.seed)
    start = time.monotonic()
    rivals = [trial.fitted for trial in trials if isinstance(family, Flavour) and trial.name == family.rival]
    try:
        if rivals and isinstance(family, Flavour):
            fitted = family.fit(problem, budget, progress, after=family.race(problem, rivals[0]))
        else:
            fitted = family.fit(problem, budget, progress)
    except Outraced:
        return []
    return [Trial(family.name, fitted, time.monotonic() - start)]


def _refitted(problem: Problem, trials: Sequence[Trial], families: Mapping[str, Family], budget: Budget,
              progress: Progress) -> list[Trial]:  # fmt: skip
    """The trials, with those of weight in the ensemble refitted, the heaviest first, as long as there is time."""
    weights = greedy(problem, [trial.fitted.answers for trial in trials])
    by_name = {trial.name: trial for trial in trials}
    for weight, trial in sorted(zip(weights, trials, strict=True), key=lambda pair: -pair[0]):
        family = families[trial.name]
        if weight > 0 and isinstance(family, Tunable) and budget.left > TIME_MARGIN * trial.seconds:
            start = time.monotonic()
            both = refit(problem, family, trial.fitted, budget.part(1.0), progress.within(0.0, 1.0, model=trial.name))
            by_name[trial.name] = Trial(trial.name, both, trial.seconds + time.monotonic() - start)
    return list(by_name.values())


def _ranked(problem: Problem, trials: Sequence[Trial]) -> list[tuple[str, float]]:
    """Names and seconds, the best by the deciding metric first."""
    sign = -1 if problem.direction == "higher" else 1
    ranked = sorted(trials, key=lambda trial: sign * trial.fitted.validation[problem.metric])
    return [(trial.name, trial.seconds) for trial in ranked]


def _ensemble(problem: Problem, trials: Sequence[Trial]) -> Trial:
    start = time.monotonic()
    for trial in trials:
        trial.fitted.predictor.to("cpu")
    fitted = ensemble(problem, {trial.name: trial.fitted for trial in trials})
    return Trial("ensemble", fitted, time.monotonic() - start)


def baseline_of(dataset: Dataset) -> Baseline:
    """The trivial baseline, from the targets of all rows but the hold-out."""
    return learn_baseline(dataset.task, dataset.learning.target, len(dataset.classes))


def score(done: Study, answers: np.ndarray, answer: Answer) -> Metrics:
    """The scores of the chosen model and the baseline on the hold-out, which was used for no choice.

    `answers` are the model's on the hold-out; `answer` asks it about other rows, for the importances.
    """
    dataset, problem = done.dataset, done.problem
    truth = dataset.holdout.target
    ours = of_table(dataset.task, truth, answers, dataset.units)
    trivial = of_baseline(truth, baseline_of(dataset), dataset.units)
    comparison = beyond_chance(ours, trivial, problem.metric, problem.seed)
    metrics = metrics_of(
        dataset.task,
        problem.metric,
        comparison,
        chosen=done.chosen.name,
        validation=known(done.chosen.fitted.validation),
        candidates=candidates(done),
        rows=dict(dataset.counts),
    )
    metrics = add_diagnostics(metrics, dataset, answers=answers, answer=answer, seed=problem.seed)
    return replace(metrics, notes=(*done.notes, *metrics.notes), split=dataset.split)


def candidates(done: Study) -> tuple[Candidate, ...]:
    """The ensemble, then every member with its weight in it."""
    weights = done.chosen.fitted.settings["weights"]
    members = [(trial, {**trial.fitted.settings, "weight": weights.get(trial.name, 0.0)}) for trial in done.trials]
    return tuple(
        Candidate(trial.name, known(trial.fitted.validation), round(trial.seconds, 3), settings)
        for trial, settings in [(done.chosen, done.chosen.fitted.settings), *members]
    )
