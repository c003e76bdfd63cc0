"""The native half of the parity proof: Python's encoding and torch's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_container.models.predictor import predict

if TYPE_CHECKING:
    import numpy as np

    from training_container.encoding import Encoder
    from training_container.models.predictor import Predictor


@dataclass(frozen=True)
class Native:
    """A trained model in torch: raw columns in, answers out. The model file must answer the same."""

    encoder: Encoder
    predictor: Predictor

    def answer(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """[N] values or [N, classes] probabilities."""
        return predict(self.predictor, self.encoder.encode(values))
