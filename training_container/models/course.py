"""One training of the neural family: all folds under all configurations as one batched program.

The encoded table lies on the training device: on a GPU in bfloat16 with float32 masters, on a CPU in float32. AdamW on
mini-batches with a one-cycle learning rate; a moving average of the weights answers, each fold's at its own best epoch.
A configuration goes down the same rows in the same order as it would alone, and leaves the program when it is done.
"""

from __future__ import annotations

import copy
import io
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import torch
from torch.nn import functional

from training_container.models.adamw import PackedAdamW, PackedWeights
from training_container.models.network import PackedCore

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from training_container.models.body import TargetScale
    from training_container.models.family import After, Problem
    from training_container.models.network import Settings
    from training_container.watch import Budget, Watch

PACE = 5
"""Steps that are timed to see how long a course would be."""


@dataclass
class Course:
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
    course: Course


class Trainer:
    """One optimizer over ensembles, one a fold under each configuration, the folds of the first configuration first.

    The loss is the mean squared error of the scaled target, or cross-entropy.
    """

    def __init__(self, problem: Problem, configurations: Sequence[Settings], name: str,
                 folds: Sequence[int] | None = None) -> None:  # fmt: skip
        """Of these folds of the problem, all when left out, on the problem's device; `name` is of the checkpoints.

        Raises:
            ValueError: the configurations differ in more than dropout, rate and decay.
        """
        programs = {each.program for each in configurations}
        if len(programs) != 1:
            raise ValueError(f"expected configurations that differ in dropout, rate and decay alone, got {programs}")
        torch.manual_seed(problem.seed)
        self.problem, self.settings, self.name = problem, configurations[0].program, name
        self.folds = tuple(range(len(problem.folds)) if folds is None else folds)
        self.courses = [Course() for _ in configurations]
        self.running = list(range(len(configurations)))
        self._weigh(configurations)
        self.generator = torch.Generator().manual_seed(problem.seed)
        with torch.no_grad():
            self.dense = torch.cat([self.core.dense(chunk.groups) for chunk in problem.rows.chunks()])
        self.codes, self.target = problem.rows.codes, _fitted(problem.target, problem.scale).to(problem.device)
        pairs = [problem.folds[fold] for fold in self.folds]
        self.learn, self.held = (_packed([pair[at] for pair in pairs], problem.device) for at in (0, 1))
        steps = self.settings.epochs * math.ceil(self.learn.shape[1] / self.settings.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, 1.0, total_steps=steps + 1, pct_start=0.15)

    def _weigh(self, configurations: Sequence[Settings]) -> None:
        """The same first weights for every configuration, their moving average, and the best so far."""
        problem = self.problem
        self.core = PackedCore(problem, self.settings, len(self.folds)).to(problem.device)
        values = PackedWeights.of(self.core).repeat(len(configurations), 1)
        self.average = PackedWeights(copy.deepcopy(self.core).eval(), values.clone())
        self.weights = PackedWeights(self.core, values)
        self.best = values.clone()
        self.least = torch.full((len(values),), torch.inf, device=problem.device)
        """Loss of the best: [ensembles]."""
        kept, rates, decays = (
            torch.tensor(each, device=problem.device).repeat_interleave(len(self.folds))
            for each in zip(*((1 - each.dropout, each.rate, each.decay) for each in configurations), strict=True)
        )
        self.core.net.kept = kept[:, None, None]
        self.optimizer = PackedAdamW(self.weights, rates, decays)

    def pace(self) -> float:
        """Seconds of one epoch's steps, by a few of them, which spoil this trainer for anything else."""
        batch = self.settings.batch
        rows = self._each(self.learn[:, :batch])
        self._step(rows)  # the first is slow
        start = time.monotonic()
        losses = [self._step(rows) for _ in range(PACE)]
        torch.stack(losses).tolist()  # waits for the device
        return (time.monotonic() - start) / PACE * math.ceil(self.learn.shape[1] / batch)

    def run(self, budget: Budget, watch: Watch, after: After | None = None) -> None:
        """Epochs until no fold gets better or the budget ends; goes on where a killed job was."""
        self._restore()
        epoch = max(len(each.train) for each in self.courses)
        while not self._over(epoch, budget):
            self._epoch(budget)
            self._judge()
            epoch, courses = epoch + 1, [self.courses[each] for each in self.running]
            means = {f"{name}_loss": sum(getattr(each, name)[-1] for each in courses) / len(courses)
                     for name in ("train", "validation")}  # fmt: skip
            watch.tell(max(epoch / self.settings.epochs, budget.share), epoch=epoch, **means)
            self._part_company(after, epoch)
            if self._over(epoch, budget) or self.problem.checkpoints.due(self.name):
                self.problem.checkpoints.keep(f"{self.name}/epoch", self._state())

    def _over(self, epoch: int, budget: Budget) -> bool:
        return epoch > 0 and (epoch >= self.settings.epochs or not self.running or not budget.left)

    def _each(self, rows: torch.Tensor) -> torch.Tensor:
        """What is the same for every configuration that still trains: [folds, …] to [ensembles, …]."""
        return rows.repeat(len(self.running), 1)

    def _epoch(self, budget: Budget) -> None:
        """One pass over every fold's rows in a fresh order, cut when the budget ends."""
        self.core.train()
        count = self.learn.shape[1]
        order = torch.stack([torch.randperm(count, generator=self.generator) for _ in self.folds])
        rows = self._each(self.learn.gather(1, order.to(self.learn.device)))
        total, seen = torch.zeros(len(rows), device=rows.device), 0
        for start in range(0, count, self.settings.batch):
            total += self._step(rows[:, start : start + self.settings.batch])
            seen += 1
            if not budget.left:
                break
        for each, loss in zip(self.running, self._means(total / seen), strict=True):
            self.courses[each].train.append(loss)

    def _means(self, losses: torch.Tensor) -> list[float]:
        """Over the folds of each configuration that still trains."""
        found: list[float] = losses.view(len(self.running), -1).mean(dim=1).tolist()
        return found

    def _step(self, rows: torch.Tensor) -> torch.Tensor:
        """One step on these rows, [ensembles, B]; the loss of each ensemble."""
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=rows.device.type == "cuda"):
            margins = self.core.margins(self.dense[rows], self.codes[rows])
        losses = self._losses(margins.float(), rows).mean(dim=(1, 2))
        self.optimizer.step(self.weights.gradient(losses.sum()))
        self.schedule.step()
        self.average.values.lerp_(self.weights.values, 1 - self.settings.average)
        return losses.detach()

    def _losses(self, margins: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """[ensembles, members, B]: the loss of every member on its own rows."""
        target = self.target[rows][:, None].expand(-1, margins.shape[1], -1)
        if not self.problem.classes:
            return (margins[..., 0] - target) ** 2
        if self.problem.outputs == 1:
            return functional.binary_cross_entropy_with_logits(margins[..., 0], target.float(), reduction="none")
        return functional.cross_entropy(margins.movedim(3, 1), target, reduction="none")

    @torch.no_grad()
    def _margins(self, rows: torch.Tensor) -> torch.Tensor:
        """The averaged model's mean margins of each ensemble's own rows: [ensembles, rows, outputs]."""
        core = cast("PackedCore", self.average.module)
        parts = [core.margins(self.dense[part], self.codes[part]).mean(dim=1) for part in torch.split(rows, 2048, 1)]
        return torch.cat(parts, dim=1)

    @torch.no_grad()
    def _judge(self) -> None:
        """Each ensemble's loss on its fold's own rows; one that got better keeps its weights."""
        rows = self._each(self.held)
        losses = self._losses(self._margins(rows)[:, None], rows).mean(dim=(1, 2))
        lines = self._lines(self.running)
        better = losses < self.least[lines]
        self.best[lines[better]] = self.average.values[better]
        self.least[lines] = torch.minimum(losses, self.least[lines])
        improved = better.view(len(self.running), -1).any(dim=1).tolist()
        for each, loss, up in zip(self.running, self._means(losses), improved, strict=True):
            course = self.courses[each]
            course.validation.append(loss)
            course.since = 0 if up else course.since + 1

    def _lines(self, configurations: Sequence[int]) -> torch.Tensor:
        """Numbers of the ensembles of these configurations among all."""
        first = torch.tensor(configurations, dtype=torch.long, device=self.best.device) * len(self.folds)
        return (first[:, None] + torch.arange(len(self.folds), device=first.device)).flatten()

    def _part_company(self, after: After | None, epoch: int) -> None:
        """Configurations that no longer get better, and those that `after` gives up, train no more."""
        given_up = () if after is None else after(epoch, {at: self.courses[at].validation[-1] for at in self.running})
        for each in given_up:
            self.courses[each].given_up = True
        self._go_on_with([
            at for at in self.running if at not in given_up and self.courses[at].since < self.settings.patience
        ])  # fmt: skip

    def _go_on_with(self, configurations: list[int]) -> None:
        """Takes all others out of the program."""
        if configurations == self.running:
            return
        staying = torch.isin(self._lines(self.running), self._lines(configurations)).nonzero()[:, 0]
        self.running = configurations
        if configurations:
            self.optimizer.keep(staying)
            self.average.take(self.average.values[staying])
            self.core.net.kept = self.core.net.kept[staying]

    def trained(self) -> list[Trained | None]:
        """What has come of each configuration; None of one that was given up."""
        self.running = [at for at, course in enumerate(self.courses) if not course.given_up]
        found: list[Trained | None] = [None] * len(self.courses)
        if self.running:
            self.average.take(self.best[self._lines(self.running)])
            margins = self._margins(self._each(self.held)).cpu().chunk(len(self.running))
            for own, at in zip(margins, self.running, strict=True):
                found[at] = Trained(self.folds, self.best[self._lines([at])].cpu(), self._own(own), self.courses[at])
        return found

    def _own(self, margins: torch.Tensor) -> list[torch.Tensor]:
        """Without what fills up the smaller folds."""
        return [rows[: len(self.problem.folds[fold][1])] for rows, fold in zip(margins, self.folds, strict=True)]

    def _state(self) -> bytes:
        out = io.BytesIO()
        torch.save({"running": self.running, "values": self.weights.values, "average": self.average.values,
                    "best": self.best, "least": self.least, "optimizer": self.optimizer.state_dict(),
                    "schedule": self.schedule.state_dict(), "courses": [vars(each) for each in self.courses],
                    "generator": self.generator.get_state(), "random": torch.get_rng_state()}, out)  # fmt: skip
        return out.getvalue()

    def _restore(self) -> None:
        content = self.problem.checkpoints.read(f"{self.name}/epoch")
        if content is None:
            return
        found = torch.load(io.BytesIO(content), weights_only=True, map_location=self.problem.device)
        self.best, self.least = found["best"], found["least"]
        self.courses = [Course(**each) for each in found["courses"]]
        self._go_on_with(found["running"])
        if not self.running:
            return
        for matrix, name in ((self.weights.values, "values"), (self.average.values, "average")):
            matrix.copy_(found[name])
        self.optimizer.load_state_dict(found["optimizer"])
        self.schedule.load_state_dict(found["schedule"])
        self.generator.set_state(found["generator"].cpu())
        torch.set_rng_state(found["random"].cpu())


def _packed(rows: list[np.ndarray], device: torch.device) -> torch.Tensor:
    """Row numbers a fold, [folds, most]; a fold with fewer begins again from its first."""
    most = max(len(each) for each in rows)
    return torch.stack([torch.from_numpy(each)[torch.arange(most) % len(each)] for each in rows]).to(device)


def _fitted(target: np.ndarray, scale: TargetScale | None) -> torch.Tensor:
    """The target as the loss takes it, [N]: float32 on the fitted scale, or int64 class codes."""
    return torch.from_numpy(target) if scale is None else torch.from_numpy(scale.encode(target)).float()
