"""Tuning of the best family that there is time for: Optuna's TPE, random or grid search, each trial a bag.

A trial is cross-validated like everything else and pruned fold by fold when it falls behind the median of the others.
What it leaves is one more member for the ensemble to weigh. It ends with the budget, or when trials stop helping.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import optuna

from training_container.models.family import Tunable
from training_container.watch import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dropforge.contract.spec import Search
    from training_container.models.family import Family, Fitted, Problem
    from training_container.watch import Budget, Watch

PATIENCE = 12
"""Trials without a better score after which tuning ends."""

MARGIN = 1.3
"""A trial is begun, or a family fitted again, only where this many times the last one's seconds are left."""

FEWEST = 3
"""Trials that there must be time for: one or two are seldom better than the defaults, and cost as much as they did."""

optuna.logging.set_verbosity(optuna.logging.ERROR)  # trials are told by the watch


def tune(problem: Problem, ranked: Sequence[tuple[str, float]], families: Mapping[str, Family], search: Search,
         budget: Budget, watch: Watch) -> list[tuple[str, Fitted, float]]:  # fmt: skip
    """The best family that there is time for at its best settings: (name, bag, seconds); nothing where there is none.

    `ranked` are the names and seconds of what was fitted so far, the best first.
    """
    base = next((family for name, seconds in ranked if budget.left >= FEWEST * seconds
                 and isinstance(family := families[name], Tunable)), None)  # fmt: skip
    if base is None or search == "none":
        return []
    tuner = Tuner(problem, base, budget, watch)
    study = optuna.create_study(sampler=_sampler(search, tuner.base, problem.seed),
                                pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=0))  # fmt: skip
    study.optimize(tuner.attempt, callbacks=[tuner.end], n_trials=None if budget.left else 0)
    return [] if tuner.best is None else [(f"{base.name}-tuned", tuner.best, tuner.seconds)]


def _sampler(search: Search, base: Tunable, seed: int) -> optuna.samplers.BaseSampler:
    if search == "grid":
        return optuna.samplers.GridSampler(cast("dict[str, Any]", base.grid()), seed)
    if search == "random":
        return optuna.samplers.RandomSampler(seed)
    return optuna.samplers.TPESampler(n_startup_trials=6, seed=seed)


class Tuner:
    """Runs trials, keeps the best bag, and says when it is enough."""

    def __init__(self, problem: Problem, base: Tunable, budget: Budget, watch: Watch) -> None:
        self.problem, self.base, self.budget, self.watch = problem, base, budget, watch
        self.best: Fitted | None = None
        self.seconds = self.longest = 0.0
        self.since = 0

    def attempt(self, trial: optuna.Trial) -> float:
        """One bag at suggested settings; its deciding metric, signed so that lower is better."""
        start = time.monotonic()
        family = self.base.tuned(trial, f"{self.base.name}-tuned-{trial.number}")
        self.since += 1
        try:
            fitted = family.fit(self.problem, self.budget.part(1.0), Silent(), after=_pruning(trial))
        finally:
            self.seconds += time.monotonic() - start
            self.longest = max(self.longest, time.monotonic() - start)
        if self.best is None or self.problem.better(fitted.validation, self.best.validation):
            self.best, self.since = fitted, 0
        score = fitted.validation[self.problem.metric]
        self.watch.tell(self.budget.share, epoch=trial.number, validation_loss=score)
        return -score if self.problem.direction == "higher" else score

    def end(self, study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        """Stops when trials no longer help, or when the time left would cut the next one."""
        if self.since >= PATIENCE or self.budget.left < MARGIN * self.longest:
            study.stop()


def _pruning(trial: optuna.Trial) -> Callable[[int, float], None]:
    def after(step: int, loss: float) -> None:
        trial.report(loss, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    return after
