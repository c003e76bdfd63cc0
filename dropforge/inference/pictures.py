"""Pictures in a request to the pixels that a model of pictures takes, decoded exactly as in training.

A picture is the base64 of its file under `image` in a row, or the whole body of the request under its own content type.
Pillow is imported here when the first picture is decoded, so that models of tables never wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.schema import IMAGE
from dropforge.inference.faults import InputFault, ModelFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.schema import ImageInput, ModelCard

BODIES = ("image/jpeg", "image/jpg", "image/png", "image/webp", "image/bmp", "image/gif", "application/octet-stream")
"""Content types of a body that is one picture."""

MOST_PICTURES = 64
"""In one request; decoding is what takes the time."""

MOST_PIXELS = 100_000_000
"""Of all pictures of one request together, as their headers say: about three seconds of decoding."""


def to_pixels(card: ModelCard, values: Sequence[Any]) -> np.ndarray:
    """The input array of a model of pictures, uint8 [N, H, W, C].

    Args:
        card: of the model.
        values: base64 texts, or the bytes of files.

    Raises:
        InputFault: too many pictures or pixels, or what is no picture; it names the row.
        ModelFault: the card says not how a picture is read.
    """
    from dropforge.pictures import PictureFault, opened, pixels_of

    rule = card.image
    if rule is None:
        raise ModelFault("model file: expected its card to say how a picture is read, got nothing")
    if len(values) > MOST_PICTURES:
        message = f"expected at most {MOST_PICTURES} pictures a request, got {len(values)}: send several requests"
        raise InputFault("too_many_rows", message)
    found, total = [], 0
    for at, value in enumerate(values):
        try:
            picture = opened(_body(value, at))
            total += picture.size[0] * picture.size[1]
            if total > MOST_PIXELS:
                reason = f"expected at most {MOST_PIXELS:,} pixels in one request: send fewer pictures"
                raise InputFault("too_many_pixels", reason, row=at, column=IMAGE)
            found.append(pixels_of(picture, rule))
        except PictureFault as fault:
            raise InputFault("not_a_picture", str(fault), row=at, column=IMAGE) from fault
    return np.stack(found) if found else empty(rule)


def empty(rule: ImageInput) -> np.ndarray:
    """No picture at all."""
    return np.empty((0, rule.height, rule.width, rule.channels), np.uint8)


def _body(value: Any, row: int) -> bytes:
    """The file's bytes; a `data:` URL, as browsers make them, is read too."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        shown = "null" if value is None else type(value).__name__
        reason = f"expected the base64 of a picture's file, got {shown}"
        raise InputFault("wrong_type", reason, row=row, column=IMAGE)
    import base64

    text = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as fault:
        reason = f"expected the base64 of a picture's file: {fault}"
        raise InputFault("not_base64", reason, row=row, column=IMAGE) from fault
