"""Pictures changed a little, so that the network cannot learn them by heart: whole batches at once, on their device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a picture of the training part; validation, hold-out and serving see it as it is."""

    flip: bool
    """Mirrored left to right, every second one; the validation part decides whether that helps."""
    shift: int
    """Pixels it is moved at most, up, down, left and right; the edge is repeated."""
    cutout: int
    """Side of the square that is blanked in every second one, at a random place; 0 for none."""

    @classmethod
    def of_side(cls, side: int, *, flip: bool) -> Augmentation:
        """As much as a picture of this side can bear: a shift of a fourteenth, a cutout of a quarter."""
        return cls(flip, max(1, side // 14), side // 4 if side >= 16 else 0)

    def apply(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Changed copies of uint8 [N, H, W, C]."""
        count, height, width = pixels.shape[:3]
        device = pixels.device
        rows = torch.arange(height, device=device) + self._moved(count, device, generator)
        columns = torch.arange(width, device=device) + self._moved(count, device, generator)
        if self.flip:
            mirrored = torch.rand(count, 1, device=device, generator=generator) < 0.5
            columns = torch.where(mirrored, width - 1 - columns, columns)
        rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
        picture = torch.arange(count, device=device)[:, None, None]
        changed = pixels[picture, rows[:, :, None], columns[:, None, :]]
        return self._cut(changed, generator) if self.cutout else changed

    def _moved(self, count: int, device: torch.device, generator: torch.Generator) -> Tensor:
        return torch.randint(-self.shift, self.shift + 1, (count, 1), device=device, generator=generator)

    def _cut(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        count, height, width = pixels.shape[:3]
        inside = []
        for length in (height, width):
            first = torch.randint(1 - self.cutout, length, (count, 1), device=pixels.device, generator=generator)
            places = torch.arange(length, device=pixels.device)
            inside.append((places >= first) & (places < first + self.cutout))
        half = torch.rand(count, 1, 1, device=pixels.device, generator=generator) < 0.5
        blank = inside[0][:, :, None] & inside[1][:, None, :] & half
        return pixels.masked_fill(blank[..., None], 0)
