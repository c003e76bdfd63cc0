"""The protocol's datatypes, and tensors of each to and from the bytes of the binary extension."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

BYTES = "BYTES"
"""Texts, or files: each element its length in four bytes, little-endian, then so many bytes."""

BF16 = "BF16"
"""The upper half of a float32, which numpy has no type for."""

NUMPY = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    BF16: np.dtype("<u2"),
}
"""What an element of each is in memory; of `BYTES` elements differ in length."""

LENGTH = struct.Struct("<I")


def numbers_of(datatype: str, raw: memoryview) -> np.ndarray:
    """The numbers, flat, of as many bytes as they need; they share the memory of `raw` where it is aligned."""
    kind = NUMPY[datatype]
    found = np.frombuffer(raw, kind)
    if datatype == BF16:
        return (found.astype("<u4") << 16).view("<f4")
    return found if found.flags.aligned else found.copy()


def parts_of(raw: memoryview) -> list[bytes]:
    """The elements of a `BYTES` tensor.

    Raises:
        ValueError: a length goes beyond the end.
    """
    found: list[bytes] = []
    at, end = 0, len(raw)
    while at < end:
        start = at + LENGTH.size
        if start > end:
            raise ValueError(f"element {len(found)}: expected the 4 bytes of its length, got {end - at}")
        at = start + LENGTH.unpack_from(raw, at)[0]
        if at > end:
            raise ValueError(f"element {len(found)}: expected {at - start} bytes, got {end - start}")
        found.append(bytes(raw[start:at]))
    return found


def packed(parts: Iterable[bytes]) -> bytes:
    """A `BYTES` tensor of these elements."""
    return b"".join(LENGTH.pack(len(part)) + part for part in parts)
