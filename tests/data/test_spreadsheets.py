"""What spreadsheets and pandas write by default is read, alike at training, in the API and by `predict --file`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import polars as pl
import pytest

from dropforge.client import rowfiles
from dropforge.contract.spec import Spec
from dropforge.datasets import reading
from dropforge.datasets.choosing import read_labels
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.reading import open_table, read_table, sniff, unpacked_bytes
from dropforge.inference.rows import from_csv

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "size,town,price\n" + "".join(f"{row}.5,Köln,{row * 7 % 11}\n" for row in range(60))
INDEXED = "".join(f"{'' if row == 0 else row - 1},{line}\n" for row, line in enumerate(PLAIN.splitlines()))
WRITTEN = {
    "carriage returns": PLAIN.replace("\n", "\r"),
    "carriage returns and line feeds": PLAIN.replace("\n", "\r\n"),
    "sep line": "sep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
    "mark and sep line": "\ufeffsep=;\n" + PLAIN.replace(",", ";"),
    "trailing empty column": PLAIN.replace("\n", ",\n"),
    "index": INDEXED,
}
MORE = {"trailing empty column": ["Unnamed: 3"], "index": ["Unnamed: 0"]}


def tables(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[pl.DataFrame]:
    """The file as it is read at once, and in blocks from disk."""
    how = sniff(path, path.name)
    at_once = read_table([path], how)
    monkeypatch.setattr(reading, "IN_MEMORY", 0)
    with open_table([path], how) as table:
        return [at_once, pl.concat(table.blocks())]


@pytest.mark.parametrize("name", WRITTEN)
def test_every_reader_reads_the_same_table(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, more = tmp_path / "data.csv", MORE.get(name, [])
    path.write_bytes(WRITTEN[name].encode())
    columns = sorted(["size", "town", "price", *more])
    for table in tables(path, monkeypatch):
        assert sorted(table.columns) == columns and table.height == 60
        assert table["town"].unique().to_list() == ["Köln"]
    rows = list(itertools.chain.from_iterable(batch.texts or [] for batch in rowfiles.of_file(path)))
    assert len(rows) == 60 and all(len(row) == len(columns) for row in rows)
    if "sep" not in name:  # a hint for spreadsheets, not for an API
        answer = from_csv(WRITTEN[name].encode())
        assert sorted(answer.columns) == columns and answer.count == 60


def test_a_wrong_row_is_named_by_its_line_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("sep=;\na;b\n1;2\n3\n")
    with pytest.raises(DataFault, match="line 4 has 1 field"):
        read_table([path], sniff(path, path.name))


def test_a_name_that_is_missing_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,,c\n1,2,3\n")
    with pytest.raises(DataFault, match="column 2 of 3 has no name"):
        read_table([path], sniff(path, path.name))


def test_a_title_above_the_header_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("Report,,,\na,b,c,d\n1,2,3,4\n")
    with pytest.raises(DataFault, match="column 2 of 4 has no name"):
        read_table([path], sniff(path, path.name))


@pytest.mark.parametrize("values", [[[1, 2], [3]], [b"x", b"y"]])
def test_a_parquet_column_of_lists_or_bytes_is_named(values: list[object], tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pl.DataFrame({"y": [1, 2], "vector": values}).write_parquet(path)
    with pytest.raises(DataFault, match="column 'vector' is of type"):
        unpacked_bytes([path], sniff(path, path.name))


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.299,99", "12,50", "980", "1.234.567"], [1299.99, 12.5, 980.0, 1234567.0]),
        (["1.250", "980", "12.015"], [1250.0, 980.0, 12015.0]),
        (["€ 1.250", "€ 980"], [1250.0, 980.0]),
        (["1.250", "1.255"], [1.25, 1.255]),
        (["1.255", "980"], [1.255, 980.0]),
        (["1.250", "9800"], [1.25, 9800.0]),
        (["0.250", "980"], [0.25, 980.0]),
        (["1.25", "980", "1.250"], [1.25, 980.0, 1.25]),
    ],
)
def test_points_of_a_target_are_thousands_where_they_cannot_be_decimal_marks(
    texts: list[str], values: list[float]
) -> None:
    labels = read_labels(pl.Series("price", texts))
    assert labels.numeric and labels.values.to_list() == values


def test_points_for_thousands_are_told() -> None:
    table = pl.DataFrame(
        {
            "x": [str(row % 7) for row in range(200)],
            "price": [f"{row % 9 + 1}.{row % 97:03}" for row in range(195)] + ["980"] * 5,
        }
    )
    told = prepare_table(table, Options(spec=Spec(target="price"))).profile["told"]
    expected = "1.000 is read as 1000, for smaller numbers beside it have no such mark."
    assert any(expected in sentence for sentence in told)
