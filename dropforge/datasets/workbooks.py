"""An Excel workbook before its values are read: its sheets, and how large they would be in memory.

An .xlsx is a zip of XML. A few bytes of it can unpack to gigabytes, and two cells far apart make a reader lay out every
cell between them, so that both are measured here first, in memory that does not grow. Needs the standard library alone.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from xml.parsers import expat

from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_BYTES = 1 << 30
"""Unpacked, all members together."""

MOST_CELLS = 10_000_000
"""Cells between the first and the last one with a value: the reader takes about 80 bytes for each."""

MOST_DIRECTORY = 1 << 22
"""Bytes of the parts that list the sheets."""

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
              KeyError, expat.ExpatError)  # fmt: skip
"""What Python's readers raise on broken zips and XML."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of rows and columns."""

    name: str
    member: str
    """Its file in the zip."""
    hidden: bool
    has_values: bool


def sheets_of(path: Path) -> list[Sheet]:
    """The sheets of the workbook at `path` in their order, without charts and macros.

    Raises:
        DataFault: it is no workbook, is damaged, or unpacks to more than `MOST_BYTES`.
    """
    with _archive(path) as archive:
        targets = _relations(archive, path.name)
        listed: list[dict[str, str]] = []
        _parse(_directory(archive, "xl/workbook.xml", path.name), {"sheet": listed.append})
        found = [(sheet, targets[sheet["id"]]) for sheet in listed if sheet.get("id") in targets]
        return [
            Sheet(each.get("name", ""), member, each.get("state", "visible") != "visible", _any_value(archive, member))
            for each, member in found
        ]


def check_cells(path: Path, sheet: Sheet) -> None:
    """Refuses, with `DataFault`, a sheet of more than `MOST_CELLS` cells, and members that are larger than they say."""
    extent = _Extent()
    with _archive(path) as archive:
        for member in archive.infolist():
            _check_size(archive, member)
        with archive.open(sheet.member) as file:
            extent.read(file)
    if extent.cells > MOST_CELLS:
        raise DataFault(
            f"sheet {sheet.name!r} has {extent.height:,} rows and {extent.width:,} columns between its first and its "
            f"last value; expected at most {MOST_CELLS:,} cells: save it as .csv or .parquet"
        )


def _check_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuses a member that unpacks to more than the zip's directory says: calamine would read all of it."""
    declared, unpacked = member.file_size, 0
    member.file_size, member.CRC = MOST_BYTES + 1, None  # type: ignore[assignment]  # zipfile reads what is there
    with archive.open(member) as file:
        while block := file.read(1 << 20):
            unpacked += len(block)
            if unpacked > declared:
                raise DataFault(
                    f"{member.filename!r} in the workbook unpacks to more than the {declared:,} bytes that its zip "
                    "declares; expected a whole .xlsx: save it again"
                )


def sheet_bytes(path: Path, name: str) -> int:
    """The unpacked size of one sheet and of the texts that all sheets share."""
    sheet = next(sheet for sheet in sheets_of(path) if sheet.name == name)
    with _archive(path) as archive:
        read = (sheet.member, "xl/sharedStrings.xml")
        return sum(member.file_size for member in archive.infolist() if member.filename in read)


class _archive:
    """The zip at `path`, its sizes checked; whatever is wrong with it while it is open is a `DataFault`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> zipfile.ZipFile:
        try:
            self._file = zipfile.ZipFile(self._path)
        except UNREADABLE as fault:
            raise unreadable(self._path.name, fault) from fault
        size = sum(member.file_size for member in self._file.infolist())
        if size > MOST_BYTES:
            raise DataFault(
                f"{self._path.name!r} has {size:,} bytes unpacked; expected at most {MOST_BYTES:,}: "
                "save the sheet as .csv or .parquet"
            )
        return self._file

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        self._file.close()
        if isinstance(fault, UNREADABLE) and not isinstance(fault, DataFault):
            raise unreadable(self._path.name, fault) from fault


def unreadable(name: str, fault: BaseException) -> DataFault:
    """What is said of a damaged workbook."""
    what = (str(fault).splitlines() or ["unreadable"])[0]
    return DataFault(f"{name!r} cannot be read as an Excel workbook ({what}); expected a whole .xlsx: save it again")


def _relations(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    """Id to file in the zip, of every sheet of rows and columns."""
    listed: list[dict[str, str]] = []
    _parse(_directory(archive, "xl/_rels/workbook.xml.rels", name), {"Relationship": listed.append})
    return {
        each["Id"]: posixpath.normpath(posixpath.join("xl", each["Target"])).lstrip("/")
        for each in listed
        if each.get("Type", "").endswith("/worksheet")
    }


def _directory(archive: zipfile.ZipFile, member: str, name: str) -> IO[bytes]:
    if member not in archive.namelist():
        raise DataFault(f"{name!r} is a zip without {member}; expected an Excel workbook: save it again as .xlsx")
    if archive.getinfo(member).file_size > MOST_DIRECTORY:
        raise DataFault(f"{name!r} lists too many sheets ({member}); expected an Excel workbook: save it again")
    return archive.open(member)


def _any_value(archive: zipfile.ZipFile, member: str) -> bool:
    with archive.open(member) as file:
        return any(extent.cells for extent in _Extent().grown(file))


def _parse(file: IO[bytes], starts: dict[str, Callable[[dict[str, str]], Any]]) -> None:
    """Calls `starts` for the elements of these names, without their namespaces."""
    parser = _parser()
    parser.StartElementHandler = lambda name, attributes: starts.get(_bare(name), _nothing)(
        {_bare(key): value for key, value in attributes.items()}
    )
    with file:
        parser.ParseFile(file)


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type")

    parser.StartDoctypeDeclHandler = refuse  # what entities need, and no spreadsheet writes
    return parser


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _nothing(_: dict[str, str]) -> None:
    pass


class _Extent:
    """The rectangle of a sheet's cells that have values. Cells without a value may have a colour, and do not count."""

    def __init__(self) -> None:
        self._row = self._column = 0
        self._top = self._left = 1 << 40
        self._bottom = self._right = 0

    @property
    def height(self) -> int:
        """Rows."""
        return max(0, self._bottom - self._top + 1)

    @property
    def width(self) -> int:
        """Columns."""
        return max(0, self._right - self._left + 1)

    @property
    def cells(self) -> int:
        """Cells in the rectangle."""
        return self.height * self.width

    def read(self, file: IO[bytes]) -> None:
        """Reads a whole sheet."""
        for _ in self.grown(file):
            pass

    def grown(self, file: IO[bytes]) -> Iterator[_Extent]:
        """Itself after each mebibyte of a sheet."""
        parser = _parser()
        parser.StartElementHandler = self._start
        while block := file.read(1 << 20):
            parser.Parse(block, False)
            yield self
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = _bare(name)
        if element == "c":
            place = attributes.get("r", "")
            letters = place.rstrip("0123456789")
            self._column = _number_of(letters) if letters else self._column + 1
            self._row = int(place[len(letters) :]) if letters and place[len(letters) :] else self._row
        elif element == "row":
            self._row, self._column = int(attributes.get("r") or self._row + 1), 0
        elif element in ("v", "is"):
            self._top, self._bottom = min(self._top, self._row), max(self._bottom, self._row)
            self._left, self._right = min(self._left, self._column), max(self._right, self._column)


def _number_of(letters: str) -> int:
    """The column's number, from 1: `A`, `B` … `Z`, `AA`."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def letters_of(number: int) -> str:
    """The name of the column with this number, from 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
