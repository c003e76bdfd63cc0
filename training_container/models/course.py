"""One training of the neural family: all folds as one batched program, each fold with its own best epoch.

The encoded table lies on the training device: on a GPU in bfloat16 with float32 masters, on a CPU in float32. AdamW on
mini-batches with a one-cycle learning rate; a moving average of the weights answers.
"""

from __future__ import annotations

import copy
import io
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from training_container.models.network import PackedCore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from training_container.models.body import TargetScale
    from training_container.models.family import Problem
    from training_container.models.network import Settings
    from training_container.watch import Budget, Watch

OF_A_FOLD = ("net.", "embedding.")
"""How the names of those weights begin that each fold has of its own."""

PACE = 5
"""Steps that are timed to see how long a course would be."""


@dataclass
class Course:
    """How a training went, and the best weights of every fold so far."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    """Mean over the folds of the loss of each fold's own rows."""
    best: torch.Tensor | None = None
    """Least loss of each fold, [folds], on the device."""
    since: int = 0
    """Epochs since any fold got better."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves, on the CPU."""

    folds: tuple[int, ...]
    weights: dict[str, torch.Tensor]
    """Of the network, what each fold has of its own: [folds, …]."""
    margins: list[torch.Tensor]
    """Out of fold, a fold: float32 [its rows, outputs]."""
    train: list[float]
    validation: list[float]
    """Losses, an epoch each."""


class Trainer:
    """One optimizer over folds. The loss is the mean squared error of the scaled target, or cross-entropy."""

    def __init__(self, problem: Problem, settings: Settings, name: str, folds: Sequence[int] | None = None) -> None:
        """Of these folds of the problem, all when left out, on the problem's device; `name` is of the checkpoints."""
        torch.manual_seed(problem.seed)
        self.problem, self.settings, self.name = problem, settings, name
        self.folds = tuple(range(len(problem.folds)) if folds is None else folds)
        self.core = PackedCore(problem, settings, len(self.folds)).to(problem.device)
        self.average = copy.deepcopy(self.core)
        self.kept = {key: value.clone() for key, value in self.core.state_dict().items()}
        self.course = Course()
        self.generator = torch.Generator().manual_seed(problem.seed)
        with torch.no_grad():
            self.dense = torch.cat([self.core.dense(chunk.groups) for chunk in problem.rows.chunks()])
        self.codes, self.target = problem.rows.codes, _fitted(problem.target, problem.scale).to(problem.device)
        pairs = [problem.folds[fold] for fold in self.folds]
        self.learn, self.held = (_packed([pair[at] for pair in pairs], problem.device) for at in (0, 1))
        self.optimizer = torch.optim.AdamW(self.core.parameters(), lr=settings.rate, weight_decay=settings.decay)
        steps = settings.epochs * math.ceil(self.learn.shape[1] / settings.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.rate, total_steps=steps + 1, pct_start=0.15
        )

    def pace(self) -> float:
        """Seconds of one epoch's steps, by a few of them, which spoil this trainer for anything else."""
        batch = self.settings.batch
        rows = self.learn[:, :batch]
        self._step(rows)  # the first is slow
        start = time.monotonic()
        losses = [self._step(rows) for _ in range(PACE)]
        torch.stack(losses).tolist()  # waits for the device
        return (time.monotonic() - start) / PACE * math.ceil(self.learn.shape[1] / batch)

    def run(self, budget: Budget, watch: Watch, after: Callable[[int, float], None] | None) -> None:
        """Epochs until no fold gets better or the budget ends; goes on where a killed job was."""
        self._restore()
        while not self._over(budget):
            self.course.train.append(self._epoch(budget))
            self._judge()
            epoch, validation = len(self.course.train), self.course.validation[-1]
            watch.tell(max(epoch / self.settings.epochs, budget.share), epoch=epoch,
                       train_loss=self.course.train[-1], validation_loss=validation)  # fmt: skip
            if after is not None:
                after(epoch, validation)
            if self._over(budget) or self.problem.checkpoints.due(self.name):
                self.problem.checkpoints.keep(f"{self.name}/epoch", self._state())
        self.average.load_state_dict(self.kept)

    def _over(self, budget: Budget) -> bool:
        epochs = len(self.course.train)
        spent = epochs >= self.settings.epochs or self.course.since >= self.settings.patience
        return epochs > 0 and (spent or not budget.left)

    def _epoch(self, budget: Budget) -> float:
        """One pass over every fold's rows in a fresh order (cut when the budget ends); the mean loss."""
        self.core.train()
        count = self.learn.shape[1]
        order = torch.stack([torch.randperm(count, generator=self.generator) for _ in range(len(self.learn))])
        rows = self.learn.gather(1, order.to(self.learn.device))
        total, seen = torch.zeros((), device=self.learn.device), 0
        for start in range(0, count, self.settings.batch):
            total += self._step(rows[:, start : start + self.settings.batch])
            seen += 1
            if not budget.left:
                break
        return float(total) / seen

    def _step(self, rows: torch.Tensor) -> torch.Tensor:
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=rows.device.type == "cuda"):
            margins = self.core.margins(self.dense[rows], self.codes[rows])
        losses = self._losses(margins.float(), rows).mean(dim=(1, 2))
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(losses.sum())
        nn.utils.clip_grad_norm_(self.core.parameters(), 1.0 * len(losses))
        self.optimizer.step()
        self.schedule.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.core.parameters()),
                                 1 - self.settings.average)  # fmt: skip
        return losses.detach().mean()

    def _losses(self, margins: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """[folds, members, B]: the loss of every member on its own rows."""
        target = self.target[rows][:, None].expand(-1, margins.shape[1], -1)
        if not self.problem.classes:
            return (margins[..., 0] - target) ** 2
        if self.problem.outputs == 1:
            return functional.binary_cross_entropy_with_logits(margins[..., 0], target.float(), reduction="none")
        return functional.cross_entropy(margins.movedim(3, 1), target, reduction="none")

    @torch.no_grad()
    def _margins(self, rows: torch.Tensor) -> torch.Tensor:
        """The averaged model's mean margins of each fold's own rows: [folds, rows, outputs]."""
        self.average.eval()
        parts = [
            self.average.margins(self.dense[part], self.codes[part]).mean(dim=1)
            for part in torch.split(rows, 2048, dim=1)
        ]
        return torch.cat(parts, dim=1)

    @torch.no_grad()
    def _judge(self) -> None:
        """Each fold's loss on its own rows; a fold that got better keeps its slices of the weights."""
        margins = self._margins(self.held)[:, None]
        losses = self._losses(margins, self.held).mean(dim=(1, 2))
        best = self.course.best
        better = torch.ones_like(losses, dtype=torch.bool) if best is None else losses < best
        for key, value in self.average.state_dict().items():
            if key.startswith(OF_A_FOLD):
                self.kept[key][better] = value[better]
        self.course.best = losses if best is None else torch.minimum(losses, best)
        self.course.validation.append(float(losses.mean()))
        self.course.since = 0 if bool(better.any()) else self.course.since + 1

    def trained(self) -> Trained:
        """What has come of it."""
        margins = self._margins(self.held).cpu()
        held = [len(self.problem.folds[fold][1]) for fold in self.folds]
        own = [margins[at, :count] for at, count in enumerate(held)]
        weights = {key: value.cpu() for key, value in self.kept.items() if key.startswith(OF_A_FOLD)}
        return Trained(self.folds, weights, own, self.course.train, self.course.validation)

    def _state(self) -> bytes:
        out = io.BytesIO()
        torch.save({"core": self.core.state_dict(), "average": self.average.state_dict(), "kept": self.kept,
                    "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
                    "generator": self.generator.get_state(), "random": torch.get_rng_state(),
                    "course": vars(self.course)}, out)  # fmt: skip
        return out.getvalue()

    def _restore(self) -> None:
        content = self.problem.checkpoints.read(f"{self.name}/epoch")
        if content is None:
            return
        found = torch.load(io.BytesIO(content), weights_only=True, map_location=self.problem.device)
        for name in ("core", "average", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(found[name])
        self.kept, self.course = found["kept"], Course(**found["course"])
        self.generator.set_state(found["generator"].cpu())
        torch.set_rng_state(found["random"].cpu())


def _packed(rows: list[np.ndarray], device: torch.device) -> torch.Tensor:
    """Row numbers a fold, [folds, most]; a fold with fewer begins again from its first."""
    most = max(len(each) for each in rows)
    return torch.stack([torch.from_numpy(each)[torch.arange(most) % len(each)] for each in rows]).to(device)


def _fitted(target: np.ndarray, scale: TargetScale | None) -> torch.Tensor:
    """The target as the loss takes it, [N]: float32 on the fitted scale, or int64 class codes."""
    return torch.from_numpy(target) if scale is None else torch.from_numpy(scale.encode(target)).float()
