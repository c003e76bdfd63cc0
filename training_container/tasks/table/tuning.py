"""Tuning of the best family that there is time for: Optuna's TPE, random or grid search, each trial a bag.

A trial is cross-validated like everything else and pruned fold by fold when it falls behind the median of the others.
The best trial is one more member for the ensemble to weigh. Tuning ends with the budget, or when trials stop helping.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import optuna

from training_container.models.family import Packed, Tunable
from training_container.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dropforge.contract.spec import Search
    from training_container.budget import Budget
    from training_container.models.family import After, Family, Fitted, Problem
    from training_container.progress import Progress

    Suggested = tuple[optuna.Trial, Tunable]

PATIENCE_TRIALS = 12
"""Tuning ends after this many trials without a better score."""

TIME_MARGIN = 1.3
"""A trial, or a second fit of a family, begins only where this many times the seconds of the last one are left."""

FEWEST_TRIALS = 3
"""Trials that there must be time for: one or two are seldom better than the defaults."""

optuna.logging.set_verbosity(optuna.logging.ERROR)  # the progress reports trials


def tune(problem: Problem, ranked: Sequence[tuple[str, float]], families: Mapping[str, Family], search: Search,
         budget: Budget, progress: Progress) -> list[tuple[str, Fitted, float]]:  # fmt: skip
    """Tunes the best family that there is time for; returns at most one (name, bag, seconds).

    `ranked` are the names and seconds of what was fitted so far, the best first.
    """
    base = next((family for name, seconds in ranked if budget.left >= FEWEST_TRIALS * seconds
                 and isinstance(family := families[name], Tunable)), None)  # fmt: skip
    if base is None or search == "none":
        return []
    tuner = Tuner(problem, base, budget, progress)
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
    """Runs trials, keeps the best bag, and decides when to stop."""

    def __init__(self, problem: Problem, base: Tunable, budget: Budget, progress: Progress) -> None:
        self.problem, self.base, self.budget, self.progress = problem, base, budget, progress
        self.best: Fitted | None = None
        self.seconds = self.longest = 0.0
        self.since = 0

    def attempt(self, trial: optuna.Trial) -> float:
        """A bag at suggested settings; its deciding metric, signed so that lower is better.

        Where the family trains several configurations as one program, further trials are asked and told on the way.
        """
        start = time.monotonic()
        first = self._suggested(trial)
        pack = [first, *self._pack(*first)]
        self.since += len(pack)
        try:
            fits = self._fitted(pack)
        finally:
            self.seconds += time.monotonic() - start
            self.longest = max(self.longest, time.monotonic() - start)
        scores = [self._weighed(trial.number, fitted) for (trial, _), fitted in zip(pack, fits, strict=True)]
        for (other, _), score in list(zip(pack, scores, strict=True))[1:]:
            trial.study.tell(other, score, optuna.trial.TrialState.PRUNED if score is None else None)
        if scores[0] is None:
            raise optuna.TrialPruned
        return scores[0]

    def _suggested(self, trial: optuna.Trial) -> Suggested:
        return trial, self.base.tuned(trial, f"{self.base.name}-tuned-{trial.number}")

    def _pack(self, trial: optuna.Trial, family: Tunable) -> Iterator[Suggested]:
        """Further trials that can be fitted together with this one: a grid goes on one by one."""
        if isinstance(family, Packed) and not isinstance(trial.study.sampler, optuna.samplers.GridSampler):
            shared = {name: trial.params[name] for name in family.shared}
            for _ in range(family.pack_size(self.problem) - 1):
                trial.study.enqueue_trial(shared)
                yield self._suggested(trial.study.ask())

    def _fitted(self, pack: Sequence[Suggested]) -> list[Fitted | None]:
        """A bag of each; None where the trial was pruned."""
        trials, families, budget = [pair[0] for pair in pack], [pair[1] for pair in pack], self.budget.part(1.0)
        if isinstance(families[0], Packed):
            return families[0].fit_together(families, self.problem, budget, SilentProgress(), _pruning(trials))
        pruned = _pruning(trials)

        def after(step: int, loss: float) -> None:
            if pruned(step, {0: loss}):
                raise optuna.TrialPruned

        return [families[0].fit(self.problem, budget, SilentProgress(), after)]

    def _weighed(self, number: int, fitted: Fitted | None) -> float | None:
        """The score of a trial, lower is better, None where it was pruned; the best is kept."""
        if fitted is None:
            return None
        if self.best is None or self.problem.better(fitted.validation, self.best.validation):
            self.best, self.since = fitted, 0
        score = fitted.validation[self.problem.metric]
        self.progress.update(self.budget.share, epoch=number, validation_loss=score)
        return -score if self.problem.direction == "higher" else score

    def end(self, study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        """Stops when trials no longer help, or when the time left would cut the next one."""
        if self.since >= PATIENCE_TRIALS or self.budget.left < TIME_MARGIN * self.longest:
            study.stop()


def _pruning(trials: Sequence[optuna.Trial]) -> After:
    def after(step: int, losses: Mapping[int, float]) -> list[int]:
        for number, loss in losses.items():
            trials[number].report(loss, step)
        return [number for number in losses if trials[number].should_prune()]

    return after
