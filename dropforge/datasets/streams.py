"""Bytes of a file, unpacked when they are gzip, never more than a bound: a bomb is found before it is in memory."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 16 * 2**30
"""Most bytes of one file, unpacked: a bound for bombs and for the scratch disk, not for memory."""

CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"


def is_gzip(path: Path) -> bool:
    """Whether the file starts as gzip does, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def chunks(path: Path, unpack: bool, bound: int | None = None) -> Iterator[bytes]:
    """The file's bytes, a mebibyte at a time.

    Raises:
        DataFault: more than `bound` bytes (`MAX_BYTES` when None), or gzip that is cut short or damaged.
    """
    most, read = MAX_BYTES if bound is None else bound, 0
    try:
        with gzip.open(path) if unpack else path.open("rb") as file:
            while block := file.read(CHUNK):
                read += len(block)
                if read > most:
                    raise DataFault(
                        f"more than {most} bytes unpacked; expected at most that: drop fewer rows or columns"
                    )
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise DataFault(
            f"the gzip stream is damaged ({fault}); expected a whole file: pack and drop it again"
        ) from fault


def head(path: Path, unpack: bool, size: int) -> tuple[bytes, bool]:
    """The first `size` bytes or so, and whether that is the whole file."""
    taken: list[bytes] = []
    for block in chunks(path, unpack):
        if sum(map(len, taken)) >= size:
            return b"".join(taken), False
        taken.append(block)
    return b"".join(taken), True
