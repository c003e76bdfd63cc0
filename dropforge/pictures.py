"""A picture's file to the pixels that a model reads: the one way, for training and serving alike.

    bytes → first frame → turned as its EXIF says → 8 bits → alpha on white → grey or RGB → stretched, bilinear

Both sides import this module with the same pinned Pillow, so that the pixels are equal to the last bit; the rules in
words stand in `docs/images.md`. It needs Pillow and numpy and nothing else.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, WebPImagePlugin  # noqa: F401  # the last registers WebP

from dropforge.contract.errors import OwnerError

if TYPE_CHECKING:
    from dropforge.contract.schema import ImageInput

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""Pillow's names of what is read; whatever else a file is, it is refused."""

MOST_PIXELS = 50_000_000
"""Of one picture, by its header: a few kilobytes can claim gigabytes, so this is checked before a pixel is decoded."""

MOST_RATIO = 50
"""Longer side to shorter: a stretch of more leaves nothing to see."""

DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
"""Modes of 16 bits a pixel, of which the upper 8 are kept."""


class PictureFault(OwnerError, ValueError):
    """Bytes that are no picture that can be read; the message says what was found and what was expected."""


def opened(body: bytes) -> Image.Image:
    """The picture with its header read and checked, no pixel decoded.

    Raises:
        PictureFault: another format, a broken header, or too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own warning of large pictures: the limit here is lower
            picture = Image.open(io.BytesIO(body), formats=FORMATS)
    except UnidentifiedImageError as fault:
        raise PictureFault(f"no JPEG, PNG, WebP, BMP or GIF: {_shown(body)}; convert it") from fault
    except Image.DecompressionBombError as fault:
        raise PictureFault(f"expected at most {MOST_PIXELS:,} pixels: {fault}") from fault
    except Exception as fault:  # Pillow's readers raise classes of every kind on broken headers
        raise _broken(fault) from fault
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise PictureFault(f"{width} x {height} pixels; expected at most {MOST_PIXELS:,} in all: shrink it")
    if max(width, height) > MOST_RATIO * min(width, height):
        raise PictureFault(f"{width} x {height} pixels; expected sides of at most {MOST_RATIO} to 1: crop it")
    return picture


def decoded(body: bytes, rule: ImageInput) -> np.ndarray:
    """The model's input, uint8 [height, width, channels].

    Raises:
        PictureFault: the bytes are no picture that can be read.
    """
    return pixels_of(opened(body), rule)


def pixels_of(picture: Image.Image, rule: ImageInput) -> np.ndarray:
    """The opened picture as the model's input, uint8 [height, width, channels].

    Raises:
        PictureFault: its pixels cannot be decoded, as when the file is cut short.
    """
    try:
        upright = ImageOps.exif_transpose(picture)  # decodes; of an animation the first frame
        plain = _plain(upright).convert("L" if rule.channels == 1 else "RGB")
        small = plain.resize((rule.width, rule.height), Image.Resampling.BILINEAR)
    except Exception as fault:  # Pillow's decoders raise classes of every kind on broken data
        raise _broken(fault) from fault
    return np.asarray(small, dtype=np.uint8).reshape(rule.height, rule.width, rule.channels)


def png_of(pixels: np.ndarray) -> bytes:
    """Pixels uint8 [H, W, C] as a PNG file; `decoded` at the same size gives the same pixels back."""
    out = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.save(out, format="PNG", compress_level=6)
    return out.getvalue()


def _plain(picture: Image.Image) -> Image.Image:
    """In 8 bits a channel and without transparency, which shows white."""
    if picture.mode in DEEP:
        wide = np.asarray(picture).astype(np.int64)
        return Image.fromarray(np.clip(wide >> 8, 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return picture if picture.mode in ("L", "RGB") else picture.convert("L" if picture.mode == "1" else "RGB")


def _shown(body: bytes) -> str:
    return f"{len(body)} bytes that begin with {body[:8]!r}" if body else "an empty file"


def _broken(fault: Exception) -> PictureFault:
    said = " ".join(str(fault).split())[:200] or type(fault).__name__
    return PictureFault(f"a broken picture ({said}): save it anew")
