"""How large the network's pictures are, and whether they have colours: chosen from the data, the same each time.

Small pictures stay as they are: 28 × 28 grey digits are learned from as 28 × 28 grey digits. Larger ones are shrunk to
a square whose side is the largest of `SIDES` that most pictures fill and that a pass over all of them can bear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.schema import ImageInput
from dropforge.datasets.faults import DataFault
from dropforge.datasets.zipped import read_member
from dropforge.pictures import PictureFault, opened, pixels_of

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Sequence

    from dropforge.datasets.zipped import Member

SAMPLED_PICTURES = 400
"""Pictures, spread evenly over the zip, that decide."""
LARGEST_KEPT_SIDE = 40
"""Pixels: pictures with no longer side, all of one size, keep it."""
SIDES = (128, 96, 64, 48, 32)
SMALLEST_SIDE = 8
MOST_PIXELS = 60_000_000
"""Of one pass over all pictures: a CPU sees about as many in the minutes of a usual budget several times."""
MOST_GREY_SPREAD = 6
"""Levels that the colours of a grey picture may differ by, as JPEG makes them."""


def rule_for(archive: zipfile.ZipFile, members: Sequence[Member]) -> ImageInput:
    """Height, width and channels.

    Raises:
        DataFault: not one picture of the sample can be read.
    """
    sizes, coloured = [], False
    for member in members[:: max(1, len(members) // SAMPLED_PICTURES)]:
        try:
            picture = opened(read_member(archive, member))
            small = pixels_of(picture, ImageInput(32, 32, 3)).astype(int)
            turned = picture.getexif().get(0x0112, 1) >= 5  # the orientations that lie on their side
        except (PictureFault, ValueError):
            continue
        sizes.append(picture.size[::-1] if not turned else picture.size)
        coloured = coloured or bool((small.max(axis=-1) - small.min(axis=-1)).max() > MOST_GREY_SPREAD)
    if not sizes:
        raise DataFault(f"not one of {len(members)} pictures can be read; expected JPEG, PNG, WebP, BMP or GIF: "
                        "open some of them and save them anew")  # fmt: skip
    height, width = side_for(np.array(sizes), len(members))
    return ImageInput(height, width, 3 if coloured else 1)


def side_for(sizes: np.ndarray, count: int) -> tuple[int, int]:
    """Height and width for `count` pictures, some of which have these sizes [N, 2]."""
    (low_height, low_width), (high_height, high_width) = sizes.min(axis=0).tolist(), sizes.max(axis=0).tolist()
    same = (low_height, low_width) == (high_height, high_width)
    if same and max(high_height, high_width) <= LARGEST_KEPT_SIDE and min(low_height, low_width) >= SMALLEST_SIDE:
        return high_height, high_width
    natural = float(np.median(np.sqrt(sizes.prod(axis=1))))
    if natural < SIDES[-1]:
        side = max(SMALLEST_SIDE, round(natural))
        return side, side
    side = next((side for side in SIDES if side <= natural and count * side**2 <= MOST_PIXELS), SIDES[-1])
    return side, side
