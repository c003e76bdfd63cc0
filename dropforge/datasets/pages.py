"""How large a Parquet file is once unpacked, by the headers of its pages: the footer's own figures may claim anything.

A reader makes room for what a page header says and refuses a page that unpacks to more, so these headers are what
counts. They are walked without unpacking anything. The layout is Thrift's compact protocol (Apache Parquet format,
`parquet.thrift`); only the few fields needed are kept.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from pathlib import Path

STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
DEEPEST = 16

FILE_ROWS, ROW_GROUPS = 3, 4
"""Field numbers in FileMetaData."""

COLUMNS, GROUP_ROWS = 1, 3
"""Field numbers in RowGroup."""

META_DATA, VALUES, PACKED_SIZE, DATA_PAGE, DICTIONARY_PAGE = 3, 5, 7, 9, 11
"""Field numbers in ColumnChunk (the first) and ColumnMetaData."""

UNPACKED, PACKED = 2, 3
"""Field numbers in PageHeader."""

DATA_HEADERS, DICTIONARY_HEADER, COUNT = (5, 8), 7, 1
"""The kinds of page in PageHeader, and the number of values in each of them."""


class Size(NamedTuple):
    """How large a file or one of its columns is."""

    pages: int
    """Bytes of all pages once unpacked."""
    values: int
    """Bytes of all values once each is written out: a page of a few bytes may name a long word of the dictionary for
    every row. Words count with their average length."""


def unpacked_size(path: Path) -> Size:
    """The size of the file, by the headers of its pages.

    Raises:
        DataFault: the file is not laid out as Parquet is.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            chunks = [
                _chunk(data, chunk[META_DATA], group[GROUP_ROWS]) for group in _groups(data) for chunk in group[COLUMNS]
            ]
            return Size(sum(chunk.pages for chunk in chunks), sum(chunk.values for chunk in chunks))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as fault:
        if isinstance(fault, DataFault):
            raise
        raise DataFault("the Parquet file is damaged; expected a whole file: write and drop it again") from fault


def _groups(data: mmap.mmap) -> list[dict[int, Any]]:
    length = int.from_bytes(data[-8:-4], "little")
    if data[-4:] != b"PAR1" or length + 12 > len(data):
        raise DataFault("the Parquet file is cut short; expected b'PAR1' at its end: write and drop it again")
    footer = _Reader(data, len(data) - 8 - length).struct(0)
    groups: list[dict[int, Any]] = footer.get(ROW_GROUPS, [])
    _expect(all(group[GROUP_ROWS] >= 0 for group in groups), "row groups of a negative size")
    _expect(footer[FILE_ROWS] == sum(group[GROUP_ROWS] for group in groups), "row groups of another size than the file")
    return groups


def _chunk(data: mmap.mmap, meta: dict[int, Any], rows: int) -> Size:
    """The size of one column's pages, whose counts must agree: a reader asks for as much memory as they say."""
    start, end = min(meta[DATA_PAGE], meta.get(DICTIONARY_PAGE) or meta[DATA_PAGE]), meta[PACKED_SIZE]
    end += start
    _expect(4 <= start <= end <= len(data), "pages outside of the file")
    _expect(meta[VALUES] == rows, "a column of another length than its row group")
    reader, size, values, word = _Reader(data, start), 0, 0, 0.0
    while reader.at < end:
        header = reader.struct(0)
        counts = [header[kind][COUNT] for kind in (*DATA_HEADERS, DICTIONARY_HEADER) if kind in header]
        _expect(min(header[PACKED], header[UNPACKED], *counts) >= 0, "a page of a negative size")
        dictionary = header.get(DICTIONARY_HEADER)
        _expect(dictionary is None or dictionary[COUNT] <= header[UNPACKED], "more words than bytes")
        size += header[UNPACKED]
        if dictionary is not None and dictionary[COUNT]:
            word = header[UNPACKED] / dictionary[COUNT]
        values += sum(header[kind][COUNT] for kind in DATA_HEADERS if kind in header)
        reader.at += header[PACKED]
    _expect(values == rows, "pages of another length than their column")
    return Size(size, max(size, round(word * values)))


def _expect(right: bool, otherwise: str) -> None:
    if not right:
        raise ValueError(otherwise)


class _Reader:
    """Thrift's compact protocol, as far as Parquet uses it: structs become dicts by field number."""

    def __init__(self, data: mmap.mmap, place: int) -> None:
        self.data, self.at = data, place

    def struct(self, depth: int) -> dict[int, Any]:
        """The struct at the cursor."""
        if depth > DEEPEST:
            raise ValueError("nested too deep")
        values: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) & 15 != STOP:
            number = number + (head >> 4) if head >> 4 else self._signed()
            values[number] = self._value(head & 15, depth, inside=False)
        return values

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")
        return value | byte << shift

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _value(self, kind: int, depth: int, *, inside: bool) -> Any:
        if kind in (TRUE, FALSE):
            return self._byte() == TRUE if inside else kind == TRUE
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind in (LIST, SET):
            return self._list(depth)
        if kind == MAP:
            raise ValueError("a map, which Parquet has none of")
        if kind in (DOUBLE, BINARY, BYTE):
            length = self._varint() if kind == BINARY else {DOUBLE: 8, BYTE: 1}[kind]
            self.at += length
            return None
        return self._signed()

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 != 15 else self._varint()
        if count > len(self.data) - self.at:
            raise ValueError("a list longer than the file")
        return [self._value(head & 15, depth, inside=True) for _ in range(count)]
