"""Text files as blocks of UTF-8 bytes that end where a row ends: what a file holds never lies in memory whole."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from dropforge.datasets import streams
from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dropforge.contract.plan import DataFormat

BLOCK = 16 << 20
"""Bytes of a block, but for the row that is cut off at its end."""

LONGEST_ROW = 64 << 20
"""Bytes of one row: a file without line breaks is no table."""

LONGEST_QUOTED = 1 << 20
"""Bytes that quotes may hold together across line breaks: more is a quote that stands astray."""


def text_blocks(path: Path, data_format: DataFormat) -> Iterator[bytes]:
    """The file's text as UTF-8 without a byte order mark, in blocks of whole rows; the last may lack its line break.

    Raises:
        DataFault: NUL bytes, text that is not in the format's encoding, a row longer than `LONGEST_ROW`.
    """
    held: list[bytes] = []
    size = position = quotes = 0
    for chunk in unix_lines(_utf8(path, data_format), data_format):
        size += len(chunk)
        end = row_end(chunk, quotes) if size >= BLOCK else 0
        if end == 0 and size > LONGEST_ROW:
            raise DataFault(f"a row of more than {LONGEST_ROW} bytes; expected rows that end in a line break: split it")
        if end:
            block = b"".join([*held, chunk[:end]])
            check_text(block, position)
            yield block
            position += len(block)
            held, size, quotes, chunk = [], len(chunk) - end, 0, chunk[end:]
        held.append(chunk)
        quotes += chunk.count(b'"')
    if size:
        block = b"".join(held)
        check_text(block, position)
        yield block


def unix_lines(chunks: Iterable[bytes], data_format: DataFormat) -> Iterator[bytes]:
    """UTF-8 text from its header on, lines ending in a line feed."""
    held, skip = b"", data_format.skipped_lines
    for chunk in chunks:
        text = chunk.replace(b"\r", b"\n") if data_format.carriage_returns else chunk
        if skip:
            held += text
            if held.count(b"\n") < skip:
                continue
            text, held, skip = held.split(b"\n", skip)[-1], b"", 0
        yield text


def _utf8(path: Path, data_format: DataFormat) -> Iterator[bytes]:
    chunks = streams.chunks(path, data_format.gzip)
    if data_format.encoding == "utf-8":
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(data_format.encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as fault:
        raise DataFault(f"{fault}; expected {data_format.encoding} text: save it as utf-8") from fault


def row_end(raw: bytes, before: int = 0) -> int:
    """Where the last whole row ends, 0 for nowhere; a line break inside quotes (an odd number before it) ends no row.

    `before` quotes stand in the row's text before `raw`.

    Where stray quotes leave the count odd for `LONGEST_QUOTED` bytes, the last line break is as good as any.
    """
    last = end = raw.rfind(b"\n")
    quotes = before + raw.count(b'"', 0, max(end, 0))
    while quotes % 2 and end >= max(0, last - LONGEST_QUOTED):
        above = raw.rfind(b"\n", 0, end)
        quotes -= raw.count(b'"', max(above, 0), end)
        end = above
    return (last if quotes % 2 else end) + 1


def check_text(raw: bytes, start: int = 0) -> None:
    """Refuses, with `DataFault`, a NUL byte or text that is no UTF-8; `at` bytes stand before it in the file."""
    place = raw.find(b"\0")
    if place >= 0:
        raise DataFault(f"there is a NUL byte at byte {start + place}; expected text: export it again as utf-8")
    try:
        if not raw.isascii():
            raw.decode()
    except UnicodeDecodeError as fault:
        raise DataFault(f"{fault}; expected utf-8 text: save it as utf-8") from fault
