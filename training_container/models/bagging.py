"""One model a fold: the part that all bagged families share. What is grown is kept, so that a killed job goes on."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from training_container.models.family import Fitted
from training_container.models.forest import Forest
from training_container.models.predictor import Answer, ClassTail, MarginOf, Predictor
from training_container.models.scales import RegressionTail
from training_container.progress import SilentProgress
from training_container.threads import cores, in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable

    from training_container.budget import Budget
    from training_container.models.family import Problem
    from training_container.models.forest import Booster
    from training_container.models.scales import TargetScale
    from training_container.progress import Progress


@dataclass(frozen=True)
class Part:
    """What one booster is grown on: float32 features, the target on its fitted scale, and who is held out."""

    problem: Problem
    dense: np.ndarray
    """float32 [N, columns of this fold]."""
    target: np.ndarray
    """[N], float64 on the fitted scale or int64 class codes."""
    learn: np.ndarray
    held: np.ndarray
    name: str
    """Of the part among the checkpoints."""
    threads: int


@dataclass(frozen=True)
class Grown:
    """One booster and how it went."""

    booster: Booster
    rounds: int
    curve: list[float]
    """Loss of the held rows after each round."""


class Grower(Protocol):
    """A library that grows boosters."""

    @property
    def name(self) -> str:
        """Of the family."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """The library's own, over the defaults."""
        ...

    @property
    def pairs(self) -> bool:
        """Whether the boosters read pairs of columns."""
        ...

    def grow(self, part: Part, budget: Budget, progress: Progress) -> Grown:
        """A booster of at least one round, stopped early by the held rows or by the budget."""
        ...

    def load(self, content: bytes) -> Booster:
        """The booster that `Booster.content` gave."""
        ...


def grow_bag(problem: Problem, grower: Grower, budget: Budget, progress: Progress,
             after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
    """A forest of one booster a fold.

    Folds are grown side by side, as many as there are cores. `after(folds, loss)` is told the deciding metric over the
    rows answered so far, so that lower is better, and may raise to end it.
    """
    dense = problem.tree_inputs.learning(problem)
    scale = problem.scale
    tail = ClassTail() if scale is None else RegressionTail(scale)
    answers = problem.empty()
    grown: list[Grown] = []
    while len(grown) < len(problem.folds):
        wave = range(len(grown), min(len(grown) + cores(), len(problem.folds)))
        within = progress.within(wave.start / len(problem.folds), wave.stop / len(problem.folds))
        waves = -(-(len(problem.folds) - wave.start) // len(wave))
        parts = [_part(problem, grower, dense, fold, scale, max(1, cores() // len(wave))) for fold in wave]
        grown += _grow_together(grower, parts, budget.part(1 / waves), within)
        for part, fit in zip(parts, grown[wave.start :], strict=True):
            answers[part.held] = answer(fit.booster, part.dense[part.held], tail)
        if after is not None:
            rows = np.flatnonzero(problem.fold < wave.stop)
            after(wave.stop, problem.loss(answers[rows], rows))
    forest = Forest(grower.name, problem.tree_inputs, problem.outputs, tuple(fit.booster for fit in grown),
                    grower.pairs)  # fmt: skip
    predictor = Predictor(tuple(problem.rows.groups), Answer(MarginOf(forest), tail), [forest])
    log = {} if scale is None else {"log_target": scale.log}
    settings = {**grower.settings, "rounds": [fit.rounds for fit in grown], **log}
    return Fitted(predictor, answers, problem.score(answers), settings, {"validation_loss": list(grown[0].curve)})


def _grow_together(grower: Grower, parts: list[Part], budget: Budget, progress: Progress) -> list[Grown]:
    """A thread a part: the libraries let go of the interpreter while they work."""
    progresses = [progress, *[SilentProgress()] * (len(parts) - 1)]  # one of them tells how far all are
    return in_parallel(lambda pair: _grow(grower, pair[0], budget, pair[1]), zip(parts, progresses, strict=True))


def answer(booster: Booster, dense: np.ndarray, tail: torch.nn.Module) -> np.ndarray:
    """Answers of one booster: float32 [N] or [N, classes]."""
    with torch.no_grad():
        output: np.ndarray = tail(torch.from_numpy(booster.margins(dense).astype(np.float32))).numpy()
    return output[:, 0] if output.shape[1] == 1 else output


def _part(problem: Problem, grower: Grower, dense: np.ndarray, fold: int, scale: TargetScale | None,
          threads: int) -> Part:  # fmt: skip
    learn, held = problem.folds[fold]
    target = problem.target if scale is None else scale.encode(problem.target)
    name = f"{grower.name}/{'log-' if scale and scale.log else ''}{fold}"
    columns = problem.tree_inputs.columns(fold, grower.pairs)
    return Part(problem, dense[:, columns], target, learn, held, name, threads)


def _grow(grower: Grower, part: Part, budget: Budget, progress: Progress) -> Grown:
    """From the checkpoints where it was grown before."""
    kept = part.problem.checkpoints.read(f"{part.name}.done")
    if kept is not None:
        with np.load(io.BytesIO(kept)) as stored:
            return Grown(grower.load(stored["booster"].tobytes()), int(stored["rounds"]), stored["curve"].tolist())
    grown = grower.grow(part, budget, progress)
    if budget.stopped:
        return grown  # cut short: a job that is started again grows it to its end
    out = io.BytesIO()
    content = np.frombuffer(grown.booster.content(), np.uint8)
    np.savez(out, booster=content, rounds=grown.rounds, curve=np.array(grown.curve))
    part.problem.checkpoints.keep(f"{part.name}.done", out.getvalue())
    return grown
