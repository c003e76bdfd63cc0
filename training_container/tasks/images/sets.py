"""What the image trainer learns from: decoded pictures in three parts, and what was found on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dropforge.contract.schema import ImageInput
    from dropforge.contract.tasks import Task


@dataclass(frozen=True)
class Pictures:
    """Decoded pictures uint8 [N, H, W, C], and their class codes int64 [N]."""

    pixels: NDArray[np.uint8]
    codes: NDArray[np.int64]
    names: tuple[str, ...] = ()
    """Their places in the zip, [N]; empty where they came from elsewhere."""

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.codes)

    def take(self, index: NDArray[np.int64]) -> Pictures:
        """The pictures at these positions."""
        names = tuple(self.names[place] for place in index) if self.names else ()
        return Pictures(self.pixels[index], self.codes[index], names)


@dataclass(frozen=True)
class ImageSet:
    """An image data set ready to learn from."""

    classes: tuple[str, ...]
    """Sorted names of the folders."""
    rule: ImageInput
    """How a picture becomes the network's input, in training and in serving."""
    train: Pictures
    validation: Pictures
    holdout: Pictures
    counts: dict[str, int]
    """`read`, `duplicates`, `contradicting`, `unreadable`, `train`, `validation`, `holdout`."""
    unreadable: tuple[str, ...] = ()
    """`<name>: <why>` of every picture that was left out."""
    profile: dict[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """Two classes or more."""
        return "binary" if len(self.classes) == 2 else "multiclass"
