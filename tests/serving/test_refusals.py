"""Faults as fields, and the refusals that the protocols make of them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from dropforge import inference
from dropforge.inference.faults import Code, InputFault
from dropforge.inference.protocols.refusals import LONGEST_MESSAGE, STATUSES, STATUSES_OF_A_ROW, Refusal, refusal_of


def test_every_code_has_a_status() -> None:
    assert set(STATUSES) == set(get_args(Code))
    assert set(STATUSES_OF_A_ROW) <= set(STATUSES)
    assert {*STATUSES.values(), *STATUSES_OF_A_ROW.values()} <= set(range(400, 500))


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (InputFault("not_json", "expected JSON: …"), Refusal(400, "not_json", "expected JSON: …")),
        (
            InputFault("wrong_type", "expected a number", row=3, column="age"),
            Refusal(422, "wrong_type", "rows[3].age: expected a number", "rows[3].age", 3, "age"),
        ),
        (
            InputFault("ragged_row", "expected 3 fields", row=0),
            Refusal(422, "ragged_row", "rows[0]: expected 3 fields", "rows[0]", 0),
        ),
        (
            InputFault("missing_column", "expected a value", column="age"),
            Refusal(422, "missing_column", "age: expected a value", "age", None, "age"),
        ),
        (
            InputFault("repeated_column", "expected once", column="age"),
            Refusal(422, "repeated_column", "column 'age': expected once", "age", None, "age"),
        ),
        (
            InputFault("wrong_query", "expected true or false", place="explain"),
            Refusal(400, "wrong_query", "explain: expected true or false", "explain"),
        ),
        (InputFault("not_base64", "expected base64"), Refusal(400, "not_base64", "expected base64")),
        (
            InputFault("not_base64", "expected base64", row=1, column="image"),
            Refusal(422, "not_base64", "rows[1].image: expected base64", "rows[1].image", 1, "image"),
        ),
    ],
)
def test_a_fault_is_worded_once(fault: InputFault, refusal: Refusal) -> None:
    assert refusal_of(fault) == refusal


def test_a_column_may_be_named_like_a_place() -> None:
    fault = InputFault("wrong_type", "expected a number", row=2, column="a.b: rows[7].c")
    assert (refusal_of(fault).row, refusal_of(fault).column) == (2, "a.b: rows[7].c")


def test_a_message_is_not_longer_than_people_read() -> None:
    assert len(refusal_of(InputFault("unknown_column", "x" * 5_000, column="age")).message) == LONGEST_MESSAGE


def test_the_runtime_knows_no_status() -> None:
    """What reads rows and runs models knows no HTTP: it names no status and imports no protocol."""
    room = Path(inference.__file__).parent
    for file in room.glob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        names |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        imported = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        assert file.name == "http.py" or "status" not in names, file.name
        assert not [name for name in imported if name.startswith("dropforge.inference.protocols")], file.name
