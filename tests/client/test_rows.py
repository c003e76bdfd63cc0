"""Rows out of files and programs, and the requests that they become."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropforge.client import Fault, rowfiles
from dropforge.client.batches import Batch, of_rows
from dropforge.datasets.dates import parse_dates

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> list[list[Any]]:
    """Header and fields as they are sent."""
    sent = []
    for batch in rowfiles.of_file(path):
        body, content_type = batch.request()
        if content_type == "text/csv":
            sent.append(list(csv.reader(io.StringIO(body.decode(), newline=""))))
        else:
            rows = json.loads(body)
            sent.append([list(rows[0]), *([str(row[name] or "") for name in rows[0]] for row in rows)])
    assert all(lines[0] == sent[0][0] for lines in sent)
    return [sent[0][0], *(line for lines in sent for line in lines[1:])]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"rooms,where\r\n3,Z\xc3\xbcrich\r\n\r\n,\"a, b\"\r\n"),
        ("a.csv", b"\xef\xbb\xbfrooms;where\n3;Z\xc3\xbcrich\n;a, b\n"),
        ("a.tsv", b"rooms\twhere\n3\tZ\xc3\xbcrich\n\ta, b\n"),
        ("a.csv", b"rooms|where\n3|Z\xfcrich\n|a, b\n"),
        ("a.csv", "rooms;where\n3;Zürich\n;a, b\n".encode("utf-16")),
        ("a.csv.gz", gzip.compress("rooms;where\n3;Zürich\n;a, b\n".encode(), mtime=0)),
        ("a.csv", gzip.compress("rooms;where\n3;Zürich\n;a, b\n".encode(), mtime=0)),
        ("a.csv", " rooms ; where\n3;Zürich\n;a, b\n".encode()),
        ("a.jsonl", '{"rooms": 3, "where": "Zürich"}\n\n{"rooms": null, "where": "a, b"}\n'.encode()),
        ("a.jsonl", '{"rooms": 3, "where": "Zürich"}\n{"where": "a, b"}'.encode()),
    ],
)  # fmt: skip
def test_one_table_in_many_spellings(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name) == [["rooms", "where"], ["3", "Zürich"], ["", "a, b"]]


def test_json_lines_are_sent_as_json(tmp_path: Path) -> None:
    """A text has a decimal mark and a number has none: `1.125` of JSON is no 1125 to a model of decimal commas."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"code": "007", " x ": 1.125}\n{" x ": NaN, "on": true}\n')
    (batch,) = rowfiles.of_file(path)
    body, content_type = batch.request()
    assert content_type == "application/json"
    assert json.loads(body) == [{"code": "007", "x": 1.125, "on": None}, {"code": None, "x": None, "on": True}]


def test_parquet_is_read_as_the_trainer_reads_it(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "n": [1, None],
            "x": [0.5, float("nan")],
            "on": [True, None],
            "day": [datetime.date(2026, 1, 2), None],
            "at": [datetime.datetime(2026, 1, 2, 3, 4, 5), None],
            " word ": ["a", None],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    (batch,) = rowfiles.of_file(tmp_path / "a.parquet")
    first, second = json.loads(batch.request()[0])
    assert list(first) == ["n", "x", "on", "day", "at", "word"]
    assert list(first.values()) == [1, 0.5, "true", "2026-01-02", "2026-01-02T03:04:05", "a"]
    assert list(second.values()) == [None] * 6


def test_a_large_file_comes_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "".join(f"{at},1\n" for at in range(2_500)))
    batches = list(rowfiles.of_file(path))
    assert [len(batch.rows) for batch in batches] == [1_000, 1_000, 500]
    assert batches[2].rows[-1] == {"x": "2499", "y": "1"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"x,y\n1,2\n3\n", "line 3 has 1 fields: expected 2"),
        ("a.csv", b"x,x\n1,2\n", "column 'x' stands twice"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b'x,y\n1,"2\n', "cannot be read"),
        ("a.csv.gz", gzip.compress(b"x,y\n1,2\n" * 99, mtime=0)[:-12], "cannot be read"),
        ("a.jsonl", b'{"x": 1}\nhello\n', "line 2 is no JSON"),
        ("a.jsonl", b"[1]\n", r"line 1 is '\[1\]'"),
        ("a.jsonl", b'{"x": {"y": 1}}\n', "line 1: 'x' holds an object"),
        ("a.parquet", b"PAR1 but not really", "cannot be read"),
        ("a.xls", b"PK", "expected one of .csv"),
        ("a.xlsx", b"PK", "expected a whole .xlsx|expected an Excel workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Fault, match=words) as caught:
        list(rowfiles.of_file(tmp_path / name))
    assert "\n" not in caught.value.message


def test_parquet_without_polars_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(Fault, match="pip install polars"):
        list(rowfiles.of_file(tmp_path / "a.parquet"))


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=1), min_size=1))
def test_any_text_survives_the_way(texts: list[list[str]]) -> None:
    body, _ = Batch([{"x": text[0]} for text in texts], ("x",), texts).request()
    if any("\0" in text[0] for text in texts):
        return  # the API says so: no CSV holds a NUL
    assert list(csv.reader(io.StringIO(body.decode(), newline="")))[1:] == texts


def test_a_programs_values_become_json() -> None:
    row: dict[str, Any] = {"a": np.float32(0.5), "b": np.int64(3), "c": Decimal("1.5"), "d": float("nan"), "e": None}
    row |= {"f": datetime.date(2026, 1, 2), "g": True, "h": "x", "i": np.bool_(True)}
    (batch,) = of_rows([row])
    body, content_type = batch.request()
    assert content_type == "application/json"
    expected = {"a": 0.5, "b": 3, "c": 1.5, "d": None, "e": None, "f": "2026-01-02", "g": True, "h": "x", "i": True}
    assert json.loads(body) == [expected]


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (datetime.datetime(2024, 5, 31, 10, tzinfo=datetime.UTC), "2024-05-31T10:00:00"),
        (
            datetime.datetime(2024, 5, 31, 10, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
            "2024-05-31T08:00:00",
        ),
        (datetime.datetime(2024, 5, 31, 10), "2024-05-31T10:00:00"),
        (np.datetime64("2024-05-31T10:00:00", "ns"), "2024-05-31T10:00:00"),
        (np.datetime64("2024-05-31T10:00:00", "s"), "2024-05-31T10:00:00"),
        (np.datetime64("NaT", "ns"), None),
    ],
)
def test_moments_are_sent_as_dates_are_read(moment: Any, sent: str | None) -> None:
    (batch,) = of_rows([{"when": moment}])
    assert json.loads(batch.request()[0]) == [{"when": sent}]
    if sent:
        assert parse_dates(pl.Series([sent])).null_count() == 0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"a": float("inf")}], r"rows\[0\].a: expected a finite number or None, got inf"),
        ([{"a": 1}, {"a": [1]}], r"rows\[1\].a: expected a text, a number"),
        ([1], r"rows\[0\]: expected an object"),
        ({"a": 1}, "expected a list of objects, got dict"),
        ("text", "expected a list of objects, got str"),
    ],
)
def test_a_value_that_is_no_row_is_named(rows: Any, words: str) -> None:
    with pytest.raises(Fault, match=words):
        list(of_rows(rows))


def test_rows_may_come_from_a_generator() -> None:
    batches = list(of_rows({"x": at} for at in range(1_001)))
    assert [len(batch.rows) for batch in batches] == [1_000, 1]


def test_halves_hold_the_whole() -> None:
    batch = Batch([{"x": "1"}, {"x": "2"}, {"x": "3"}], ("x",), [["1"], ["2"], ["3"]])
    first, second = batch.halves()
    assert [*first.rows, *second.rows] == batch.rows
    assert first.request()[0] + second.request()[0] == b"x\r\n1\r\nx\r\n2\r\n3\r\n"
