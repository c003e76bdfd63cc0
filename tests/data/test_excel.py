"""Excel workbooks: read as the same rows in a CSV are, or rejected with what to change."""

from __future__ import annotations

import datetime
import itertools
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter

from dropforge.client import rowfiles
from dropforge.contract.schema import Column, ModelCard
from dropforge.contract.spec import Spec
from dropforge.datasets import reading, workbooks
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare
from dropforge.datasets.reading import open_table, read_table, sniff, unpacked_bytes
from lambdas.batch.plan.cutting import open_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = ["size", "town", "zip", "sold", "garden", "price"]
ROWS: list[list[Any]] = [
    [
        20.5 + row,
        ["Köln", "Bonn", "Ulm"][row * 7 % 3],
        f"0{1000 + row * 7 % 20}",
        datetime.datetime(2024, 1, 1) + datetime.timedelta(days=row, hours=row * 5 % 3),
        row % 3 == 0,
        1000 + row * 37 % 101,
    ]
    for row in range(60)
]
TEXTS = [
    [str(size), town, code, when.isoformat() if when.hour else str(when.date()), str(garden).lower(), str(price)]
    for size, town, code, when, garden, price in ROWS
]


def write(sheet: Any, workbook: Any, rows: list[list[Any]], top: int = 0, left: int = 0) -> None:
    date = workbook.add_format({"num_format": "dd.mm.yyyy hh:mm"})
    for at, row in enumerate(rows, top):
        for column, value in enumerate(row, left):
            if isinstance(value, datetime.datetime):
                sheet.write_datetime(at, column, value, date)
            elif isinstance(value, str):
                sheet.write_string(at, column, value)
            else:
                sheet.write(at, column, value)


def made(path: Path, do: Callable[[Any, Any], None]) -> Path:
    """A workbook of one sheet `Data`, which `do` fills."""
    with xlsxwriter.Workbook(path) as workbook:
        do(workbook, workbook.add_worksheet("Data"))
    return path


def whole(path: Path, top: int = 0, left: int = 0) -> Path:
    return made(path, lambda workbook, sheet: write(sheet, workbook, [HEADER, *ROWS], top, left))


def table(path: Path, sheet: str | int | None = None) -> pl.DataFrame:
    return read_table([path], sniff(path, path.name, None, sheet))


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 2)], ids=["corner", "empty rows and columns before"])
def test_every_reader_reads_the_cells_as_a_person_would_write_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, top: int, left: int
) -> None:
    path = whole(tmp_path / "homes.xlsx", top, left)
    found = table(path)
    assert found.columns == HEADER
    assert found.rows() == [tuple(row) for row in TEXTS]
    assert unpacked_bytes([path], sniff(path, path.name)) > 5_000
    batches = list(rowfiles.of_file(path))
    assert batches[0].columns == tuple(HEADER)
    rows = itertools.chain.from_iterable(batch.rows for batch in batches)
    assert [[str(value) for value in row.values()] for row in rows] == TEXTS
    monkeypatch.setattr(reading, "IN_MEMORY", 0)
    with open_table([path, path], sniff(path, path.name)) as spilled:
        assert pl.concat(spilled.blocks()).rows() == found.rows() * 2


@pytest.mark.parametrize(("named", "seen"), [("Homes", "y"), (2, "y"), ("Gone", "x"), (7, "x"), (None, "x")])
def test_the_sheet_that_the_owner_named_is_the_one_at_prediction(
    named: str | int | None, seen: str, tmp_path: Path
) -> None:
    def fill(workbook: Any, sheet: Any) -> None:
        write(sheet, workbook, [["x"], [1]])
        write(workbook.add_worksheet("Homes"), workbook, [["y"], [2]])

    path = made(tmp_path / "homes.xlsx", fill)
    (batch,) = rowfiles.of_file(path, lambda: rowfiles.Named(sheet=named))
    assert batch.columns == (seen,)
    card = ModelCard(
        "m", "run-0123456789abcdef", "regression", "z", "number", (), (Column(seen, "number"),), sheet=named
    )
    assert open_file(path, path.name, "out", card).file.columns == (seen,)


def test_a_sheet_is_the_data_set_that_its_csv_is(tmp_path: Path) -> None:
    whole(tmp_path / "homes.xlsx")
    (tmp_path / "homes.csv").write_text("\n".join(",".join(row) for row in [HEADER, *TEXTS]))
    one, other = (prepare([tmp_path / name], Options(target="price")) for name in ("homes.xlsx", "homes.csv"))
    assert one.columns == other.columns and one.counts == other.counts and one.task == other.task == "regression"
    assert {column.name: column.kind for column in one.columns} == {
        "size": "number", "town": "category", "zip": "category", "sold": "date", "garden": "boolean",
    }  # fmt: skip
    for name, values in one.train.columns.items():
        assert list(map(str, values)) == list(map(str, other.train.columns[name])), name


def test_formulas_have_the_values_that_were_saved_and_errors_are_missing(tmp_path: Path) -> None:
    def fill(_workbook: Any, sheet: Any) -> None:
        write(sheet, _workbook, [["a", "b", "c"], [1, "x", 2]])
        sheet.write_formula(2, 0, "=A2*2", None, 2.5)
        sheet.write_formula(2, 1, '=B2&"y"', None, "xy")
        sheet.write_formula(2, 2, "=1/0", None, "#DIV/0!")
        sheet.write(3, 0, 0.4, _workbook.add_format({"num_format": "0%"}))
        sheet.write(3, 2, datetime.timedelta(hours=30), _workbook.add_format({"num_format": "[h]:mm:ss"}))
        sheet.write(3, 30, None, _workbook.add_format({"bg_color": "red"}))

    found = table(made(tmp_path / "a.xlsx", fill))
    assert found.rows() == [("1", "x", "2"), ("2.5", "xy", ""), ("0.4", "", "30:00:00")]


def test_empty_rows_are_none_and_row_numbers_of_pandas_have_a_name(tmp_path: Path) -> None:
    rows = [["", "a", "b"], *([[at, at * 2, "x"] if at % 5 else [] for at in range(1, 20)])]
    found = table(made(tmp_path / "a.xlsx", lambda workbook, sheet: write(sheet, workbook, rows)))
    assert found.columns == ["Unnamed: 0", "a", "b"] and found.height == 16


def several(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as workbook:
        for name, hide in (("cover", False), ("secret", True), ("north", False), ("south", False)):
            sheet = workbook.add_worksheet(name)
            if hide:
                sheet.hide()
            if name != "cover":
                write(sheet, workbook, [[*HEADER[:-1], name], *ROWS])
        chart = workbook.add_chart({"type": "line"})
        chart.add_series({"values": "=north!$A$2:$A$9"})
        workbook.add_chartsheet("picture").set_chart(chart)
    return path


@pytest.mark.parametrize(
    ("sheet", "read"), [(None, "north"), ("south", "south"), (3, "south"), (2, "north"), ("secret", "secret")]
)
def test_the_sheet_is_the_first_visible_one_with_values_or_the_one_that_the_spec_names(
    tmp_path: Path, sheet: str | int | None, read: str
) -> None:
    path = several(tmp_path / "a.xlsx")
    assert table(path, sheet).columns[-1] == read
    spec = Spec.read({"sheet": sheet, "target": read} if sheet else {"target": read})
    told = " ".join(prepare([path], Options(spec=spec)).profile["told"])
    others = [name for name in ("north", "south") if name != read]
    assert f"The sheet {read!r} of the workbook was read, not {', '.join(map(repr, others))}" in told
    assert "`sheet: " in told and "picture" not in told


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("west", "sheet: 'west' is no sheet of 'a.xlsx'; expected one of its sheets: 'cover', 'north', 'south'"),
        (4, "sheet: 4 is no sheet"),
        (0, "sheet: 0 is no sheet"),
        ("cover", "has no value in 'cover'"),
    ],
)
def test_a_sheet_that_is_not_there_is_named(tmp_path: Path, sheet: str | int, message: str) -> None:
    with pytest.raises(DataFault, match=message):
        table(several(tmp_path / "a.xlsx"), sheet)


def titled(workbook: Any, sheet: Any) -> None:
    write(sheet, workbook, [["Sales of 2024"], [], HEADER, *ROWS])


def merged_title(workbook: Any, sheet: Any) -> None:
    write(sheet, workbook, [[], HEADER, *ROWS])
    sheet.merge_range(0, 0, 0, 4, "Sales of 2024")


def merged_values(workbook: Any, sheet: Any) -> None:
    write(sheet, workbook, [HEADER, *ROWS])
    sheet.merge_range(4, 1, 6, 1, "Köln")


def without_a_name(workbook: Any, sheet: Any) -> None:
    write(sheet, workbook, [[*HEADER[:2], "", *HEADER[3:]], *ROWS])


def doubled(workbook: Any, sheet: Any) -> None:
    write(sheet, workbook, [[*HEADER[:-1], "size"], *ROWS])


def without_header(workbook: Any, sheet: Any) -> None:
    write(sheet, workbook, [["20.5", "Köln", "31", "2024", "0", "977"], *ROWS])


def only_header(workbook: Any, sheet: Any) -> None:
    write(sheet, workbook, [HEADER])


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (titled, r"row 1 of sheet 'Data', the first with a value, has names for 1 of 6 columns \('Sales of 2024'; none "
                 "in column B"),
        (merged_title, "sheet 'Data' has merged cells .A1:E1.; expected a table.*delete titles above the header"),
        (merged_values, "merged cells .B5:B7."),
        (without_a_name, "has names for 5 of 6 columns .*none in column C"),
        (doubled, "the header has 'size' 2 times"),
        (without_header, "the first row looks like data"),
        (only_header, "no rows"),
        (lambda *_: None, "has no value in 'Data'"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_rejected_with_what_to_do(tmp_path: Path, fill: Any, message: str) -> None:
    with pytest.raises(DataFault, match=message):
        prepare([made(tmp_path / "a.xlsx", fill)], Options())


def test_merged_cells_beside_the_values_are_no_matter(tmp_path: Path) -> None:
    def fill(workbook: Any, sheet: Any) -> None:
        write(sheet, workbook, [HEADER, *ROWS])
        sheet.merge_range(0, 10, 2, 12, "", workbook.add_format({"bg_color": "red"}))

    assert table(made(tmp_path / "a.xlsx", fill)).columns == HEADER


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "expected an Excel workbook, which is a zip: save it again as .xlsx, or name it by what it is"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an old Excel file or has a password"),
        (b"PK\x03\x04" + bytes(60), "cannot be read as an Excel workbook"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_workbook_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataFault, match=message):
        sniff(path, path.name)


def changed(path: Path, member: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy of the workbook with another content of one member."""
    copy = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, change(body) if name == member else body)
    return copy


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body.replace(b'r="F61"', b'r="XFD1048576"'), "1,048,576 rows and 16,384 columns"),
        (lambda body: body.replace(b'r="F61"', b"r='XFD1048576'"), "1,048,576 rows and 16,384 columns"),
        (lambda body: body.replace(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet'), "a document type"),
        (lambda body: body[: len(body) // 2], "cannot be read as an Excel workbook"),
        (lambda _: b"", "cannot be read as an Excel workbook"),
        (lambda _: b"<worksheet/>", "has no value"),
    ],
)
def test_a_hostile_or_damaged_sheet_is_a_rejection(tmp_path: Path, change: Any, message: str) -> None:
    path = changed(whole(tmp_path / "a.xlsx"), SHEET, change)
    with pytest.raises(DataFault, match=message):
        table(path)


def test_a_bomb_is_found_by_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = changed(whole(tmp_path / "a.xlsx"), SHEET, lambda body: body + b" " * 1_000_000)
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1_000_000)
    with pytest.raises(DataFault, match=r"bytes unpacked; expected at most 1,000,000: save the sheet as \.csv"):
        sniff(path, path.name)


def test_a_bomb_behind_a_false_directory_is_found_before_it_is_read(tmp_path: Path) -> None:
    """The directory declares the texts' first bytes alone, and their checksum."""
    path, member = whole(tmp_path / "a.xlsx"), "xl/sharedStrings.xml"
    path = changed(path, member, lambda body: body + b" " * 3_000_000)
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        short = archive.read(member)[:1_000]
        local = archive.getinfo(member).header_offset
    central = raw.rindex(member.encode()) - 46
    for at, crc in ((local, 14), (central, 16)):
        struct.pack_into("<L", raw, at + crc, zlib.crc32(short))
        struct.pack_into("<L", raw, at + crc + 8, len(short))
    path.write_bytes(raw)
    with pytest.raises(DataFault, match=r"'xl/sharedStrings.xml' in the workbook unpacks to more than the 1,000 bytes"):
        table(path)


@pytest.mark.parametrize("missing", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET, "xl/sharedStrings.xml"])
def test_a_zip_without_a_part_of_a_workbook_is_a_rejection(tmp_path: Path, missing: str) -> None:
    path, copy = whole(tmp_path / "a.xlsx"), tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            if name != missing:
                new.writestr(name, old.read(name))
    with pytest.raises(DataFault, match="workbook"):
        table(copy)


def test_the_sdk_reads_a_sheet_without_polars() -> None:
    """Users install neither polars nor numpy with it."""
    code = "import sys, dropforge.datasets.excel; print({'polars', 'numpy', 'python_calamine'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_too_many_columns_are_a_rejection(tmp_path: Path) -> None:
    rows = [[f"c{column}" for column in range(2_001)], *[[row] * 2_001 for row in range(3)]]
    path = made(tmp_path / "a.xlsx", lambda workbook, sheet: write(sheet, workbook, rows))
    with pytest.raises(DataFault, match="2001 columns; expected at most 2000"):
        table(path)
