"""Scales of a regression target: plain or by its logarithm, standardised, and the way back inside the model file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

LEAST_MEAN_FOR_LOG = 0.05
"""Targets of a smaller mean are not fitted by their logarithm."""

RANGE_MARGIN = 0.1
"""An answer leaves the range of the training targets by at most this share of the range."""


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
        room = RANGE_MARGIN * float(target.max() - target.min())
        return cls(log, float(shaped.mean()), float(shaped.std()) or 1.0, *_bounds(target, room))

    def encode(self, target: np.ndarray) -> np.ndarray:
        """Targets as the model fits them."""
        return ((np.log1p(target) if self.log else target) - self.mean) / self.spread


def _bounds(target: np.ndarray, room: float) -> tuple[float, float]:
    """Range of answers; a target that is never negative is never answered below 0."""
    low, high = float(target.min()), float(target.max())
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def target_scales(target: np.ndarray) -> list[TargetScale]:
    """The scales worth trying: plain, and the logarithm for targets that are never negative and lean far right.

    `log1p` bends nothing where targets are far below 1: there it would only cost digits.
    """
    spread = target.std()
    skew = float(np.mean(((target - target.mean()) / spread) ** 3)) if spread > 0 else 0.0
    logs = [False, True] if skew > 1 and target.min() >= 0 and target.mean() > LEAST_MEAN_FOR_LOG else [False]
    return [TargetScale.learn(target, log=log) for log in logs]


class RegressionTail(nn.Module):
    """From the fitted scale back to the target's unit, within the range that training saw and a margin.

    In float64, and with tensors for its figures: the exporter takes a plain number below 1e-8 for none, and ONNX has
    no `expm1`, so that float32 would lose the digits of a target in small units.
    """

    figures: torch.Tensor

    def __init__(self, scale: TargetScale) -> None:
        super().__init__()
        self.log = scale.log
        figures = (scale.spread, scale.mean, scale.low, scale.high)
        self.register_buffer("figures", torch.tensor(figures, dtype=torch.float64)[:, None, None])

    def forward(self, fitted: torch.Tensor) -> torch.Tensor:
        """[N, 1] to float32 [N, 1]."""
        spread, mean, low, high = self.figures
        value = fitted.double() * spread + mean
        if self.log:
            value = torch.expm1(value.clamp(max=80.0))  # e^80 is a float32 still
        return torch.minimum(torch.maximum(value, low), high).float()
