"""The torch half of a model file: encoded tables in, the answer in the target's own unit (or probabilities) out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.encoding import Table

MARGIN = 0.1
"""An answer leaves the range of the training targets by at most this share of it."""


class Body(nn.Module):
    """`tail(core(groups))`; `forward` takes the tables named in `groups`, in that order, each [N, …]."""

    def __init__(self, groups: Sequence[str], core: nn.Module, tail: nn.Module) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.core = core
        self.tail = tail

    def forward(self, *tables: torch.Tensor) -> torch.Tensor:
        """float32 [N, 1] for regression, [N, classes] probabilities otherwise."""
        answer: torch.Tensor = self.tail(self.core(dict(zip(self.groups, tables, strict=True))))
        return answer


@torch.no_grad()
def predict(body: Body, table: Table) -> np.ndarray:
    """Answers for encoded rows on the body's device: float32 [N] values or [N, classes] probabilities."""
    body.eval()
    parts = [body(*chunk.groups.values()).cpu() for chunk in table.chunks()]
    answer = torch.cat(parts).numpy()
    return answer[:, 0] if isinstance(body.tail, RegressionTail) else answer


@dataclass(frozen=True)
class TargetScale:
    """How a regression target is fitted: plain or by its log1p, then standardised."""

    log: bool
    mean: float
    spread: float
    low: float
    high: float

    @classmethod
    def learn(cls, target: np.ndarray, *, log: bool) -> TargetScale:
        """The scale of the training targets [N]."""
        shaped = np.log1p(target) if log else target
        room = MARGIN * float(target.max() - target.min())
        return cls(log, float(shaped.mean()), float(shaped.std()) or 1.0, *_bounds(target, room))

    def encode(self, target: np.ndarray) -> np.ndarray:
        """Targets as the model fits them."""
        return ((np.log1p(target) if self.log else target) - self.mean) / self.spread


def _bounds(target: np.ndarray, room: float) -> tuple[float, float]:
    """Range of answers; a target that is never negative is never answered below 0."""
    low, high = float(target.min()), float(target.max())
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def target_scales(target: np.ndarray) -> list[TargetScale]:
    """The scales worth trying: plain, and the logarithm for targets that are never negative and lean far right."""
    spread = target.std()
    skew = float(np.mean(((target - target.mean()) / spread) ** 3)) if spread > 0 else 0.0
    logs = [False, True] if skew > 1 and target.min() >= 0 else [False]
    return [TargetScale.learn(target, log=log) for log in logs]


class RegressionTail(nn.Module):
    """From the fitted scale back to the target's unit, within the range that training saw and a margin."""

    def __init__(self, scale: TargetScale) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, fitted: torch.Tensor) -> torch.Tensor:
        """[N, 1] to [N, 1]."""
        value = fitted * self.scale.spread + self.scale.mean
        if self.scale.log:
            value = torch.expm1(value.clamp(max=80.0))  # e^80 is a float32 still
        return value.clamp(self.scale.low, self.scale.high)


class ClassTail(nn.Module):
    """Logits [N, classes] to probabilities."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """[N, classes], rows summing to 1."""
        return torch.softmax(logits, dim=1)


class LinearCore(nn.Module):
    """One affine map over features: the whole of a linear model."""

    weights: torch.Tensor
    bias: torch.Tensor

    def __init__(self, features: nn.Module, weights: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.features = features
        self.register_buffer("weights", weights.float())
        self.register_buffer("bias", bias.float())

    def forward(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """[N, outputs]: features [N, F] times weights [F, outputs], plus bias [outputs]."""
        features: torch.Tensor = self.features(groups)
        return features @ self.weights + self.bias
