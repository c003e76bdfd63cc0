"""One training of the neural family: all folds under all configurations as one batched program.

The encoded table lies on the training device. Each fold's answers are those of its own best epoch. A configuration goes
down the same rows in the same order as it would alone, and leaves the program when it is done.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from training_container.models.replay import UNRECORDED
from training_container.models.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from training_container.budget import Budget
    from training_container.models.family import After, Problem
    from training_container.models.network import Settings
    from training_container.progress import Progress

TIMED_STEPS = 5
"""Steps that are timed to see how long a history would be."""


@dataclass
class History:
    """How the training of one configuration went."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    """Mean over the folds of the loss of each fold's own rows."""
    since: int = 0
    """Epochs since any fold got better."""
    given_up: bool = False


@dataclass(frozen=True)
class Trained:
    """What the training of one configuration leaves, on the CPU."""

    folds: tuple[int, ...]
    weights: torch.Tensor
    """Of the network: [folds, weights]."""
    margins: list[torch.Tensor]
    """Out of fold, a fold: float32 [its rows, outputs]."""
    history: History


class Trainer:
    """Ensembles that are trained together, one a fold under each configuration, the folds of the first one first."""

    def __init__(self, problem: Problem, configurations: Sequence[Settings], name: str,
                 folds: Sequence[int] | None = None) -> None:  # fmt: skip
        """Of these folds of the problem, all when left out, on the problem's device; `name` is of the checkpoints.

        Raises:
            ValueError: the configurations differ in more than dropout, rate and decay.
        """
        programs = {configuration.program for configuration in configurations}
        if len(programs) != 1:
            raise ValueError(f"expected configurations that differ in dropout, rate and decay alone, got {programs}")
        torch.manual_seed(problem.seed)
        self.problem, self.settings, self.name = problem, configurations[0].program, name
        self.folds = tuple(range(len(problem.folds)) if folds is None else folds)
        self.histories = [History() for _ in configurations]
        self.running = list(range(len(configurations)))
        pairs = [problem.folds[fold] for fold in self.folds]
        self.learn, self.held = (_packed([pair[side] for pair in pairs], problem.device) for side in (0, 1))
        self.steps = Steps(problem, configurations, len(self.folds), self.learn.shape[1])
        self.best = self.steps.weights.values.clone()
        self.least = torch.full((len(self.best),), torch.inf, device=problem.device)
        """Loss of the best: [ensembles]."""
        self.generator = torch.Generator().manual_seed(problem.seed)

    def pace(self) -> float:
        """Seconds of one epoch's steps, by a few of them, which spoil this trainer for anything else."""
        self.steps.lay(self._each(self.learn))
        for timed in (UNRECORDED + 1, TIMED_STEPS):  # the first are slow
            start = time.monotonic()
            for _ in range(timed):
                self.steps.step()
            self.steps.total.tolist()  # waits for the device
        return (time.monotonic() - start) / TIMED_STEPS * self.steps.count

    def run(self, budget: Budget, progress: Progress, after: After | None = None) -> None:
        """Epochs until no fold gets better or the budget ends; goes on where a killed job was."""
        self._restore()
        epoch = max(len(history.train) for history in self.histories)
        while not self._over(epoch, budget):
            self._epoch(budget)
            self._judge()
            epoch, histories = epoch + 1, [self.histories[number] for number in self.running]
            means = {f"{name}_loss": sum(getattr(history, name)[-1] for history in histories) / len(histories)
                     for name in ("train", "validation")}  # fmt: skip
            progress.update(max(epoch / self.settings.epochs, budget.share), epoch=epoch, **means)
            self._drop_finished(after, epoch)
            if self._over(epoch, budget) or self.problem.checkpoints.due(self.name):
                self.problem.checkpoints.keep(f"{self.name}/epoch", self._state())

    def _over(self, epoch: int, budget: Budget) -> bool:
        return epoch > 0 and (epoch >= self.settings.epochs or not self.running or not budget.left)

    def _each(self, rows: torch.Tensor) -> torch.Tensor:
        """What is the same for every configuration that still trains: [folds, …] to [ensembles, …]."""
        return rows.repeat(len(self.running), 1)

    def _epoch(self, budget: Budget) -> None:
        """One pass over every fold's rows in a fresh order, cut when the budget ends."""
        count = self.learn.shape[1]
        order = torch.stack([torch.randperm(count, generator=self.generator) for _ in self.folds])
        losses = self.steps.epoch(self._each(self.learn.gather(1, order.to(self.learn.device))), budget)
        for number, loss in zip(self.running, self._means(losses), strict=True):
            self.histories[number].train.append(loss)

    def _means(self, losses: torch.Tensor) -> list[float]:
        """Over the folds of each configuration that still trains."""
        means: list[float] = losses.view(len(self.running), -1).mean(dim=1).tolist()
        return means

    @torch.no_grad()
    def _judge(self) -> None:
        """Each ensemble's loss on its fold's own rows; one that got better keeps its weights."""
        rows = self._each(self.held)
        losses = self.steps.losses(self.steps.margins(rows)[:, None], rows).mean(dim=(1, 2))
        lines = self._lines(self.running)
        better = losses < self.least[lines]
        self.best[lines] = torch.where(better[:, None], self.steps.average.values, self.best[lines])
        self.least[lines] = torch.minimum(losses, self.least[lines])
        improved = better.view(len(self.running), -1).any(dim=1).tolist()
        for number, loss, up in zip(self.running, self._means(losses), improved, strict=True):
            history = self.histories[number]
            history.validation.append(loss)
            history.since = 0 if up else history.since + 1

    def _lines(self, configurations: Sequence[int]) -> torch.Tensor:
        """Numbers of the ensembles of these configurations among all."""
        first = torch.tensor(configurations, dtype=torch.long, device=self.best.device) * len(self.folds)
        return (first[:, None] + torch.arange(len(self.folds), device=first.device)).flatten()

    def _drop_finished(self, after: After | None, epoch: int) -> None:
        """Configurations that no longer get better, and those that `after` gives up, train no more."""
        given_up = (
            ()
            if after is None
            else after(epoch, {number: self.histories[number].validation[-1] for number in self.running})
        )
        for number in given_up:
            self.histories[number].given_up = True
        self._go_on_with([
            number for number in self.running
            if number not in given_up and self.histories[number].since < self.settings.patience
        ])  # fmt: skip

    def _go_on_with(self, configurations: list[int]) -> None:
        """Takes all others out of the program."""
        if configurations == self.running:
            return
        staying = torch.isin(self._lines(self.running), self._lines(configurations)).nonzero()[:, 0]
        self.running = configurations
        if configurations:
            self.steps.keep(staying)

    def trained(self) -> list[Trained | None]:
        """What has come of each configuration; None of one that was given up."""
        self.running = [number for number, history in enumerate(self.histories) if not history.given_up]
        trained: list[Trained | None] = [None] * len(self.histories)
        if self.running:
            self.steps.average.take(self.best[self._lines(self.running)])
            margins = self.steps.margins(self._each(self.held)).cpu().chunk(len(self.running))
            for own, number in zip(margins, self.running, strict=True):
                trained[number] = Trained(
                    self.folds, self.best[self._lines([number])].cpu(), self._own(own), self.histories[number]
                )
        return trained

    def _own(self, margins: torch.Tensor) -> list[torch.Tensor]:
        """Without what fills up the smaller folds."""
        return [rows[: len(self.problem.folds[fold][1])] for rows, fold in zip(margins, self.folds, strict=True)]

    def _state(self) -> bytes:
        out = io.BytesIO()
        torch.save({"running": self.running, "steps": self.steps.state(), "best": self.best, "least": self.least,
                    "histories": [vars(history) for history in self.histories],
                    "generator": self.generator.get_state(), "random": torch.get_rng_state()}, out)  # fmt: skip
        return out.getvalue()

    def _restore(self) -> None:
        content = self.problem.checkpoints.read(f"{self.name}/epoch")
        if content is None:
            return
        state = torch.load(io.BytesIO(content), weights_only=True, map_location=self.problem.device)
        self.best, self.least = state["best"], state["least"]
        self.histories = [History(**history) for history in state["histories"]]
        self._go_on_with(state["running"])
        if not self.running:
            return
        self.steps.load(state["steps"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["random"].cpu())


def _packed(rows: list[np.ndarray], device: torch.device) -> torch.Tensor:
    """Row numbers a fold, [folds, most]; a fold with fewer begins again from its first."""
    most = max(len(fold) for fold in rows)
    return torch.stack([torch.from_numpy(fold)[torch.arange(most) % len(fold)] for fold in rows]).to(device)
