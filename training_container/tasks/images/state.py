"""The state of a training run that a checkpoint must hold, beside the network and its optimizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class RunState:
    """How far the run is, its best weights, and its curves."""

    spent: float = 0.0
    """Seconds of the budget, over all attempts."""
    epoch: int = 0
    batch: int = 0
    """The next one of the epoch."""
    best: float = float("inf")
    """Lowest validation log-loss."""
    stale: int = 0
    best_weights: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=lambda: {"train/loss": [], "validation/logloss": [],
                                                                   "validation/accuracy": []})  # fmt: skip
