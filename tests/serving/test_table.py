"""A model whose columns are all numbers is asked through a bound matrix: the answers are those of `session.run`."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from dropforge.contract.schema import CARD_KEY, Column, ModelCard
from dropforge.contract.tasks import PREDICTION
from dropforge.inference.faults import InputFault, ModelFault, NotFinite
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import Rows, from_json, to_arrays
from dropforge.inference.table import FEW, MOST_BOUND, Table, surely_finite
from tests.serving.little import little

NAMES = ("a", "b", "c")
CARD = ModelCard(
    model="sums", run="run-0123456789abcdef", task="regression", target="y", label_type="number", classes=(),
    columns=tuple(Column(name, "number") for name in NAMES), ignored=("id",),
)  # fmt: skip


@pytest.fixture(scope="module")
def sums() -> ServedModel:
    """y = a + b + c."""
    shape = ["N", 1]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in NAMES]
    output = helper.make_tensor_value_info(PREDICTION, TensorProto.FLOAT, shape)
    graph = helper.make_graph([helper.make_node("Sum", list(NAMES), [PREDICTION])], "sums", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {CARD_KEY: json.dumps(CARD.to_json())})
    body = model.SerializeToString()
    return ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())


def records(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"a": at, "b": at / 2, "c": -1.5} for at in range(start, start + count)]


def arrays(rows: Any) -> Any:
    return to_arrays(from_json(json.dumps(rows).encode()), CARD)


@pytest.mark.parametrize("rows", [records(3), {"columns": {"c": [1, 2], "a": [3.5, 4], "b": [0, 1]}}])
def test_inputs_are_one_matrix(rows: Any, sums: ServedModel) -> None:
    found = arrays(rows)
    assert isinstance(found, Table) and tuple(found) == NAMES and len(found) == 3
    with pytest.raises(KeyError):
        found["d"]
    apart = sums.session.run([PREDICTION], {name: np.ascontiguousarray(found[name]) for name in found})[0]
    assert sums.predict(found).predictions == apart[:, 0].tolist()


def test_counts_in_any_order(sums: ServedModel) -> None:
    for count in (1, 3, 1, 1, MOST_BOUND, MOST_BOUND + 1, 2, 3):
        expected = [at * 1.5 - 1.5 for at in range(7, 7 + count)]
        assert sums.predict(arrays(records(count, 7))).predictions == expected


def test_threads_have_a_matrix_each(sums: ServedModel) -> None:
    wrong = []

    def ask(start: int) -> None:
        for _ in range(300):
            found = sums.predict(arrays(records(2, start))).predictions
            if found != [start * 1.5 - 1.5, start * 1.5]:
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 100, 10_000, 77)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


NUMBERS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.just("3")


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5), st.booleans())
def test_records_are_taken_and_refused_as_columns_are(table: list[tuple[Any, ...]], many: bool) -> None:
    table = [*table, *([(0, 1.5, 2)] * FEW if many else [])]
    told = []
    for rows in ([dict(zip(NAMES, row, strict=True)) for row in table],
                 [{"id": None, **dict(zip(NAMES, row, strict=True))} for row in table],
                 {"columns": dict(zip(NAMES, map(list, zip(*table, strict=True)), strict=True))}):  # fmt: skip
        try:
            told.append({name: each.tolist() for name, each in arrays(rows).items()})
        except InputFault as fault:
            told.append((fault.code, fault.field, str(fault)))
    first = str(told[0])  # NaN is not equal to itself
    assert str(told[1]) == first and str(told[2]) == first


def test_an_answer_that_is_not_finite_names_its_row(sums: ServedModel) -> None:
    with pytest.raises(NotFinite) as caught:
        sums.predict(arrays([*records(2), {"a": 3e38, "b": 3e38, "c": 0}]))
    assert caught.value.row == 2


def test_the_likeliest_class_is_the_graphs() -> None:
    made = little("multiclass")
    asks = ServedModel.from_bytes(made.body, made.sha256)
    reads = ServedModel(asks.session, replace(asks.card, likeliest=True), asks.size)
    rows = to_arrays(Rows(made.columns, len(made.target)), made.card)
    by_graph, by_shares = asks.predict(rows), reads.predict(rows)
    assert by_shares.predictions == by_graph.predictions and len(set(by_graph.predictions)) == 3
    assert by_shares.probabilities is not None and by_graph.probabilities is not None
    np.testing.assert_array_equal(by_shares.probabilities, by_graph.probabilities)
    np.testing.assert_array_equal(reads.outputs(rows)[PREDICTION], asks.outputs(rows)[PREDICTION])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_surely_finite_is_finite(odd: float) -> None:
    numbers = np.linspace(-1, 1, 5_000, dtype=np.float32)
    assert surely_finite(numbers) and surely_finite(numbers[:0])
    numbers[77] = odd
    assert not surely_finite(numbers)  # 3e38 is, but its square is not: a look at each says so


def test_an_output_of_another_shape_is_a_fault(sums: ServedModel) -> None:
    card = replace(sums.card, task="binary", classes=("no", "yes"), likeliest=True)
    other = ServedModel(sums.session, card, sums.size)
    with pytest.raises(ModelFault, match="output 'probabilities': expected float32"):
        other.predict(arrays(records(2)))
    wide = ServedModel(sums.session, replace(sums.card, classes=("no", "yes")), sums.size)
    with pytest.raises(ModelFault, match=r"expected float32 of shape \(2, 2\)"):
        wide.predict(arrays(records(2)))
