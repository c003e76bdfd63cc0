"""A trained network with the pictures that it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from training_container.tasks.images.fit import Fitted
    from training_container.tasks.images.sets import ImageSet


@dataclass(frozen=True)
class ImageModel:
    """The network, the pictures, and the network's answers to the hold-out."""

    images: ImageSet
    fitted: Fitted
    answers: np.ndarray
    """Probabilities float32 [N, classes]."""
