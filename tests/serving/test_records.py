"""Many records of numbers, read into structs: what is taken is what the usual way takes, and the rest is left to it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropforge.contract.schema import Column, ModelCard
from dropforge.inference.faults import InputFault
from dropforge.inference.http import Request
from dropforge.inference.protocols import sagemaker
from dropforge.inference.protocols.records import table_of_records
from dropforge.inference.protocols.refusals import refusal_of
from dropforge.inference.protocols.simple import LONG, read_rows
from dropforge.inference.rows import MOST_ROWS, from_json, to_arrays

NAMES = ("a", "b: größer", "c")
CARD = ModelCard(
    model="sums", run="run-0123456789abcdef", task="regression", target="y", label_type="number", classes=(),
    columns=tuple(Column(name, "number") for name in NAMES), ignored=("id",),
)  # fmt: skip
NUMBERS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
OTHERS = NUMBERS | st.booleans() | st.just("3") | st.just([1]) | st.just({"a": 1})


def usual(body: bytes) -> Any:
    return to_arrays(from_json(body), CARD)


def same(found: Any, expected: Any) -> None:
    assert tuple(found) == NAMES
    for name in NAMES:
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], expected[name])


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=300), st.booleans(), st.booleans())
def test_numbers_are_those_of_the_usual_way(rows: list[tuple[Any, ...]], wrapped: bool, spaces: bool) -> None:
    records = [dict(zip(NAMES, row, strict=True)) for row in rows]
    separators = (", ", " : ") if spaces else (",", ":")
    body = json.dumps({"rows": records} if wrapped else records, separators=separators, ensure_ascii=False).encode()
    found = table_of_records(body, NAMES)
    if found is None:  # a number beyond float32, which the usual way names
        with pytest.raises(InputFault, match="a number within the range of float32"):
            usual(body)
    else:
        same(found, usual(body))


@given(st.lists(st.lists(OTHERS, min_size=3, max_size=3), min_size=1, max_size=100))
def test_lists_of_numbers_are_what_records_of_them_are(rows: list[list[Any]]) -> None:
    """Bare lists, as SageMaker's clients send them, of a model that reads numbers alone."""
    records = [dict(zip(NAMES, row, strict=True)) for row in rows]
    try:
        expected = usual(json.dumps(records).encode())
    except InputFault as refused:
        with pytest.raises(InputFault, match=re.escape(str(refused))):
            to_arrays(sagemaker.from_json({"instances": rows}, CARD), CARD)
    else:
        same(to_arrays(sagemaker.from_json({"instances": rows}, CARD), CARD), expected)


@given(st.lists(st.dictionaries(st.sampled_from([*NAMES, "id"]), OTHERS), max_size=4))
def test_what_is_taken_is_taken_by_the_usual_way(records: list[dict[str, Any]]) -> None:
    body = json.dumps(records, ensure_ascii=False).encode()
    found = table_of_records(body, NAMES)
    if found is not None:
        same(found, usual(body))


@pytest.mark.parametrize(
    "body",
    [
        '[{"a": 1, "a": 1, "b: größer": 2, "c": 3}]',
        '[{"a": 1, "a": 1, "b\\u003a größer": 2, "c": 3}]',
        '{"rows": [], "rows": [{"a": 1, "b: größer": 2, "c": 3}]}',
        '[{"a": 1, "b: größer": 2}]',
        '[{"a": 1, "b: größer": 2, "c": 3, "id": 4}]',
        '[{"a": true, "b: größer": 2, "c": 3}]',
        '[{"a": "1", "b: größer": 2, "c": 3}]',
        '[{"a": 1e39, "b: größer": 2, "c": 3}]',
        '[{"a": NaN, "b: größer": 2, "c": 3}]',
        '[{"a": 1, "b: größer": 2, "c": 3}',
        '{"columns": {"a": [1], "b: größer": [2], "c": [3]}}',
        "[" * 100_000,
        "[]",
        "3",
        "",
    ],
)
def test_all_else_is_left_to_the_usual_way(body: str) -> None:
    assert table_of_records(body.encode(), NAMES) is None


def test_names_that_json_escapes_are_left_to_the_usual_way() -> None:
    assert table_of_records(b'[{"a\\"": 1}]', ('a"',)) is None


def asked(records: list[dict[str, Any]], *, ascii: bool = False) -> Request:
    body = json.dumps(records, ensure_ascii=ascii).encode()
    return Request("POST", "/models/{model}/predict", {"model": "sums"}, {}, {}, body)


def test_long_bodies_are_read_so() -> None:
    records = [{"a": at / 7, "b: größer": None, "c": -at} for at in range(3_000)]
    request = asked(records)
    assert request.body is not None and len(request.body) > LONG
    rows = read_rows(request, CARD)
    assert rows.table is not None and rows.count == 3_000
    same(to_arrays(rows, CARD), usual(request.body))
    assert read_rows(asked(records[:3]), CARD).table is None
    assert read_rows(asked(records, ascii=True), CARD).table is None  # escaped
    texts = replace(CARD, columns=(*CARD.columns[:2], Column("c", "category")))
    assert read_rows(request, texts).table is None


def test_too_many_rows_are_refused_as_ever() -> None:
    with pytest.raises(InputFault, match=f"at most {MOST_ROWS}") as caught:
        read_rows(asked([{"a": 1, "b: größer": 2, "c": 3}] * (MOST_ROWS + 1)), CARD)
    assert refusal_of(caught.value).status == 413
