"""A neural model for tables: piecewise linear numbers and embedded codes into a residual perceptron.

Trained by AdamW on mini-batches with a one-cycle learning rate, answering with a moving average of its weights, and
stopped when the validation loss has not improved for a while. The same code runs on a GPU when the tables lie there.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from training_container.models.body import Body, ClassTail, RegressionTail, target_scales
from training_container.models.family import Fitted, best
from training_container.models.features import Embedded, Features, Piecewise, RawNumbers, Standardised

if TYPE_CHECKING:
    import numpy as np

    from training_container.models.body import TargetScale
    from training_container.models.family import Problem
    from training_container.watch import Budget, Watch


@dataclass(frozen=True)
class Settings:
    """The dials of the neural model; `width` is the one for size."""

    width: int = 192
    layers: int = 2
    dropout: float = 0.1
    bins: int = 32
    batch: int = 320
    rate: float = 3e-3
    decay: float = 1e-2
    epochs: int = 40
    patience: int = 12
    average: float = 0.99
    """Decay of the moving average of weights, per step."""


class Perceptron(nn.Module):
    """Features → `layers` blocks of linear, SiLU, dropout with a way around each → outputs."""

    def __init__(self, features: Features, outputs: int, settings: Settings) -> None:
        super().__init__()
        self.features = features
        self.first = nn.Linear(features.width, settings.width)
        self.blocks = nn.ModuleList(nn.Linear(settings.width, settings.width) for _ in range(settings.layers - 1))
        self.dropout = nn.Dropout(settings.dropout)
        self.last = nn.Linear(settings.width, outputs)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """[N, outputs]."""
        hidden = self.dropout(functional.silu(self.first(self.features(groups))))
        for block in self.blocks:
            hidden = hidden + self.dropout(functional.silu(block(hidden)))
        answer: torch.Tensor = self.last(hidden)
        return answer


@dataclass
class Course:
    """How one training went: the losses of every epoch and the best weights so far."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_state: dict[str, torch.Tensor] = field(default_factory=dict)

    def note(self, train: float, validation: float, body: Body) -> None:
        """Adds an epoch; keeps the weights when the validation loss is the best so far."""
        self.train.append(train)
        self.validation.append(validation)
        if not self.best_state or validation < min(self.validation[:-1]):
            self.best_epoch = len(self.validation)
            self.best_state = {name: value.clone() for name, value in body.state_dict().items()}


class Neural:
    """The perceptron; for a target that leans far right, on its plain values and on its logarithm."""

    name = "neural"
    tasks = frozenset({"regression", "binary", "multiclass"})

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, problem: Problem, budget: Budget, watch: Watch) -> Fitted:
        """The best of the target scales that the budget allows; always at least one, of at least one epoch."""
        scales = target_scales(problem.train_target) if problem.task == "regression" else [None]
        found = []
        for at, scale in enumerate(scales):
            part = watch.within(at / len(scales), (at + 1) / len(scales))
            found.append(self._train(problem, scale, budget, part))
            if not budget.left:
                break
        return best(problem, found)

    def _train(self, problem: Problem, scale: TargetScale | None, budget: Budget, watch: Watch) -> Fitted:
        body = self._build(problem, scale)
        average = copy.deepcopy(body)
        course, generator = Course(), torch.Generator().manual_seed(problem.seed)
        step = Stepper(body, average, problem, scale, self._settings_for(len(problem.train)))
        for epoch in range(1, step.settings.epochs + 1):
            train = step.epoch(generator, budget)
            course.note(train, step.validation_loss(), average)
            share = max(epoch / step.settings.epochs, budget.share)
            watch.tell(share, epoch=epoch, train_loss=train, validation_loss=course.validation[-1])
            if epoch - course.best_epoch >= step.settings.patience or not budget.left:
                break
        average.load_state_dict(course.best_state)
        for module in average.modules():
            if isinstance(module, Embedded):
                module.settle(problem.train.codes)
        return Fitted(average, problem.validate(average), self._told(problem, scale, course, step.settings),
                      {"train_loss": course.train, "validation_loss": course.validation})  # fmt: skip

    def _build(self, problem: Problem, scale: TargetScale | None) -> Body:
        torch.manual_seed(problem.seed)
        table = problem.train
        raw = RawNumbers(table)
        numbers, pieces = Standardised(raw, table), Piecewise(raw, table, self.settings.bins)
        features = Features(numbers, pieces, Embedded(problem.sizes))
        tail = ClassTail() if scale is None else RegressionTail(scale)
        body = Body(tuple(table.groups), Perceptron(features, max(problem.classes, 1), self.settings), tail)
        return body.to(problem.device)

    def _settings_for(self, rows: int) -> Settings:
        """Smaller batches and more patience for few rows, so that there are steps enough; larger batches for many."""
        given = self.settings
        if rows < 4000:
            return replace(given, batch=max(32, given.batch // 4), patience=given.patience + 4)
        if rows > 100_000:
            return replace(given, batch=given.batch * 4)
        return replace(given, batch=given.batch * 2) if rows > 24_000 else given

    @staticmethod
    def _told(problem: Problem, scale: TargetScale | None, course: Course, settings: Settings) -> dict[str, object]:
        log = {} if scale is None else {"log_target": scale.log}
        return {
            **vars(settings),
            "epochs": len(course.train),
            "best_epoch": course.best_epoch,
            "seed": problem.seed,
            **log,
        }


class Stepper:
    """One optimizer over one body: runs epochs, keeps the moving average of the weights, and measures it.

    The loss is the mean squared error of the standardised target, or cross-entropy.
    """

    def __init__(
        self, body: Body, average: Body, problem: Problem, scale: TargetScale | None, settings: Settings
    ) -> None:
        self.body, self.average, self.settings, self.problem = body, average, settings, problem
        self.loss = functional.cross_entropy if scale is None else functional.mse_loss
        self.target = _fitted(problem.train_target, scale).to(problem.device)
        self.wanted = _fitted(problem.validation_target, scale).to(problem.device)
        self.optimizer = torch.optim.AdamW(body.parameters(), lr=settings.rate, weight_decay=settings.decay)
        steps = settings.epochs * math.ceil(len(problem.train) / settings.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.rate, total_steps=steps + 1, pct_start=0.15
        )

    def epoch(self, generator: torch.Generator, budget: Budget) -> float:
        """One pass over the training rows in a fresh order (cut when the budget ends); the mean loss."""
        self.body.train()
        order = torch.randperm(len(self.problem.train), generator=generator).to(self.problem.device)
        total, seen = torch.zeros((), device=self.problem.device), 0
        for rows in torch.split(order, self.settings.batch):
            total += self._step(rows) * len(rows)
            seen += len(rows)
            if not budget.left:
                break
        return float(total) / seen

    def _step(self, rows: torch.Tensor) -> torch.Tensor:
        loss = self.loss(self.body.core(self.problem.train.take(rows).groups), self.target[rows])
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.body.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        with torch.no_grad():
            kept: list[torch.Tensor] = list(self.average.parameters())
            torch._foreach_lerp_(kept, list(self.body.parameters()), 1 - self.settings.average)
        return loss.detach()

    @torch.no_grad()
    def validation_loss(self) -> float:
        """The averaged model's loss on the validation rows."""
        self.average.eval()
        answers = [self.average.core(chunk.groups) for chunk in self.problem.validation.chunks()]
        return float(self.loss(torch.cat(answers), self.wanted))


def _fitted(target: np.ndarray, scale: TargetScale | None) -> torch.Tensor:
    """The target as the loss takes it: float32 [N, 1] on the fitted scale, or int64 class codes [N]."""
    return torch.from_numpy(target) if scale is None else torch.from_numpy(scale.encode(target)).float()[:, None]
