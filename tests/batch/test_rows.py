"""Rows of delimited text and JSON lines: none lost, none invented, every fault with its line."""

from __future__ import annotations

import csv
import io
import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.batch.common import rows as module
from lambdas.batch.common.jsonlines import json_lines
from lambdas.batch.common.rows import CHUNK_ROWS, Layout, delimited, whole_lines

LAYOUT = Layout(("id", "a", "b"), ",", ("b", "a"))


def read(
    text: str, line: int = 2, layout: Layout = LAYOUT
) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str]]]:
    """Line and fields `id, a, b` of every row, line and reason of every fault."""
    found, faults = [], []
    for chunk in delimited(whole_lines([text.encode()]), layout, line):
        fields = zip(chunk.kept, chunk.columns["a"], chunk.columns["b"], strict=True)
        found += [(at, [*kept, a, b]) for at, (kept, a, b) in zip(chunk.lines, fields, strict=True)]
        faults += [(fault.line, fault.why) for fault in chunk.faults]
    return found, faults


def test_plain_rows_have_their_lines() -> None:
    assert read("1,2,3\n4,5,6\r\n7,8,9") == ([(2, ["1", "2", "3"]), (3, ["4", "5", "6"]), (4, ["7", "8", "9"])], [])


def test_blank_lines_are_no_rows_and_are_counted() -> None:
    assert read("\n1,2,3\n   \n4,5,6\n\n") == ([(3, ["1", "2", "3"]), (5, ["4", "5", "6"])], [])


def test_a_row_of_another_width_is_reported_and_the_others_go_on() -> None:
    found, faults = read("1,2,3\n4,5\n7,8,9\n1,2,3,4\n5,6,7\n")
    assert [line for line, _ in found] == [2, 4, 6]
    assert faults == [
        (3, "expected 3 fields as in the header, got 2"),
        (5, "expected 3 fields as in the header, got 4"),
    ]


def test_line_breaks_and_doubled_quotes_within_quotes() -> None:
    found, faults = read('1,"x\ny",3\n4,"say ""no""",6\n7,8\n9,8,7\n')
    assert found == [(2, ["1", "x\ny", "3"]), (4, ["4", 'say "no"', "6"]), (6, ["9", "8", "7"])]
    assert faults == [(5, "expected 3 fields as in the header, got 2")]


def test_quotes_placed_freely_are_text() -> None:
    assert read('1,5" nail,3\n4,5,6\n') == ([(2, ["1", '5" nail', "3"]), (3, ["4", "5", "6"])], [])


@pytest.mark.parametrize("rest", [3, 30_000])
def test_a_quote_that_is_left_open_costs_its_own_line_alone(rest: int) -> None:
    text = '1,2,3\n4,"5,6\n' + "".join(f"{at},{at},{'x' * 40}\n" for at in range(rest))
    found, faults = read(text)
    assert [line for line, _ in found] == [2, *range(4, 4 + rest)]
    assert len(faults) == 1 and faults[0][0] == 3 and "row of delimited text" in faults[0][1]


def test_a_row_across_blocks_of_s3_is_one_row() -> None:
    text = b"1,2,3\n4,5,6\n"
    for cut in range(len(text)):
        chunks = list(delimited(whole_lines([text[:cut], text[cut:]]), LAYOUT, 2))
        assert [line for chunk in chunks for line in chunk.lines] == [2, 3]


def test_a_quoted_line_break_across_blocks() -> None:
    blocks = [b'1,"x\n', b'y",3\n4,5,6\n']
    chunks = list(delimited(whole_lines(blocks), LAYOUT, 2))
    assert [(line, a) for chunk in chunks for line, a in zip(chunk.lines, chunk.columns["a"], strict=True)] == [
        (2, "x\ny"), (4, "5")
    ]  # fmt: skip


def test_chunks_are_bounded() -> None:
    chunks = list(delimited(iter(["1,2,3\n" * (3 * CHUNK_ROWS)]), LAYOUT, 2))
    assert [len(chunk.lines) for chunk in chunks] == [CHUNK_ROWS] * 3
    assert chunks[1].lines[0] == CHUNK_ROWS + 2


FIELD = st.text(st.sampled_from('ab,"\n\r é'), max_size=4)


@given(st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=8), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_what_csv_writes_is_read_whole_however_it_comes(table: list[tuple[str, str, str]], seed: int) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(table)
    raw, chance = out.getvalue().encode(), random.Random(seed)
    cuts = sorted(chance.randrange(len(raw) + 1) for _ in range(3))
    blocks = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    found = [
        (kept[0], a, b)
        for chunk in delimited(whole_lines(blocks), LAYOUT, 2)
        for kept, a, b in zip(chunk.kept, chunk.columns["a"], chunk.columns["b"], strict=True)
    ]
    assert found == table


def test_a_row_longer_than_a_block_is_a_fault_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 100)
    found, faults = read('1,"' + "x\n" * 100 + '",3\n7,8,9\n')
    assert found == [(103, ["7", "8", "9"])]
    assert min(faults) == (2, "expected a row of delimited text, got none: a quote is left open")
    assert sorted(line for line, _ in faults) == list(range(2, 103))


def test_json_lines_are_texts_as_they_are_written() -> None:
    lines = '{"a": 1.50, "b": null, "id": 7}\n\n{"b": true, "x": [1.0]}\nnot\n[1]\n{"a": {}}\n{"a": 1, "a": 2}\n'
    (chunk,) = json_lines(iter([lines]), ("a", "b"), 1)
    assert chunk.columns == {"a": ("1.50", ""), "b": ("", "true")}
    assert list(chunk.lines) == [1, 3]
    assert [(fault.line, fault.column) for fault in chunk.faults] == [(4, None), (5, None), (6, "a"), (7, None)]
    assert "'a' stands twice" in chunk.faults[-1].why


def test_keys_of_json_are_the_same_however_their_accents_are_typed() -> None:
    apart = unicodedata.normalize("NFD", "Größe")
    for known, sent in (("Größe", apart), (apart, "Größe"), ("Größe", "Größe")):
        (chunk,) = json_lines(iter([f'{{"{sent}": 4}}\n']), (known,), 1)
        assert chunk.columns == {known: ("4",)} and list(chunk.kept[0]) == [sent]
