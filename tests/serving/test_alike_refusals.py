"""Tensors that are not made as tensors are leave the quick way, for the slow one to name what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dropforge.contract.schema import Column, ModelCard
from dropforge.inference.protocols.v2.alike import table_of

CARD = ModelCard("m", "run-0", "regression", "y", "number", (), tuple(Column(f"x{at}", "number") for at in range(4)))
WHOLE = {"name": "input", "datatype": "FP32", "shape": [2, 4], "data": [1.0] * 8}


def column(name: Any, **changes: Any) -> dict[str, Any]:
    return {"name": name, "datatype": "FP32", "shape": [2], "data": [1.0, 2.0], **changes}


def columns(**changes: Any) -> list[dict[str, Any]]:
    return [column(f"x{at}", **changes) for at in range(4)]


@pytest.mark.parametrize("changes", [
    {"data": [[1, 2, 3, 4], 5]}, {"data": None}, {"data": 5}, {"data": True}, {"data": {"a": 1}},
    {"datatype": []}, {"datatype": {}}, {"name": None}, {"name": []}, {"name": {}}, {"name": 1}, {"shape": "ab"},
])  # fmt: skip
def test_a_matrix_that_is_none(changes: dict[str, Any]) -> None:
    assert table_of([WHOLE], memoryview(b""), CARD) is not None
    assert table_of([{**WHOLE, **changes}], memoryview(b""), CARD) is None


@pytest.mark.parametrize("name", [None, 1, {}, []])
def test_columns_without_a_name(name: Any) -> None:
    assert table_of(columns(), memoryview(b""), CARD) is not None
    assert table_of([*columns()[:3], column(name)], memoryview(b""), CARD) is None


@pytest.mark.parametrize("datatype", [[], {}])
def test_columns_of_no_datatype(datatype: Any) -> None:
    assert table_of(columns(datatype=datatype), memoryview(b""), CARD) is None
