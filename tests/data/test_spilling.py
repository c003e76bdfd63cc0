"""Data larger than memory: in blocks, on disk, and the same answers as from a frame."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropforge.contract.plan import DataFormat
from dropforge.contract.spec import Spec
from dropforge.datasets import blocks, facts, jsonlines, parquet, reading, streams
from dropforge.datasets.columns import describe, describe_facts
from dropforge.datasets.dataset import Dataset, Options
from dropforge.datasets.delimited import parse_delimited, read_delimited
from dropforge.datasets.facts import Facts
from dropforge.datasets.faults import DataFault
from dropforge.datasets.layout import count_rows
from dropforge.datasets.prepare import prepare
from dropforge.datasets.reading import open_table, read_table, sniff
from dropforge.datasets.table import InMemory, Spill


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few rows, and a spill for any file."""
    monkeypatch.setattr(streams, "CHUNK", 700)
    monkeypatch.setattr(blocks, "BLOCK", 1500)
    monkeypatch.setattr(jsonlines, "ROWS", 40)
    monkeypatch.setattr(parquet, "BATCH", 40)
    monkeypatch.setattr(reading, "IN_MEMORY", 0)


def houses(rows: int = 400) -> pl.DataFrame:
    """Every kind of column, copies, ids, free text, rows without a target and rows that stand twice."""
    at = range(rows)
    frame = pl.DataFrame(
        {
            "id": [str(each) for each in at],
            "size": ["" if each % 11 == 0 else str(each * 37 % 101 / 4) for each in at],
            "size_again": ["NA" if each % 11 == 0 else f"{each * 37 % 101 / 4:.3f}" for each in at],
            "town": [[" Köln ", "Bonn", "NA"][each % 3] for each in at],
            "garden": [["yes", "no", "?"][each % 7 % 3] for each in at],
            "built": ["" if each % 13 == 0 else f"{1 + each % 28}/{1 + each % 12}/{1990 + each % 30}" for each in at],
            "code": [f"{each * 7 % 350:03}" for each in at],
            "says": [f"a house of {each} rooms, and more" for each in at],
            "mail": [f"p{each % 50}@example.org" for each in at],
            "price": ["" if each % 20 == 0 else str(each * 7 % 203 + 0.5) for each in at],
        }
    )
    return pl.concat([frame, frame[30:60]])


def same(one: Dataset, two: Dataset) -> None:
    """Asserts that two data sets are equal in everything."""
    for name in ("target", "task", "classes", "columns", "ignored", "masked", "counts", "profile"):
        assert getattr(one, name) == getattr(two, name), name
    for part in ("train", "validation", "holdout"):
        ours, theirs = getattr(one, part), getattr(two, part)
        np.testing.assert_array_equal(ours.target, theirs.target)
        assert list(ours.columns) == list(theirs.columns)
        for name, values in ours.columns.items():
            assert values.dtype == theirs.columns[name].dtype
            np.testing.assert_array_equal(values, theirs.columns[name])


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.parquet", "quoted.csv", "free.csv"])
def test_a_spilled_file_is_prepared_as_one_in_memory(name, tmp_path, write, request):
    path, frame = tmp_path / name, houses()
    if name.endswith("parquet"):
        frame = frame.with_columns(pl.col("size").cast(pl.Float64, strict=False), pl.col("id").cast(pl.Int64))
        frame.write_parquet(path)
    elif name.endswith("jsonl"):
        write(name, "".join(json.dumps({k: v for k, v in row.items() if v}) + "\n" for row in frame.to_dicts()))
    else:
        always = {"quote_style": "always"} if name == "quoted.csv" else {}
        text = frame.write_csv(separator="\t" if "tsv" in name else ",", **always)
        write(name, text.replace(",Bonn,", ',Bo"nn,') if name == "free.csv" else text)
    whole = prepare([path], Options(target="price"))
    request.getfixturevalue("tiny")
    spilled = prepare([path], Options(target="price"))
    same(whole, spilled)
    assert whole.profile["dropped"]["id"].startswith("row numbers")
    assert [why for why in whole.profile["dropped"].values() if why.startswith("copy of column 'size")] != []
    assert whole.profile["dropped"]["says"].startswith("free text")
    assert whole.counts["duplicates"] == 29


@pytest.mark.usefixtures("tiny")
def test_real_data_are_prepared_alike(real, monkeypatch):
    path = real("diabetes")
    spilled = prepare([path], Options())
    monkeypatch.setattr(reading, "IN_MEMORY", 1 << 30)
    same(prepare([path], Options()), spilled)


@pytest.mark.usefixtures("tiny")
def test_parts_are_spilled_in_order_and_need_one_header(write):
    frame = houses(120)
    one, two, other = (
        write("part-0", frame.write_csv()),
        write("part-1", frame.reverse().write_csv()),
        write("p.csv", "a,b\n1,2\n" * 300),
    )
    with open_table([one, two], DataFormat("csv")) as table:
        assert isinstance(table, Spill)
        assert len(table.parts) > 4
        assert pl.concat(table.blocks()).equals(pl.concat([frame, frame.reverse()]))
        assert table["town"].to_list() == [*frame["town"], *frame["town"].reverse()]
        folder = table.folder
    assert not folder.exists()
    with pytest.raises(DataFault, match=r"'p.csv' has the header of the first file without \['id'"):
        prepare([one, other], Options(data=DataFormat("csv")))


@pytest.mark.usefixtures("tiny")
def test_keys_that_come_late_are_missing_before(write):
    lines = [{"a": at % 7, "b": "x"} for at in range(100)] + [{"c": "new", "a": 1} for _ in range(50)]
    path = write("a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    with open_table([path], DataFormat("jsonl")) as table:
        assert table.columns == ["a", "b", "c"]
        assert table["c"].to_list() == [""] * 100 + ["new"] * 50
        assert (table.facts("c").known, table.facts("c").rows) == (50, 150)
        assert pl.concat(table.blocks()).equals(read_table([path], DataFormat("jsonl")))


@pytest.mark.usefixtures("tiny")
def test_parquet_parts_of_other_types_meet_in_one(tmp_path):
    pl.DataFrame({"n": range(90), "t": ["a"] * 90}).write_parquet(tmp_path / "0.parquet")
    pl.DataFrame({"n": [0.5] * 90, "t": ["b"] * 90}).write_parquet(tmp_path / "1.parquet")
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    with open_table(paths, DataFormat("parquet")) as table:
        assert table["n"].dtype == pl.Float64
        assert pl.concat(table.blocks()).equals(read_table(paths, DataFormat("parquet")))


ROW = "id,size\n" + "".join(f"{at},{at / 4}\n" for at in range(400))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ROW + "7\n", "line 402 has 1 field, the header has 2"),
        (ROW + "\n\n7,8,9\n" + ROW, "line 404 has 3 fields"),
        (ROW + '"two\nlines",1\n' + "1,2,3\n", "line 404 has 3 fields"),
        (ROW + '5" nail,1\n' + ROW[8:] + "1,2,3\n", "line 803 has 3 fields"),
        (ROW + "7,\x008\n", "NUL byte at byte "),
        ("id,size,id\n" + "1,2,3\n" * 900, "'id' 2 times"),
        ("id,size\n", "2 columns and no rows"),
    ],
)
def test_wrong_rows_are_refused_with_their_line_far_down(write, content, reason):
    path = write("a.csv", content)
    with pytest.raises(DataFault, match=reason), open_table([path], DataFormat("csv")):
        pass


@pytest.mark.usefixtures("tiny")
def test_bytes_that_are_not_of_the_encoding_and_bombs_are_refused(write, monkeypatch):
    bad = write("a.csv", ROW.encode() + b"\xff,1\n")
    with pytest.raises(DataFault, match="expected utf-8 text"), open_table([bad], DataFormat("csv")):
        pass
    monkeypatch.setattr(streams, "MAX_BYTES", 100_000)
    bomb = write("b.csv.gz", b"a,b\n" + b"1,2\n" * 100_000)
    with pytest.raises(DataFault, match="more than 100000 bytes"), open_table([bomb], DataFormat("csv", gzip=True)):
        pass
    monkeypatch.setattr(blocks, "LONGEST_ROW", 5000)
    long = write("c.csv", "a,b\n" + "x" * 90_000)
    with pytest.raises(DataFault, match="a row of more than 5000 bytes"), open_table([long], DataFormat("csv")):
        pass


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_every_encoding_is_read_in_blocks(write, encoding):
    path = write("a.csv", ("städte,n\n" + "Köln,1\nMünchen,2\n" * 500).encode(encoding))
    with open_table([path], sniff(path, "a.csv")) as table:
        assert table.columns == ["städte", "n"]
        assert table["städte"].to_list() == ["Köln", "München"] * 500


CELL = st.text(alphabet='ab",\n \r', max_size=5)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12), end=st.sampled_from(["\n", "\r\n"]))
def test_well_quoted_text_is_read_as_the_standard_reader_does(rows, end):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=end).writerows([("x", "y"), *rows])
    text = out.getvalue().encode()
    assert count_rows(text, ",", 2, 0) == len(rows) + 1
    expected = [row for row in rows if any(cell.strip() for cell in row)]
    assert pl.concat(read_delimited(iter([text]), ",")).rows() == expected


@settings(max_examples=300, deadline=None)
@given(body=st.one_of(st.text(alphabet='a",\n', max_size=30), st.text(alphabet="a,\n", max_size=30)))
def test_freely_quoted_text_is_read_as_the_standard_reader_does(body):
    text = "x,y\n" + body
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
        whole = all(len(row) == 2 or not any(cell.strip() for cell in row) for row in rows)
        found = parse_delimited(text.encode(), ",", None).rows()
    except DataFault as fault:
        is_open = list(csv.reader(io.StringIO(f"{text}\nEND", newline="")))[-1] != ["END"]
        assert any(len(row) != 2 for row in rows if row) or is_open and "a quote is left open" in str(fault)
    else:
        assert whole
        assert found == [tuple(row) for row in rows if any(cell.strip() for cell in row)]


def test_counts_are_exact_up_to_the_sample_and_near_beyond(monkeypatch):
    monkeypatch.setattr(facts, "SAMPLE", 500)
    few, many = Facts("few", False), Facts("many", False)
    for start in range(0, 20_000, 1000):
        few.add(pl.Series([f"w{(start + at) % 400}" for at in range(1000)]))
        many.add(pl.Series([f"w{start + at}" if at % 2 else "w1" for at in range(1000)]))
    assert (few.count, few.known, few.all_differ) == (400, 20_000, False)
    assert abs(many.count - 10_000) < 1500
    assert len(many.distinct) <= 500
    assert many.known == 20_000


def test_one_padded_code_in_millions_makes_a_category(monkeypatch):
    monkeypatch.setattr(facts, "SAMPLE", 50)
    counted = Facts("code", False)
    for start in range(0, 5000, 500):
        counted.add(pl.Series([str(10_000 + start + at) for at in range(500)]))
    counted.add(pl.Series(["00123", *(str(at) for at in range(20_000, 20_499))]))
    assert counted.padded
    assert describe_facts(counted, Spec()).kind == "category"


@pytest.mark.parametrize("sample", [40, 1 << 16])
def test_ids_are_told_with_and_without_a_full_count(monkeypatch, sample):
    monkeypatch.setattr(facts, "SAMPLE", sample)
    rng = np.random.default_rng(0)
    rows = 5000
    frame = pl.DataFrame(
        {
            "n": np.arange(rows), "order": np.arange(rows) * 7 + 1000, "user_id": rng.permutation(rows) * 13 + 5,
            "x": np.round(rng.normal(size=rows), 4), "shop_id": rng.integers(0, 9, rows),
        }
    )  # fmt: skip
    for table in (frame, frame.cast(pl.String)):
        found = describe(InMemory(table), Spec())
        assert found["n"].dropped.startswith("row numbers: 0 to 4999")
        assert "count from row to row" in found["order"].dropped
        assert found["shop_id"].kind == "category"
        assert (found["x"].kind, found["x"].dropped) == ("number", "")
        if sample > rows:
            assert "an id by its name" in found["user_id"].dropped


MEMORY = r"""
import sys
from pathlib import Path
from dropforge.datasets.columns import describe
from dropforge.datasets.reading import open_table
from dropforge.contract.plan import DataFormat
from dropforge.contract.spec import Spec
from dropforge.datasets import blocks, reading
blocks.BLOCK, reading.IN_MEMORY = 1 << 20, 0
with open_table([Path(sys.argv[1])], DataFormat("csv")) as table:
    describe(table, Spec(), "y")
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""  # the high-water mark of this program alone: rusage's begins with that of whoever started it


def test_memory_does_not_grow_with_the_rows(tmp_path):
    rng = np.random.default_rng(1)
    block = pl.DataFrame({f"c{at}": np.round(rng.normal(size=20_000), 5) for at in range(12)}).with_columns(
        y=pl.Series(rng.integers(0, 9, 20_000))
    )
    text = block.write_csv(include_header=False)
    used = []
    for times in (3, 24):
        path = tmp_path / f"{times}.csv"
        path.write_text(",".join(block.columns) + "\n" + text * times)
        done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
        used.append(float(done.stdout) / 1024)
    assert used[1] < used[0] + 40, f"MiB for 5 MB and for 43 MB of text: {used}"


@pytest.mark.parametrize("lines", [1, 49, 60, 3_000])
def test_a_block_ends_where_a_row_does_however_long_its_quotes(lines):
    """Each line of the quoted text looks like a row."""
    quoted = "".join(f"{at},x,5\n" for at in range(lines))
    head = b'1,"a",2\n2,"b",3\n'
    assert blocks.row_end(head + f'3,"{quoted}'.encode()) == len(head)
    whole = head + f'3,"{quoted}",4\n'.encode()
    assert blocks.row_end(whole + b'4,"c') == len(whole)


def test_a_quote_that_stands_astray_stops_nothing():
    rows = b"1,x,2\n" * 400_000
    assert blocks.row_end(b'5" nail,x,2\n' + rows + b"7") == len(rows) + 12
