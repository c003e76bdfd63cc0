"""Columns whose values lie too close together for float32: every protocol keeps their digits up to the graph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.contract.registry import LiveRow
from dropforge.contract.schema import Column, ModelCard
from dropforge.inference.explain import explanations
from dropforge.inference.faults import InputFault
from dropforge.inference.model import ServedModel
from dropforge.inference.protocols import sagemaker, simple
from dropforge.inference.protocols.v2 import inputs, wire
from dropforge.inference.protocols.v2.datatypes import NUMPY
from dropforge.inference.protocols.v2.metadata import model_metadata
from dropforge.inference.rows import from_csv, from_json, to_arrays
from dropforge.inference.table import MOST_BOUND
from tests.serving.little import Little, far, little

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNT = 20


@pytest.fixture(params=[False, True], ids=["texts too", "numbers alone"])
def made(request: pytest.FixtureRequest) -> Little:
    return far(little("multiclass"), numbers_alone=request.param)


def model_of(made: Little) -> ServedModel:
    return ServedModel.from_bytes(made.body, made.sha256)


def as_csv(made: Little, header: bool) -> bytes:
    names = [list(made.columns)] if header else []
    cells = [["" if value is None else repr(value) for value in row.values()] for row in made.rows(COUNT)]
    return "\n".join(",".join(line).replace("'", "") for line in (*names, *cells)).encode()


def tensor(name: str, values: list[Any], datatype: str = "FP64") -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(values), 1], "data": values}


def tensors(made: Little, **datatypes: str) -> list[dict[str, Any]]:
    return [
        tensor(each.name, made.columns[each.name][:COUNT],
               datatypes.get(each.name, "FP64" if each.takes_numbers else "BYTES"))
        for each in made.card.columns
    ]  # fmt: skip


def v2_json(made: Little) -> Mapping[str, np.ndarray]:
    return inputs.to_arrays(wire.read(json.dumps({"inputs": tensors(made)}).encode(), None), made.card)


def in_binary(made: Little, datatype: str = "FP64") -> Mapping[str, np.ndarray]:
    """Numbers in binary, x0 of this datatype and all others FP64; texts in JSON."""
    heads, blob = [], b""
    for each in tensors(made, x0=datatype):
        if each["datatype"] != "BYTES":
            body = np.array(each.pop("data"), float).astype(NUMPY[each["datatype"]]).tobytes()
            each["parameters"] = {"binary_data_size": len(body)}
            blob += body
        heads.append(each)
    head = json.dumps({"inputs": heads}).encode()
    return inputs.to_arrays(wire.read(head + blob, str(len(head))), made.card)


WAYS = {
    "records": lambda made: to_arrays(from_json(json.dumps(made.rows(COUNT)).encode()), made.card),
    "columns": lambda made: to_arrays(
        from_json(json.dumps({"columns": {name: each[:COUNT] for name, each in made.columns.items()}}).encode()),
        made.card,
    ),
    "csv": lambda made: to_arrays(from_csv(as_csv(made, header=True)), made.card),
    "sagemaker csv": lambda made: to_arrays(sagemaker.from_csv(as_csv(made, header=False), made.card), made.card),
    "sagemaker json": lambda made: to_arrays(
        sagemaker.from_json([list(row.values()) for row in made.rows(COUNT)], made.card), made.card
    ),
    "v2 json": v2_json,
    "v2 binary": in_binary,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_protocol_keeps_the_digits(made: Little, way: str) -> None:
    arrays = WAYS[way](made)
    assert {name: values.dtype.kind + str(values.itemsize) for name, values in arrays.items()} == {
        each.name: {"float64": "f8", "float32": "f4", "string": "O8"}[each.element] for each in made.card.columns
    }
    assert arrays["x0"][:, 0].tolist() == made.columns["x0"][:COUNT]
    answers = model_of(made).predict(arrays)
    expected = made.expected({name: values[:COUNT] for name, values in made.columns.items()})
    assert answers.probabilities is not None
    np.testing.assert_allclose(answers.probabilities, expected, atol=1e-5)


def test_a_matrix_of_all_columns_keeps_the_digits_too() -> None:
    made = far(little("regression"), numbers_alone=True)
    rows = [[0.0 if value is None else value for value in row.values()] for row in made.rows(COUNT)]
    whole = {"name": "input", "datatype": "FP64", "shape": [COUNT, 4], "data": rows}
    arrays = inputs.to_arrays(wire.read(json.dumps({"inputs": [whole]}).encode(), None), made.card)
    assert arrays["x0"][:, 0].tolist() == made.columns["x0"][:COUNT]
    with pytest.raises(InputFault, match="expected FP64 or whole numbers for column 'x0'"):
        narrow = {**whole, "datatype": "FP32"}
        inputs.to_arrays(wire.read(json.dumps({"inputs": [narrow]}).encode(), None), made.card)


def test_numbers_that_were_rounded_on_the_way_are_refused(made: Little) -> None:
    with pytest.raises(InputFault, match="lie too close together for FP32") as caught:
        in_binary(made, "FP32")
    assert caught.value.code == "datatype"
    with pytest.raises(InputFault, match="lie too close together for FP32"):
        body = json.dumps({"inputs": tensors(made, x0="FP32")}).encode()
        inputs.to_arrays(wire.read(body, None), made.card)
    assert in_binary(made, "INT64")["x0"].dtype == np.float64, "whole numbers are exact"
    others = tensors(made, x1="FP32")
    assert (
        inputs.to_arrays(wire.read(json.dumps({"inputs": others}).encode(), None), made.card)["x1"].dtype == np.float32
    )


def test_many_rows_and_long_bodies(made: Little) -> None:
    rows = [made.row(at % COUNT) for at in range(2 * MOST_BOUND)]
    body = json.dumps(rows).encode()
    assert len(body) > simple.LONG and simple.many_records(body, made.card) is None
    answers = model_of(made).predict(to_arrays(from_json(body), made.card)).probabilities
    expected = made.expected({name: values[:COUNT] for name, values in made.columns.items()})
    assert answers is not None
    np.testing.assert_allclose(answers[-MOST_BOUND:], np.resize(expected, (2 * MOST_BOUND, 3))[-MOST_BOUND:], atol=1e-5)


@pytest.mark.parametrize(("value", "shown"), [("1e400", "inf"), ("1" + "0" * 400, "a huge whole number")])
def test_numbers_beyond_float64_are_refused(made: Little, value: str, shown: str) -> None:
    body = json.dumps([made.row(0)]).replace(json.dumps(made.columns["x0"][0]), value).encode()
    with pytest.raises(InputFault, match=f"a number within the range of float64, got {shown}"):
        to_arrays(from_json(body), made.card)


def test_numbers_beyond_float32_are_taken_where_the_input_is_wider(made: Little) -> None:
    arrays = to_arrays(from_json(json.dumps([{**made.row(0), "x0": 1e300}]).encode()), made.card)
    assert arrays["x0"].tolist() == [[1e300]]
    with pytest.raises(InputFault, match="x2: expected a number within the range of float32"):
        to_arrays(from_json(json.dumps([{**made.row(0), "x2": 1e300}]).encode()), made.card)


def test_the_metadata_name_the_datatype(made: Little) -> None:
    live = LiveRow("flowers", "1", made.card.run, "runs/model.onnx", made.sha256, 1, "2026-11-01T12:00:00+00:00", "ada")
    found = {each["name"]: each["datatype"] for each in model_metadata(live, made.card)["inputs"]}
    assert (found["x0"], found["x1"]) == ("FP64", "FP32")


def test_an_explanation_compares_with_all_digits(made: Little) -> None:
    model = model_of(made)
    arrays = WAYS["records"](made)
    answers = model.predict(arrays)
    found = explanations({"explain": "true"}, model, arrays, answers)["explanations"]
    assert answers.probabilities is not None
    for at, each in enumerate(found):
        assert sum(each["contributions"].values()) + each["base"] == pytest.approx(
            answers.probabilities[at].max(), abs=1e-5
        )
    assert any(abs(each["contributions"]["x0"]) > 1e-3 for each in found)


def test_cards_of_before_have_float32_inputs() -> None:
    card = little("regression").card
    stored = card.to_json()
    for each in stored["columns"]:
        del each["double"]
    assert ModelCard.from_json(stored) == card
    assert Column("a", "number").element == "float32"
