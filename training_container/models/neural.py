"""A neural model for tables: piecewise linear numbers and embedded codes into packed ensembles, one a fold.

All folds are trained at once as one batched program on the encoded table, which lies on the training device: on a GPU
in bfloat16 with float32 masters, on a CPU in float32. AdamW on mini-batches with a one-cycle learning rate; a moving
average of the weights answers, and every fold keeps its own best epoch, decided on the device.
"""

from __future__ import annotations

import copy
import io
import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from training_container.models.body import Answer, Body, ClassTail, RegressionTail
from training_container.models.family import Fitted
from training_container.models.features import Features, Piecewise, RawNumbers, Standardised
from training_container.models.packed import PackedEmbedding, PackedNet

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import optuna

    from training_container.models.body import TargetScale
    from training_container.models.family import Problem
    from training_container.watch import Budget, Watch


PACE = 5
"""Steps that are timed to see how long a course would be."""


@dataclass(frozen=True)
class Settings:
    """The dials of the neural model; `width` is the one for size."""

    width: int = 96
    layers: int = 2
    members: int = 2
    """Networks a fold."""
    dropout: float = 0.1
    bins: int = 32
    batch: int = 256
    rate: float = 3e-3
    decay: float = 1e-2
    epochs: int = 40
    patience: int = 8
    average: float = 0.99
    """Decay of the moving average of weights, per step."""


class PackedCore(nn.Module):
    """Dense features and embedded codes into the packed net; answers the mean margin of all folds and members."""

    def __init__(self, problem: Problem, settings: Settings) -> None:
        super().__init__()
        raw, folds = RawNumbers(problem.rows), len(problem.folds)
        self.features = Features(Standardised(raw, problem.rows), Piecewise(raw, problem.rows, settings.bins))
        self.embedding = PackedEmbedding(folds, problem.sizes)
        self.folds = folds
        given = self.features.width + self.embedding.width
        self.net = PackedNet(folds, settings.members, given, settings.width, settings.layers, problem.outputs,
                             settings.dropout)  # fmt: skip

    def dense(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """What needs no learning: float32 [N, features]."""
        if not self.features.width:
            codes = groups["codes"]  # `len` would be a constant of the exported graph
            return torch.zeros((codes.shape[0], 0), device=codes.device)
        found: torch.Tensor = self.features(groups)
        return found

    def margins(self, dense: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """[folds, B, features] and [folds, B, columns] to [folds, members, B, outputs]."""
        features = torch.cat([dense, self.embedding(codes)], dim=2) if self.embedding.width else dense
        margins: torch.Tensor = self.net(features)
        return margins

    def forward(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """[N, outputs]."""
        dense = self.dense(groups).expand(self.folds, -1, -1)
        codes = groups["codes"].expand(self.folds, -1, -1) if self.embedding.width else dense
        return self.margins(dense, codes).mean(dim=(0, 1))


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
class Neural:
    """The packed ensembles."""

    settings: Settings = field(default_factory=Settings)
    name: str = "neural"
    tasks: frozenset[str] = frozenset({"regression", "binary", "multiclass"})

    def fit(self, problem: Problem, budget: Budget, watch: Watch,
            after: Callable[[int, float], None] | None = None) -> Fitted:  # fmt: skip
        """One training of all folds, of at least one epoch."""
        scale = problem.scale
        trainer = Trainer(problem, scale, self._settings_for(len(problem.rows)), self.name)
        trainer.run(budget, watch, after)
        tail = ClassTail() if scale is None else RegressionTail(scale)
        answers = trainer.answers(tail)
        core = trainer.average
        core.embedding.settle(problem.rows.codes)
        body = Body(tuple(problem.rows.groups), Answer(core, tail)).to(problem.device)
        log = {} if scale is None else {"log_target": scale.log}
        told = {**vars(trainer.settings), "epochs": len(trainer.course.train), "seed": problem.seed, **log}
        curves = {"train_loss": trainer.course.train, "validation_loss": trainer.course.validation}
        return Fitted(body, answers, problem.score(answers), told, curves)

    def worth(self, problem: Problem, budget: Budget) -> bool:
        """Whether there is time for the whole course: networks that are cut are seldom chosen."""
        settings = self._settings_for(len(problem.rows))
        epoch = Trainer(problem, problem.scale, settings, self.name).pace()
        return epoch * settings.epochs < budget.left

    def tuned(self, trial: optuna.Trial, name: str) -> Neural:
        """The family at the settings that `trial` suggests."""
        return Neural(replace(
            self.settings,
            width=trial.suggest_int("width", 48, 192, step=16),
            layers=trial.suggest_int("layers", 1, 3),
            dropout=trial.suggest_float("dropout", 0.0, 0.3),
            bins=trial.suggest_int("bins", 8, 64, log=True),
            rate=trial.suggest_float("rate", 1e-3, 8e-3, log=True),
            decay=trial.suggest_float("decay", 1e-4, 1e-1, log=True),
        ), name)  # fmt: skip

    @staticmethod
    def grid() -> dict[str, list[Any]]:
        """The values of a grid search, by the names that `tuned` suggests."""
        return {"width": [64, 128], "layers": [2, 3], "dropout": [0.0, 0.1], "bins": [16, 48], "rate": [2e-3, 5e-3],
                "decay": [1e-2]}  # fmt: skip

    def _settings_for(self, rows: int) -> Settings:
        """Smaller batches and more patience for few rows, so that there are steps enough; larger batches for many."""
        given = self.settings
        if rows < 5000:
            return replace(given, batch=max(32, given.batch // 4), patience=given.patience + 4)
        return replace(given, batch=given.batch * 4) if rows > 100_000 else given


class Trainer:
    """One optimizer over all folds. The loss is the mean squared error of the scaled target, or cross-entropy."""

    def __init__(self, problem: Problem, scale: TargetScale | None, settings: Settings, name: str) -> None:
        torch.manual_seed(problem.seed)
        self.problem, self.settings, self.name = problem, settings, name
        self.core = PackedCore(problem, settings).to(problem.device)
        self.average = copy.deepcopy(self.core)
        self.kept = {key: value.clone() for key, value in self.core.state_dict().items()}
        self.course = Course()
        self.generator = torch.Generator().manual_seed(problem.seed)
        with torch.no_grad():
            self.dense = torch.cat([self.core.dense(chunk.groups) for chunk in problem.rows.chunks()])
        self.codes, self.target = problem.rows.codes, _fitted(problem.target, scale).to(problem.device)
        self.learn, self.held = (_packed([pair[at] for pair in problem.folds], problem.device) for at in (0, 1))
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
            if key.startswith(("net.", "embedding.")):
                self.kept[key][better] = value[better]
        self.course.best = losses if best is None else torch.minimum(losses, best)
        self.course.validation.append(float(losses.mean()))
        self.course.since = 0 if bool(better.any()) else self.course.since + 1

    @torch.no_grad()
    def answers(self, tail: nn.Module) -> np.ndarray:
        """Out-of-fold answers, float32 [N] or [N, classes]."""
        margins, answers = self._margins(self.held), self.problem.empty()
        for fold, (_, held) in enumerate(self.problem.folds):
            found = tail(margins[fold, : len(held)]).cpu().numpy()
            answers[held] = found if self.problem.classes else found[:, 0]
        return answers

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
