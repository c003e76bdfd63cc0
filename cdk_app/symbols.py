"""Cuts the symbol tables off shared libraries, whose loader does not read them.

polars is built with the name of every function in it, 40 MB of 178. What is loaded of an ELF file is named by its
program headers; everything behind the last of their segments, and the table of sections that points there, serves
debuggers. `strip` does the same, but not every machine that deploys has one for Linux's files.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x7fELF\x02\x01"
"""An ELF file of 64 bits, little endian."""
SECTION_TABLE, SECTION_COUNT = 40, 60
"""Places in the file's header: where the table of sections begins; how many there are, and which has their names."""
PROGRAM_TABLE, PROGRAM_COUNT = 32, 54
"""Where the table of segments begins; the size of an entry and how many there are."""
SEGMENT_OFFSET, SEGMENT_SIZE = 8, 32
"""Places in an entry of that table: where a segment begins in the file, and its bytes there."""


def cut_symbols(path: Path) -> int:
    """Cuts the file at `path` behind its last segment; returns how many bytes that saved, 0 if there was nothing.

    Raises:
        ValueError: the file is no 64-bit ELF library.
    """
    body = bytearray(path.read_bytes())
    if not body.startswith(MAGIC):
        raise ValueError(f"{path.name}: expected a 64-bit ELF library, got a file that begins with {bytes(body[:6])!r}")
    end = _end_of_segments(body)
    struct.pack_into("<Q", body, SECTION_TABLE, 0)
    struct.pack_into("<HH", body, SECTION_COUNT, 0, 0)
    path.write_bytes(body[:end])
    return len(body) - end


def _end_of_segments(body: bytearray) -> int:
    (table,) = struct.unpack_from("<Q", body, PROGRAM_TABLE)
    size, count = struct.unpack_from("<HH", body, PROGRAM_COUNT)
    ends = [table + size * count]
    for at in range(table, table + size * count, size):
        offset, length = (struct.unpack_from("<Q", body, at + place)[0] for place in (SEGMENT_OFFSET, SEGMENT_SIZE))
        ends.append(offset + length)
    return int(max(ends))
