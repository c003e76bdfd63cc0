"""Every choice that one training run of pictures is made with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """Every choice that one training run is made with."""

    width: int
    threads: int
    half: bool
    """bfloat16 in the convolutions, float32 in weights, norms and loss."""
    flip: bool = False
    flip_trial: tuple[float, float] | None = None
    """Validation log-loss of the trials without and with flips; None where neither was run."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, for metrics and checkpoint."""
        return asdict(self)
