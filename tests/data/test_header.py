"""Names of columns that are a row of values are refused; numbers that can be names are not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.header import check_header
from dropforge.datasets.prepare import prepare
from dropforge.datasets.table import as_table

if TYPE_CHECKING:
    from pathlib import Path


def table(names: list[str], values: list[list[str]]) -> pl.DataFrame:
    return pl.DataFrame(dict(zip(names, values, strict=True)))


NUMBERS = [["1", "2", "3"]] * 4
TEXTS = [["1", "2", "3"], ["4", "5", "6"], ["east", "west", "east"], ["7.5", "8.5", "9.5"]]


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (["156", "6", "east", "219015.0"], TEXTS),
        (["6", "156", "east", "219015.0"], TEXTS),
        (["5.1", "3.5", "1.4", "2.5"], NUMBERS),
    ],
)
def test_a_row_of_values_is_no_header(names: list[str], values: list[list[str]]) -> None:
    with pytest.raises(DataFault, match="the first row looks like data .*add a header, or put a letter"):
        check_header(as_table(table(names, values)))


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (["a", "b", "c", "d"], NUMBERS),
        (["2019", "2020", "2021", "price"], NUMBERS),
        (["0", "1", "2", "3"], NUMBERS),
        (["1100.5", "1098.5", "1096.5", "protein"], NUMBERS),
        (["id", "2019", "region", "2021"], TEXTS),
        (["a", "other", "c", "d"], [["1"] * 3, ["other", "x", "y"], ["1"] * 3, ["2"] * 3]),
    ],
)
def test_names_are_a_header(names: list[str], values: list[list[str]]) -> None:
    check_header(as_table(table(names, values)))


def test_a_file_without_a_header_is_refused_and_json_lines_are_not(tmp_path: Path) -> None:
    rows = [(row * 37 % 101, row % 7, ("east", "west")[row % 2], row * 53 % 89) for row in range(200)]
    path = tmp_path / "data.csv"
    path.write_text("".join(f"{a},{b},{c},{d}\n" for a, b, c, d in [(156, 6, "east", 219015.0), *rows]))
    with pytest.raises(DataFault, match=r"the first row looks like data \(156, 6, east, 219015.0\)"):
        prepare([path], Options())
    lines = tmp_path / "data.jsonl"
    lines.write_text("".join(json.dumps({"9": a, "3": b, "5": c, "y": d}) + "\n" for a, b, c, d in rows))
    assert prepare([lines], Options()).target == "y"
