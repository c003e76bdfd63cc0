"""What is read, and what is refused with a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropforge.contract.plan import DataFormat
from dropforge.datasets import streams
from dropforge.datasets.faults import DataFault
from dropforge.datasets.pages import unpacked_size
from dropforge.datasets.reading import read_table, sniff, unpacked_bytes

if TYPE_CHECKING:
    from pathlib import Path

TABLE = [{"code": "007", "städte": "Köln", "n": "1.5"}, {"code": "010", "städte": "", "n": "2"}]


def delimited(delimiter: str) -> str:
    lines = [list(TABLE[0]), *(list(row.values()) for row in TABLE)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("packed", [False, True])
def test_delimited_text_is_read_the_same_however_it_is_written(write, delimiter, encoding, packed):
    path = write("a.csv", delimited(delimiter).encode(encoding), packed=packed)
    found = sniff(path, "a.csv")
    assert found == DataFormat("csv", delimiter, encoding, packed)
    assert read_table([path], found).to_dicts() == TABLE


def test_cp1252_quotes_and_euro_signs_are_read(write):
    path = write("a.csv", "a,b\n“x”,5 €\n".encode("cp1252"))
    assert read_table([path], sniff(path, "a.csv")).row(0) == ("“x”", "5 €")


def test_tsv_parquet_and_json_lines_give_the_same_table(write, tmp_path):
    tsv = write("a.tsv", delimited("\t"))
    jsonl = write("a.jsonl.gz", "".join(json.dumps(row) + "\n" for row in TABLE))
    pl.DataFrame(TABLE).write_parquet(tmp_path / "a.parquet")
    for path in (tsv, jsonl, tmp_path / "a.parquet"):
        assert read_table([path], sniff(path, path.name)).to_dicts() == TABLE


def test_json_numbers_keep_their_digits_and_absent_keys_are_missing(write):
    path = write("a.jsonl", '{"a": 1.10, "b": true}\n\n{"b": null, "c": "x"}\n')
    assert read_table([path], sniff(path, path.name)).rows() == [("1.10", "true", ""), ("", "", "x")]


def test_parquet_keeps_numbers_and_writes_dates_and_booleans_as_text(tmp_path):
    frame = pl.DataFrame({"n": [1, None], "f": [0.5, float("nan")], "b": [True, None]}).with_columns(
        d=pl.date(2024, 2, 29), t=pl.datetime(2024, 2, 29, 12, 30), c=pl.Series(["x", "y"], dtype=pl.Categorical)
    )
    frame.write_parquet(tmp_path / "a.parquet")
    first = read_table([tmp_path / "a.parquet"], DataFormat("parquet")).row(0)
    assert first == (1, 0.5, "true", "2024-02-29", "2024-02-29T12:30:00", "x")


def test_quotes_hold_delimiters_line_breaks_and_inches(write):
    path = write("a.csv", 'a,b\r\n"1,2","two\nlines"\r\n5" nail,"say ""hi"""\r\n\r\n')
    table = read_table([path], sniff(path, "a.csv"))
    assert table.rows() == [("1,2", "two\nlines"), ('5" nail', 'say "hi"')]


def test_parts_are_read_in_order_and_need_one_header(write):
    first, second, other = (
        write("part-0.csv", "a,b\n1,2\n"),
        write("part-1.csv", "a,b\n3,4\n"),
        write("p.csv", "a,c\n5,6\n"),
    )
    assert read_table([first, second], DataFormat("csv")).rows() == [("1", "2"), ("3", "4")]
    with pytest.raises(DataFault, match=r"'p.csv' has the header of the first file without \['b'\]"):
        read_table([first, other], DataFormat("csv"))


def test_a_limit_reads_the_first_rows(write):
    path = write("a.csv", "a,b\n" + "1,2\n" * 50)
    assert read_table([path], DataFormat("csv"), limit=7).height == 7


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", r"is empty \(0 bytes\)"),
        ("a.csv", b" \n\n", "nothing but white space"),
        ("a.csv", b"a,b\n", "2 columns and no rows"),
        ("a.csv", b"a,b\n1,2\n3\n", "line 3 has 1 field, the header has 2"),
        ("a.csv", b"a,b\n1,2\n3,4,5", "line 3 has 3 fields, the header has 2"),
        ("a.csv", b'a,b\n"1",2\n3,4,5\n', "line 3 has 3 fields"),
        ("a.csv", b"a,b\n1,\x002\n", "NUL byte at byte 6"),
        ("a.csv", b"a,b,a\n1,2,3\n", r"'a' 2 times"),
        ("a.csv", b"a,,c\n1,2,3\n", "column 2 of 3 has no name"),
        ("a.csv", b"1,2\n3,4\n", "all numbers; expected names"),
        ("a.csv", b"alone\n1\n2\n", "1 column, 'alone'"),
        ("a.csv", b"PK\x03\x04rest", "a zip or Excel file"),
        ("a.csv", b"PAR1rest", "is a Parquet file"),
        ("a.csv", b'[{"a": 1}]', "looks like JSON"),
        ("a.csv", b"<!DOCTYPE html><html>", "web page"),
        ("a.csv", bytes(range(1, 32)) * 9, "control bytes"),
        ("a.csv", b"a,b\n\x81\xff,2\n", "neither utf-8, utf-16, latin-1 nor cp1252"),
        ("a.csv", b"\xff\xfea", "starts as utf-16"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00rubbish", "gzip stream is damaged"),
        ("a.parquet", b"a,b\n1,2\n", "expected a Parquet file"),
        ("a.parquet", b"PAR1" + b"\x00" * 20 + b"PAR1", "damaged|cannot be read|cut short"),
        ("a.jsonl", b"[1]\n", r"expected '\{'"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "line 2: .*expected one JSON object"),
        ("a.jsonl", b'{"a": 1}\n[2]\n', "line 2 is '\\[2\\]'"),
        ("a.jsonl", b'{"a": 1, "a": 2}\n', "'a' stands twice"),
        ("a.jsonl", b'{"a": {"b": 2}}\n', "'a' holds an object"),
        ("a.xls", b"x", "expected a file ending in .csv"),
    ],
)
def test_wrong_files_are_refused_with_a_reason(write, name, content, reason):
    path = write(name, content, packed=False)
    with pytest.raises(DataFault, match=reason):
        read_table([path], sniff(path, name))


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "brotli", "uncompressed"])
def test_parquet_of_many_groups_and_pages_is_read(tmp_path, compression):
    frame = pl.DataFrame({"a": [None if at % 5 == 0 else f"t{at % 90}" for at in range(5000)], "b": range(5000)})
    frame.write_parquet(tmp_path / "a.parquet", compression=compression, row_group_size=700, data_page_size=500)
    assert read_table([tmp_path / "a.parquet"], DataFormat("parquet")).equals(frame)


def test_nested_parquet_is_refused(tmp_path):
    pl.DataFrame({"a": [[1, 2]], "b": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataFault, match="'a' is of type List"):
        read_table([tmp_path / "a.parquet"], DataFormat("parquet"))


def test_a_gzip_bomb_is_refused_before_it_is_in_memory(write, monkeypatch):
    monkeypatch.setattr(streams, "MAX_BYTES", 3 << 20)
    path = write("a.csv.gz", b"a,b\n" + b"1,2\n" * (1 << 20))
    assert path.stat().st_size < 100_000
    with pytest.raises(DataFault, match="more than 3145728 bytes unpacked"):
        sniff(path, "a.csv.gz")


def test_a_parquet_bomb_is_refused_by_its_pages(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": ["x" * 1000 + str(at) for at in range(4000)], "b": range(4000)}).write_parquet(path)
    assert unpacked_size(path).pages > 3_900_000 > 10 * path.stat().st_size
    monkeypatch.setattr(streams, "MAX_BYTES", 1 << 20)
    with pytest.raises(DataFault, match="bytes unpacked; expected at most 1048576"):
        read_table([path], DataFormat("parquet"))


def test_the_unpacked_size_is_known_for_every_format(write):
    plain, packed = write("a.csv", "a,b\n1,2\n"), write("b.csv.gz", "a,b\n" + "1,2\n" * 10)
    assert unpacked_bytes([plain], DataFormat("csv")) == 8
    assert unpacked_bytes([packed, packed], DataFormat("csv", gzip=True)) == 88


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(alphabet=',;"\n\r\t|a1{}[]:\\ é', max_size=200).map(str.encode),
        st.binary(max_size=80).map(lambda tail: b"PAR1" + tail + b"PAR1"),
        st.binary(max_size=80).map(lambda tail: b"\x1f\x8b\x08\x00" + tail),
    ),
    name=st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.parquet", "a.csv.gz"]),
)
def test_any_bytes_give_a_table_or_a_reason(tmp_path: Path, content: bytes, name: str):
    path = tmp_path / name
    path.write_bytes(content)
    try:
        table = read_table([path], sniff(path, name))
    except DataFault as fault:
        assert "expected" in str(fault)
    else:
        assert table.height > 0
        assert table.width > 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5))
def test_damaged_parquet_gives_a_table_or_a_reason(tmp_path: Path, flips: list[tuple[int, int]]):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [f"text {at % 7}" for at in range(60)], "b": range(60)}).write_parquet(path)
    damaged = bytearray(path.read_bytes())
    for at, value in flips:
        damaged[at % len(damaged)] = value
    path.write_bytes(damaged)
    try:
        read_table([path], DataFormat("parquet"))
    except DataFault as fault:
        assert "expected" in str(fault)
