"""Models of as many columns as a data set may have: what is asked of them must not grow with the columns' square."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from onnx import TensorProto, helper

from dropforge.contract.schema import CARD_KEY, Column, ModelCard
from dropforge.contract.tasks import PREDICTION
from dropforge.inference.faults import InputFault
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import from_json, to_arrays
from dropforge.inference.table import MOST_COLUMNS, Table

NAMES = tuple(f"c{at}" for at in range(1_999))
CARD = ModelCard(
    "wide", "run-0123456789abcdef", "regression", "y", "number", (), tuple(Column(name, "number") for name in NAMES),
    ignored=("id",),
)  # fmt: skip
ROW = {name: at / 8 for at, name in enumerate(NAMES)}


class Counted(str):
    """A name that counts how often one is compared with another."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


@pytest.fixture(scope="module")
def model() -> ServedModel:
    """y = the sum of all columns."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in NAMES]
    output = helper.make_tensor_value_info(PREDICTION, TensorProto.FLOAT, ["N", 1])
    graph = helper.make_graph([helper.make_node("Sum", list(NAMES), [PREDICTION])], "wide", inputs, [output])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(made, {CARD_KEY: json.dumps(CARD.to_json())})
    body = made.SerializeToString()
    return ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("more", [{}, {"id": None}])
def test_all_columns_are_answered(model: ServedModel, more: dict[str, None]) -> None:
    assert len(NAMES) > MOST_COLUMNS
    rows = to_arrays(from_json(json.dumps([{**ROW, **more}] * 3).encode()), CARD)
    assert model.predict(rows).predictions == pytest.approx([sum(ROW.values())] * 3, rel=1e-6)


def test_inputs_are_not_looked_up_one_by_one_in_a_list(model: ServedModel) -> None:
    """onnxruntime's own check did: two million comparisons for one row."""
    feed = {Counted(name): np.zeros((1, 1), np.float32) for name in NAMES}
    Counted.comparisons = 0
    model.session.run([PREDICTION], feed)
    assert Counted.comparisons <= 10 * len(NAMES)


def test_a_matrix_finds_its_columns_by_name() -> None:
    names = tuple(map(Counted, NAMES))
    table = Table(names, np.zeros((len(names), 1), np.float32))
    Counted.comparisons = 0
    assert len(dict(table)) == len(names)
    assert Counted.comparisons <= 10 * len(names)


def test_a_call_that_lacks_an_input_is_refused(model: ServedModel) -> None:
    feed = {name: np.zeros((1, 1), np.float32) for name in NAMES[1:]}
    with pytest.raises(ValueError, match="expected the input 'c0', got 1998 others"):
        model.session.run([PREDICTION], feed)


def test_a_message_names_some_columns() -> None:
    with pytest.raises(InputFault, match=r"'c0', 'c1'.* and 1\d\d\d more$") as caught:
        to_arrays(from_json(json.dumps([{**ROW, "stranger": 1}]).encode()), CARD)
    assert len(str(caught.value)) < 500
