"""What is accepted has the same answer in every protocol, and what is wrong the same status and the field's name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serve.conftest import place_run
from tests.serve.spoken import (
    BY_NAME,
    MODEL,
    WAYS,
    bare_lines,
    binary,
    columns,
    inference,
    instances,
    lines,
    records,
    say,
    table,
    tensors_of,
)
from tests.serving.little import little

if TYPE_CHECKING:
    from tests.serve.spoken import Row, Said

NAMES = ("x0", "x1", "x2", "x3")
NUMBER = st.none() | st.floats(-(2.0**100), 2.0**100, width=32) | st.integers(-(2**60), 2**60) | st.floats(-1e38, 1e38)
COLOUR = st.none() | st.text(max_size=8) | st.sampled_from(["red", "green", " blue ", "never seen", "NA", "1,5"])
ROW = st.fixed_dictionaries({**dict.fromkeys(NAMES, NUMBER), "colour": COLOUR})
MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=["regression", "multiclass"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A model with numbers and texts."""
    return Files.of(find([f"{MODEL}={place_run(tmp_path_factory.mktemp('run'), request.param)}"]))


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A model whose columns are all numbers."""
    made = little("regression")
    card = replace(made.card, columns=made.card.columns[:4])
    file = tmp_path_factory.mktemp("numbers") / "model.onnx"
    file.write_bytes(replace(made, card=card, weights=made.weights[:4], means=made.means[:4]).body)
    return Files.of(find([f"{MODEL}={file}"]))


def agree(said: list[Said]) -> None:
    """All the same; a refusal may be in words of the protocol's own."""
    for at, each in enumerate(said):
        assert replace(each, error="") == replace(said[0], error=""), (at, each, said[0])


@given(st.lists(ROW, min_size=1, max_size=4))
@MANY
def test_the_same_rows_have_the_same_answer(files: Files, rows: list[Row]) -> None:
    said = [say(files, *way(rows)) for way in WAYS]
    agree(said)
    assert said[0].status in (200, 422)
    if said[0].status == 422:
        assert all("rows[" in each.error for each in said), said


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBER)), min_size=1, max_size=4), st.permutations(NAMES))
@MANY
def test_numbers_alone_too_in_any_order_and_as_one_matrix(numbers: Files, rows: list[Row], order: list[str]) -> None:
    nested = [[row[name] for name in NAMES] for row in rows]
    flat = [value for row in nested for value in row]
    matrix = {"name": "input-0", "shape": [len(rows), 4], "datatype": "FP64"}
    packed = np.array([np.nan if value is None else value for value in flat], "<f8").tobytes()
    head = json.dumps({"inputs": [{**matrix, "parameters": {"binary_data_size": len(packed)}}]}).encode()
    asked = [way(rows) for way in WAYS]
    asked += [way([{name: row[name] for name in order} for row in rows]) for way in BY_NAME]
    asked += [
        (asked[3][0], {}, json.dumps({"inputs": [{**matrix, "data": flat}]}).encode()),
        (
            asked[3][0],
            {},
            json.dumps({"inputs": [{**matrix, "data": nested}]}).encode(),
        ),
        (asked[3][0], {"inference-header-content-length": str(len(head))}, head + packed),
    ]
    agree([say(numbers, *each) for each in asked])


GOOD: list[Row] = [{"x0": 1.0, "x1": 2, "x2": 3, "x3": None, "colour": "red"}] * 2


def changed(**values: Any) -> list[Row]:
    """Two rows, the second with other values; `...` takes a column away from both."""
    rows = [dict(GOOD[0]), {**GOOD[1], **values}]
    for name, value in values.items():
        rows[0].setdefault(name, value)
        if value is ...:
            for row in rows:
                del row[name]
    return rows


@pytest.mark.parametrize(
    ("rows", "ways", "status", "told"),
    [
        (changed(colour="never seen"), WAYS, 200, ""),
        (changed(x0=None, colour=None), WAYS, 200, ""),
        (changed(row=3), BY_NAME, 200, ""),
        (changed(x2=...), BY_NAME, 422, "x2"),
        (changed(size=3), BY_NAME, 422, "size"),
        (changed(x2="tall"), (records, columns, table, inference, instances, bare_lines), 422, "rows[1].x2"),
        (changed(x2=True), (records, columns, inference, instances), 422, "rows[1].x2"),
        (changed(x2=1e39), WAYS, 422, "rows[1].x2"),
        (changed(x2={"a": 1}), (records, columns, inference, instances), 422, "rows[1].x2"),
        (changed(x2=[1]), (records, columns, instances), 422, "rows[1].x2"),
        (changed(colour={"a": 1}), (records, columns, inference, instances), 422, "rows[1].colour"),
        (changed(colour="x" * 10_001), WAYS, 422, "rows[1].colour"),
        (changed(colour="cut\0here"), WAYS, 422, "rows[1].colour"),
        (changed(x0=3e38, x1=3e38, x2=3e38, x3=-3e38), WAYS, 422, "rows[1]"),
        (changed(x2=float("nan")), WAYS, 200, ""),
        (changed(x2=float("inf")), (records, columns, inference, instances), 400, "JSON"),
        (changed(x2=float("inf")), (table, bare_lines), 200, ""),
        (changed(x2=float("inf")), (binary,), 422, "rows[1].x2"),
        (GOOD * 5_001, WAYS, 413, "10000 rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_the_same_status_and_field(
    numbered: Files, rows: list[Row], ways: Any, status: int, told: str
) -> None:
    for way in ways:
        said = say(numbered, *way(rows))
        assert (said.status, told in said.error) == (status, True), (way.__name__, said)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A regression, whose answers can be beyond all numbers."""
    return Files.of(find([f"{MODEL}={place_run(tmp_path_factory.mktemp('run'), 'regression')}"]))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_bodies_that_are_none_are_refused(numbered: Files, way: Any) -> None:
    path, headers, body = way(GOOD)
    assert say(numbered, path, headers, body + b" " * 6_000_001).status == 413
    assert say(numbered, path, headers, b"").status == 400
    if way in (table, bare_lines):
        ragged = lines(GOOD, header=way is table) + b"1,2\n"
        said = say(numbered, path, headers, ragged)
        assert (said.status, "rows[2]" in said.error) == (422, True)
        assert say(numbered, path, headers, b"\xff\n").status == (400 if way is table else 422)  # a header, or a row
        return
    deep = {"inference-header-content-length": "100000"} if way is binary else headers
    assert say(numbered, path, deep, b"[" * 100_000).status == 400
    assert say(numbered, path, headers if way is not binary else {}, b"{").status == 400


def test_columns_of_different_lengths(numbered: Files) -> None:
    given = {name: [1, 2] for name in NAMES} | {"colour": ["red"]}
    said = say(numbered, f"/models/{MODEL}/predict", {}, json.dumps({"columns": given}).encode())
    assert said.status == 422 and "columns.colour" in said.error
    tensors = tensors_of(GOOD)
    tensors[4] |= {"shape": [1, 1], "data": ["red"]}
    said = say(numbered, f"/v2/models/{MODEL}/infer", {}, json.dumps({"inputs": tensors}).encode())
    assert said.status == 422 and "inputs.colour.shape" in said.error
    body = json.dumps({"instances": [[1, 2, 3, 4, "red"], [1, 2]]}).encode()
    said = say(numbered, f"/models/{MODEL}/invocations", {"content-type": "application/json"}, body)
    assert said.status == 422 and "rows[1]" in said.error
