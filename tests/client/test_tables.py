"""Frames, Arrow tables and columns as rows of a request: the same rows whatever library holds them."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dropforge.client import Fault
from dropforge.client.inputs import batches_of
from dropforge.client.tables import library_of, table_of

if TYPE_CHECKING:
    from dropforge.client import Connection

PLAIN = {
    "rooms": [3, None, 4],
    "size": [70.5, None, 99.25],
    "where": ["north", None, "Zürich"],
    "new": [True, None, False],
    "sold": ["2024-05-31T08:30:00", None, "1960-01-01T00:00:00"],
    "day": ["2024-05-31", None, "1960-01-01"],
}
"""What is sent of the three rows below."""

BERLIN = ZoneInfo("Europe/Berlin")
SOLD = [datetime.datetime(2024, 5, 31, 10, 30, tzinfo=BERLIN), None, datetime.datetime(1960, 1, 1, 1, tzinfo=BERLIN)]
DAYS = [datetime.date(2024, 5, 31), None, datetime.date(1960, 1, 1)]


def columns() -> dict[str, list[Any]]:
    return {**PLAIN, "sold": SOLD, "day": DAYS}


def nullable() -> pd.DataFrame:
    types = {"rooms": "Int64", "size": "Float64", "where": "string", "new": "boolean"}
    frame = pd.DataFrame(columns()).astype(types)
    return frame.assign(sold=pd.to_datetime(frame["sold"], utc=True).dt.tz_convert("Europe/Berlin"))


TABLES = {
    "rows": lambda: [dict(zip(PLAIN, row, strict=True)) for row in zip(*columns().values(), strict=True)],
    "columns": columns,
    "columns of numpy and pandas": lambda: {
        **columns(), "size": np.array([70.5, np.nan, 99.25]), "where": pd.Series(["north", pd.NA, "Zürich"]),
    },
    "pandas": lambda: pd.DataFrame(columns()),
    "pandas of objects": lambda: pd.DataFrame(columns(), dtype=object),
    "pandas with nullable types": nullable,
    "pandas with categories": lambda: nullable().astype({"where": "category"}),
    "pandas with arrow types": lambda: pd.DataFrame(columns()).convert_dtypes(dtype_backend="pyarrow"),
    "pandas of every other row": lambda: nullable().loc[[0, 0, 1, 1, 2]].iloc[::2],
    "polars": lambda: pl.DataFrame(columns(), schema_overrides={"where": pl.Categorical}),
    "arrow table": lambda: pa.table(columns()),
    "arrow batch": lambda: pa.RecordBatch.from_pydict(columns()),
    "arrow dictionary": lambda: (
        table := pa.table(columns())
    ).set_column(2, "where", table["where"].dictionary_encode()),
    "arrow nanoseconds": lambda: (
        table := pa.table(columns())
    ).set_column(4, "sold", table["sold"].cast(pa.timestamp("ns", "Europe/Berlin"))),
}  # fmt: skip


def sent(rows: Any, connection: Connection) -> list[dict[str, Any]]:
    return [row for batch in batches_of(rows, connection) for row in json.loads(batch.request()[0])]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_the_same_rows_in_every_library(connection: Connection, name: str) -> None:
    found = sent(TABLES[name](), connection)
    assert found == [dict(zip(PLAIN, row, strict=True)) for row in zip(*PLAIN.values(), strict=True)]


GAPS = (
    None,
    float("nan"),
    np.nan,
    np.float32("nan"),
    pd.NA,
    pd.NaT,
    np.datetime64("NaT"),
    Decimal("NaN"),
    Decimal("sNaN"),
)


@pytest.mark.parametrize("gap", GAPS, ids=repr)
def test_every_gap_is_a_missing_value(connection: Connection, gap: Any) -> None:
    assert sent([{"x": gap}], connection) == [{"x": None}]
    assert sent(pd.DataFrame({"x": pd.Series([gap, "a"], dtype=object)}), connection)[0] == {"x": None}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int8(-3), -3), (np.uint64(2**63), 2**63), (np.float64(0.1), 0.1), (np.bool_(False), False),
        (np.str_("a"), "a"), (np.array(7), 7), (Decimal("12.50"), 12.5),
        (pd.Timestamp("2024-05-31T10:00:00.123456789"), "2024-05-31T10:00:00"),
        (pd.Timestamp("2024-05-31T10:00", tz="Asia/Tokyo"), "2024-05-31T01:00:00"),
        (np.datetime64("2024-05-31T10:00:00.5", "ns"), "2024-05-31T10:00:00"),
        (np.datetime64("2024-05-31"), "2024-05-31T00:00:00"), (datetime.time(9, 5), "09:05:00"),
    ],
    ids=repr,
)  # fmt: skip
def test_values_of_other_libraries_are_plain(connection: Connection, value: Any, plain: Any) -> None:
    assert sent([{"x": value}], connection) == [{"x": plain}]


WRONG = {
    "bytes": b"ab", "complex": 1j, "numpy complex": np.complex64(1j), "list": [1], "dict": {"a": 1},
    "array": np.array([1, 2]), "array of one": np.array([1]), "tuple": (1, 2), "uuid": uuid.UUID(int=1),
    "duration": datetime.timedelta(1), "numpy duration": np.timedelta64(1, "D"), "period": pd.Period("2024-05"),
    "interval": pd.Interval(0, 1), "infinity": float("inf"), "numpy infinity": np.float32("-inf"),
    "decimal infinity": Decimal("Infinity"), "far date": np.datetime64("20000-01-01"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_json_has_no_form_for_is_named_by_row_and_column(connection: Connection, name: str) -> None:
    cells = [*[None] * 1_003, WRONG[name], None]
    for rows in ([{"x": cell} for cell in cells], {"x": cells}, pd.DataFrame({"x": pd.Series(cells, dtype=object)})):
        with pytest.raises(Fault, match=r"rows\[1003\].x: expected") as caught:
            sent(rows, connection)
        assert (caught.value.row, caught.value.column) == (1_003, "x")


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": [None, [1]]}), pl.DataFrame({"x": [None, {"a": 1}]}), pl.DataFrame({"x": [None, b"a"]}),
        pl.DataFrame({"x": [None, datetime.timedelta(1)]}), pl.DataFrame({"x": [None, object()]}),
        pa.table({"x": [None, [1]]}), pa.table({"x": [None, b"a"]}), pa.table({"x": [None, datetime.timedelta(1)]}),
    ],
    ids=lambda frame: f"{type(frame).__module__} {frame.shape}",
)  # fmt: skip
def test_a_frames_nested_values_are_named_too(connection: Connection, frame: Any) -> None:
    with pytest.raises(Fault) as caught:
        sent(frame, connection)
    assert (caught.value.row, caught.value.column) == (1, "x")


def test_an_index_with_a_name_is_a_column_and_others_are_left_out(connection: Connection) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]})
    assert sent(frame.iloc[[2, 0]], connection) == [{"x": 3}, {"x": 1}]
    assert sent(frame.set_axis(["a", "b", "c"]), connection)[0] == {"x": 1}
    assert sent(frame.rename_axis("id"), connection)[2] == {"id": 2, "x": 3}
    levels = pd.MultiIndex.from_arrays([[1, 1, 2], list("abc")], names=["shop", None])
    assert sent(frame.set_axis(levels), connection)[2] == {"shop": 2, "x": 3}
    assert list(frame.columns) == ["x"]  # the caller's frame is as it was


def test_names_are_texts_without_white_space_around(connection: Connection) -> None:
    assert sent(pd.DataFrame({0: [1], " b ": [2], np.int64(7): [3]}), connection) == [{"0": 1, "b": 2, "7": 3}]
    assert sent(pl.DataFrame({" b ": [2]}), connection) == [{"b": 2}]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a "]), "column 'a' stands twice"),
        (pd.DataFrame({"id": [1]}).rename_axis("id"), "column 'id' stands twice among the columns"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "several levels"),
        (pd.DataFrame({None: [1]}), "column None: expected a text as its name"),
        (pd.DataFrame({np.nan: [1]}), "column nan: expected a text as its name"),
        (pd.DataFrame({pd.NA: [1]}), "column <NA>: expected a text as its name"),
        (pa.table([[1], [2]], names=["a", "a"]), "column 'a' stands twice"),
        ({"a": [1, 2], "b": [1]}, "column 'b' has 1 values: expected 2, as in 'a'"),
        ({"a": 1}, "expected a list of objects, got dict"),
        ({"a": "text"}, "expected a list of objects, got dict"),
        (pl.LazyFrame({"a": [1]}), "expected a list of objects, got LazyFrame"),
        (3, "expected a list of objects, got int"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_refused_in_words(connection: Connection, table: Any, words: str) -> None:
    with pytest.raises(Fault, match=words):
        sent(table, connection)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict], ids=lambda make: make.__name__)
def test_many_rows_come_in_batches(connection: Connection, make: Any) -> None:
    batches = list(batches_of(make({"x": list(range(2_500))}), connection))
    assert [len(batch.rows) for batch in batches] == [1_000, 1_000, 500]
    assert [row["x"] for batch in batches for row in batch.rows] == list(range(2_500))


def test_a_frame_of_ones_own_class_is_a_frame() -> None:
    class Mine(pd.DataFrame):  # type: ignore[misc]
        pass

    assert library_of(Mine({"a": [1]})) == "pandas" and table_of(Mine({"a": [1]})).names == ("a",)
    assert library_of(pd.Series([1])) is library_of([1]) is library_of("pandas") is None


ALONE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {blocked!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import {library} as library
from dropforge.client.inputs import batches_of
from dropforge.client.answerframes import answer_frame
from dropforge.client.datafiles import as_data_file
from dropforge.contract.api import Predictions
table = {table}
assert [row for batch in batches_of(table, None) for row in batch.rows] == [{{"x": 1, "y": "a"}}]
with as_data_file(table, "m", None) as path:
    print(path.suffix)
if {library!r} != "sys":
    print(type(answer_frame(table, Predictions("m", "1", [2.0], None, ["p"]))).__name__)
"""


@pytest.mark.parametrize(
    ("library", "table", "printed"),
    [
        ("sys", '[{"x": 1, "y": "a"}]', ".csv"),
        ("sys", '{"x": [1], "y": ["a"]}', ".csv"),
        ("pandas", 'library.DataFrame({"x": [1], "y": ["a"]})', ".csv\nDataFrame"),
        ("polars", 'library.DataFrame({"x": [1], "y": ["a"]})', ".parquet\nDataFrame"),
        ("pyarrow", 'library.table({"x": [1], "y": ["a"]})', ".parquet\nTable"),
    ],
)
def test_each_library_is_enough_by_itself(library: str, table: str, printed: str) -> None:
    blocked = [name for name in ("pandas", "polars", "pyarrow") if name != library]
    script = ALONE.format(blocked=blocked, library=library, table=table)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.returncode) == (printed, 0), ran.stderr


def test_the_sdk_imports_none_of_them() -> None:
    script = "import sys, dropforge.client; print(*{'pandas', 'polars', 'pyarrow', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"
