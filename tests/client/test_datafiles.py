"""Tables and objects of S3 as files: what the trainer reads is the table, whatever library held it."""

from __future__ import annotations

import builtins
import datetime
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from dropforge.client import Dropforge, Fault
from dropforge.client.datafiles import as_data_file
from dropforge.client.inputs import batches_of
from dropforge.datasets.faults import DataFault
from dropforge.datasets.reading import read_table, sniff
from tests.client.test_tables import PLAIN, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropforge.client import Connection


def read(data: Any, connection: Connection) -> tuple[str, list[dict[str, Any]]]:
    """The ending of the file that is dropped, and its rows as the trainer reads them: numbers and texts."""
    with as_data_file(data, "houses", connection) as path:
        table = read_table([path], sniff(path, path.name))
        rows = table.with_columns(pl.all().cast(pl.String)).to_dicts()
    assert not path.exists()
    return path.name, [{name: normal(text) for name, text in row.items()} for row in rows]


def normal(text: str | None) -> str:
    """A number in one spelling; the empty text for a gap."""
    try:
        return repr(float(text or ""))
    except ValueError:
        return text or ""


EXPECTED = [
    {name: normal(None if value is None else str(value).lower() if name == "new" else str(value))
     for name, value in zip(PLAIN, row, strict=True)}
    for row in zip(*PLAIN.values(), strict=True)
]  # fmt: skip


FILLED = [row for row in EXPECTED if any(row.values())]
"""A CSV's row without any value is none to the trainer."""


@pytest.mark.parametrize("name", TABLES)
def test_the_trainer_reads_the_same_table_from_every_library(connection: Connection, name: str) -> None:
    is_text = name.startswith(("rows", "columns"))
    assert read(TABLES[name](), connection) == (("houses.csv", FILLED) if is_text else ("houses.parquet", EXPECTED))


@pytest.mark.parametrize("name", [name for name in TABLES if name.startswith("pandas")])
def test_pandas_without_pyarrow_writes_a_csv_of_the_same_table(
    connection: Connection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, real = TABLES[name](), builtins.__import__

    def without_pyarrow(module: str, *rest: Any, **more: Any) -> Any:
        if module.partition(".")[0] == "pyarrow":
            raise ImportError(module)
        return real(module, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    assert read(table, connection) == ("houses.csv", FILLED)


TEXTS = ["a;b;c;d", 'say "hi"', "line\nbreak", "tab\there", "a\rb", "007", " padded ", "Zürich €", "a|b|c", "a,b", "NA"]


@pytest.mark.parametrize("column", [TEXTS, [f"{text};{text}" for text in TEXTS]], ids=["texts", "semicolons"])
def test_texts_are_what_they_were(connection: Connection, column: list[str]) -> None:
    for data in ({"x": column, "y": column}, pl.DataFrame({"x": column, "y": column})):
        with as_data_file(data, "m", connection) as path:
            table = read_table([path], sniff(path, path.name))
        assert table["x"].to_list() == table["y"].to_list() == column


def test_floats_keep_their_digits_and_infinity_is_written(connection: Connection) -> None:
    values = [0.1, 1e-300, 123456789.12345679, 2.0**60, float("inf")]
    with as_data_file({"x": values, "y": values}, "m", connection) as path:
        assert [float(line.split('"')[1]) for line in path.read_text().splitlines()[1:]] == values


def test_values_of_several_types_are_texts(connection: Connection) -> None:
    frame = pd.DataFrame({"x": pd.Series([4, "four", 4.5, True, None], dtype=object), "y": range(5)})
    name, rows = read(frame, connection)
    assert name == "houses.csv" and [row["x"] for row in rows] == ["4.0", "four", "4.5", "true", ""]


def test_a_named_index_is_a_column_of_the_file(connection: Connection) -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": ["p", "q"]}, index=pd.Index(["a", "b"], name="id"))
    assert [list(row) for row in read(frame, connection)[1]] == [["id", "x", "y"]] * 2
    assert [list(row) for row in read(frame.rename_axis(None), connection)[1]] == [["x", "y"]] * 2


@pytest.mark.parametrize(
    "data",
    [
        {"x": [1, b"a"]}, {"x": [1, [2]]}, [{"x": 1}, {"x": 1j}], pd.DataFrame({"x": [None, b"a"]}),
        pd.DataFrame({"x": [None, [1]]}), pd.DataFrame({"x": pd.to_timedelta([None, "1 day"])}),
        pd.DataFrame({"x": pd.PeriodIndex([pd.NaT, "2024-05"], freq="M")}), pd.DataFrame({"x": [0, 1j]}).iloc[[1, 1]],
        pl.DataFrame({"x": [None, [1]]}), pl.DataFrame({"x": [None, datetime.timedelta(1)]}),
        pa.table({"x": [None, {"a": 1}]}), pa.table({"x": [None, b"a"]}),
    ],
    ids=lambda data: f"{type(data).__module__} {str(data):.40}",
)  # fmt: skip
def test_what_no_file_has_a_form_for_is_named_by_row_and_column(connection: Connection, data: Any) -> None:
    with pytest.raises(Fault, match=r"rows\[[01]\].x: expected") as caught:
        read(data, connection)
    assert caught.value.column == "x"


def test_what_the_trainer_refuses_in_a_file_is_refused_here(connection: Connection, tmp_path: Path) -> None:
    """The list of Arrow types here and the trainer's own agree."""
    values: dict[str, pa.Array] = {
        "list": pa.array([[1]]), "struct": pa.array([{"a": 1}]), "binary": pa.array([b"a"]),
        "duration": pa.array([1], pa.duration("s")), "text": pa.array(["a"]), "half": pa.array([0.5], pa.float16()),
        "decimal": pa.array([1], pa.decimal128(5, 2)), "time": pa.array([1], pa.time32("s")), "null": pa.nulls(1),
        "day": pa.array([1], pa.date32()), "moment": pa.array([1], pa.timestamp("s")),
        "large": pa.array([2**63], "uint64"),
    }  # fmt: skip
    for name, array in values.items():
        table = pa.table({"x": array, "y": ["a"]})
        path = tmp_path / f"{name}.parquet"
        pa.parquet.write_table(table, path)
        try:
            theirs = read_table([path], sniff(path, path.name)).height
        except DataFault:
            theirs = None
        try:
            ours = len(read(table, connection)[1])
        except Fault:
            ours = None
        assert ours == theirs, name


def test_a_table_needs_the_name_of_its_model(connection: Connection) -> None:
    for model in (None, "../up", "My Model"):
        with (
            pytest.raises(Fault, match="give model=|expected 1 to 63"),
            as_data_file({"x": [1]}, model, connection),
        ):
            pass


@pytest.fixture
def bucket(connection: Connection, aws: None) -> Iterator[Any]:  # noqa: ARG001
    """Two buckets: the user's own, and the one that drops go to."""
    client = boto3.client("s3", region_name="eu-central-1")
    place: Any = {"LocationConstraint": "eu-central-1"}
    for name in ("drops", "mine"):
        client.create_bucket(Bucket=name, CreateBucketConfiguration=place)
    client.put_object(Bucket="mine", Key="2024/Äpfel & Birnen?.csv", Body="rooms,where\n3,Zürich\n".encode())
    client.put_object(Bucket="mine", Key="rose.jpg", Body=b"a rose")
    yield client


def requests(rows: Any, connection: Connection) -> list[tuple[bytes, str]]:
    return [batch.request() for batch in batches_of(rows, connection)]


@pytest.mark.usefixtures("bucket")
def test_an_object_of_s3_is_a_file(connection: Connection) -> None:
    uri = "s3://mine/2024/Äpfel & Birnen?.csv"
    rose = "s3://mine/rose.jpg"
    assert requests(uri, connection) == [("rooms,where\r\n3,Zürich\r\n".encode(), "text/csv")]
    assert requests(rose, connection) == requests([rose], connection) == [(b"a rose", "image/jpeg")]
    assert requests([rose, rose], connection)[0][0].count(b"YSByb3Nl") == 2
    with as_data_file(uri, None, connection) as path:
        assert path.name == "Äpfel & Birnen?.csv" and path.read_text() == "rooms,where\n3,Zürich\n"


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("s3://mine/none.csv", "no such object: s3://mine/none.csv"),
        ("s3://nobodys-bucket/none.csv", "no such object: s3://nobodys-bucket/none.csv"),
        ("s3://mine", "expected s3://BUCKET/KEY"),
        ("s3://mine/folder/", "expected s3://BUCKET/KEY"),
        ("s3://mine/..", "expected a name ending in .csv"),
        ("s3://mine/notes.txt", "expected a name ending in .csv"),
    ],
)
def test_an_object_that_cannot_be_read_is_told(connection: Connection, uri: str, words: str) -> None:
    with pytest.raises(Fault, match=words):
        list(batches_of(uri, connection))
    with pytest.raises(Fault, match=words), as_data_file(uri, None, connection):
        pass


def test_tables_and_objects_are_dropped_and_predicted_in_batches(
    connection: Connection, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dropforge, "__init__", lambda self: setattr(self, "connection", connection))
    forge = Dropforge()
    assert forge.drop(pl.DataFrame({"x": [1]}), model="houses").key == "datasets/houses/houses.parquet"
    assert forge.drop([{"x": 1}], model="houses", target="x").key == "datasets/houses/houses.csv"
    assert forge.batch("houses", {"x": [1]}).key == "batch/houses/houses.csv"
    dropped = forge.drop("s3://mine/2024/Äpfel & Birnen?.csv")
    assert (dropped.model, dropped.key) == ("aepfel-birnen", "datasets/aepfel-birnen/Äpfel & Birnen?.csv")
    assert bucket.get_object(Bucket="drops", Key="datasets/houses/houses.csv")["Metadata"] == {"target": "x"}
