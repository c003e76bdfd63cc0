"""The model file: odd names, all kinds of columns, what is inside it, and a proof that catches a wrong one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch

from dropforge.contract.schema import CARD_KEY, KNOWN_KEY, Column, ModelCard
from dropforge.datasets.dataset import Rows
from training_container.encoding import Encoder, Table
from training_container.evidence import golden_rows
from training_container.export import parity
from training_container.export.background import background
from training_container.export.graph import build
from training_container.export.nodes import prefix_for
from training_container.export.parity import PROBES, probe_rows, prove, shared_edges
from training_container.export.runtime import Runtime
from training_container.faults import ParityFault
from training_container.kinds import TRAINED
from training_container.models.features import plain_features
from training_container.models.predictor import Answer, ClassTail, LinearCore, Predictor
from training_container.models.scales import RegressionTail, TargetScale
from training_container.native import Native

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Set

COLUMNS = (
    Column("df.numbers", "number"),
    Column("price in $ (net)", "number"),
    Column("größe/数", "category"),
    Column("isnan", "category"),
    Column("yes or no?", "boolean"),
    Column("when-sold", "date"),
    Column("when/built", "date"),
)
"""Names that the graph's inner names could collide with, and every kind."""


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Rows of every kind of column, with gaps, and dates in all spellings that a model may be sent."""
    at = np.arange(60)
    dates = ["2024-05-31T12:30:00", "2024-05-31", "2024/05/31", "2024-05-31T12:30:00.5Z", "31.05.2024"]
    dates += ["", "2024-02-29 23:59", "7/8/1999", "2024-13-01", "none"]
    values: dict[str, np.ndarray] = {
        "df.numbers": np.where(at % 7, at, np.nan).astype(np.float32),
        "price in $ (net)": (at**2 / 10).astype(np.float32),
        "größe/数": np.array(["klein", "groß", "", "数", "klein"] * 12, dtype=object),
        "isnan": np.array(["a", "b", "c"] * 20, dtype=object),
        "yes or no?": np.array(["true", "No", "", "1"] * 15, dtype=object),
        "when-sold": np.array(dates * 6, dtype=object),
        "when/built": np.array(dates[::-1] * 6, dtype=object),
    }
    return Rows(values, at.astype(np.float64))


@pytest.fixture(scope="module")
def encoder(rows: Rows) -> Encoder:
    return Encoder.learn(COLUMNS, rows.columns)


def linear_body(encoder: Encoder, table: Table, outputs: int) -> Predictor:
    features = plain_features(table, [each.size for each in encoder.vocabularies])
    weights = torch.linspace(-1, 1, features.width * outputs).reshape(features.width, outputs)
    tail = ClassTail() if outputs > 1 else RegressionTail(TargetScale(True, 3.0, 0.3, 0.0, 1e6))
    return Predictor(tuple(table.groups), Answer(LinearCore(features, weights, torch.zeros(outputs)), tail))


def card(columns: tuple[Column, ...], classes: tuple[str, ...] = ()) -> ModelCard:
    return ModelCard("m", "run-0", "multiclass" if classes else "regression", "target", "text", classes, columns)


@pytest.mark.parametrize("classes", [(), ("yes", "no", "$ ünsure")])
def test_all_kinds_and_odd_names_answer_as_torch(encoder: Encoder, rows: Rows, classes: tuple[str, ...]) -> None:
    table = encoder.encode(rows.columns)
    predictor, given = linear_body(encoder, table, len(classes) or 1), card(COLUMNS, classes)
    model = build(given, encoder, predictor, table)
    native = Native(encoder, predictor)
    proof = prove(native, Runtime(model.SerializeToString(), given), rows, native.answer(rows.columns))
    assert proof.rows > 2 * len(rows)
    assert proof.largest < 1e-5


def test_a_wrong_model_file_is_caught_and_its_column_named(encoder: Encoder, rows: Rows) -> None:
    table, given = encoder.encode(rows.columns), card(COLUMNS)
    predictor = linear_body(encoder, table, 1)
    model = build(given, encoder, predictor, table)
    for node in model.graph.node:  # an unseen category is taken for another one
        if node.op_type == "LabelEncoder" and node.input[0] == "isnan":
            next(each for each in node.attribute if each.name == "default_int64").i = 2
    with pytest.raises(ParityFault, match=r"column 'isnan' = 'a value never seen'"):
        native = Native(encoder, predictor)
        prove(native, Runtime(model.SerializeToString(), given), rows, native.answer(rows.columns))


def wide(columns: int) -> tuple[Encoder, Rows, tuple[Column, ...]]:
    """Rows of so many columns, of numbers and categories in turn."""
    draw = np.random.default_rng(0)
    made = tuple(Column(f"c{at}", "category" if at % 3 == 0 else "number") for at in range(columns))
    values = {
        each.name: draw.choice(np.array(["a", "b", "c"], dtype=object), 60)
        if each.kind == "category"
        else draw.normal(size=60).astype(np.float32)
        for each in made
    }
    return Encoder.learn(made, values), Rows(values, np.arange(60.0)), made


@pytest.mark.parametrize("columns", [3, 60, 1_000])
def test_every_column_is_tried_at_every_edge_in_rows_whose_number_has_a_bound(columns: int) -> None:
    encoder, rows, made = wide(columns)
    edges = shared_edges(encoder)
    tried = [edge for row in edges[:-1] for edge in row]
    assert list(map(repr, sorted(tried, key=repr))) == sorted(
        repr((each.name, value)) for each in made for value in TRAINED[each.kind].probes
    )
    assert len(edges) <= PROBES + 1
    assert all(len({name for name, _ in row}) == len(row) for row in edges)
    if len(tried) < PROBES:
        assert {len(row) for row in edges[:-1]} == {1}
    values = probe_rows(rows.columns, edges)
    for at, row in enumerate(edges):
        for name, value in row:
            assert values[name][at] == value or values[name][at] != values[name][at] and value != value


@pytest.mark.parametrize("doubles", [1, 3])
def test_columns_of_float64_answer_as_torch_and_keep_their_digits(doubles: int) -> None:
    """Values 40 apart around 2.4e9, an hour of nanoseconds, and what float32 takes for 0, next to usual numbers."""
    near = np.random.default_rng(0).normal(size=60)
    far = {"hertz": 2.4e9 + 40 * near, "nanoseconds": 1.7e18 + 3.6e12 * near, "planck": 1e-50 * (2 + near)}
    far = dict(list(far.items())[:doubles])
    columns = (
        Column("first", "number"), *(Column(name, "number", double=True) for name in far), Column("last", "number"),
    )  # fmt: skip
    plain = near[::-1].astype(np.float32)
    rows = Rows({"first": plain, **{name: np.where(near > 2, np.nan, each) for name, each in far.items()},
                 "last": plain**2}, near)  # fmt: skip
    encoder = Encoder.learn(columns, rows.columns)
    table, given = encoder.encode(rows.columns), card(columns)
    assert table.numbers.shape == (60, len(columns))
    predictor, native = linear_body(encoder, table, 1), Native(encoder, linear_body(encoder, table, 1))
    model = build(given, encoder, predictor, table, background(given, encoder, rows))
    assert [each.type.tensor_type.elem_type for each in model.graph.input] == [
        onnx.TensorProto.DOUBLE if each.double else onnx.TensorProto.FLOAT for each in columns
    ]
    runtime = Runtime(model.SerializeToString(), given)
    answers = native.answer(rows.columns)
    assert len(np.unique(answers)) > 55
    assert prove(native, runtime, rows, answers).largest < 1e-5
    edges = {value for row in shared_edges(encoder) for name, value in row if name == "hertz"}
    assert {1.7e308, -1.7e308, np.inf} <= edges
    golden = json.loads(json.dumps(golden_rows(native, given, rows)))
    assert [line["row"]["hertz"] for line in golden[:5]] == rows.columns["hertz"][:5].tolist()


def test_a_wrong_column_among_many_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, rows, made = wide(200)
    table, given = encoder.encode(rows.columns), card(made)
    predictor = linear_body(encoder, table, 1)
    model = build(given, encoder, predictor, table)
    for node in model.graph.node:
        if node.op_type == "LabelEncoder" and node.input[0] == "c198":
            next(each for each in node.attribute if each.name == "default_int64").i = 2
    native, runtime = Native(encoder, predictor), Runtime(model.SerializeToString(), given)
    assert max(map(len, shared_edges(encoder)[:-1])) > 1
    with pytest.raises(ParityFault, match=r"^column 'c198' = '"):
        prove(native, runtime, rows, native.answer(rows.columns))
    monkeypatch.setattr(parity, "_blame", lambda *_: None)  # as if no column were at fault alone
    with pytest.raises(ParityFault, match=r"a row with \d+ columns at the edge \('c\d+' = "):
        prove(native, runtime, rows, native.answer(rows.columns))


def test_golden_rows_of_many_columns_miss_every_column_and_of_an_undecided_model_there_is_one() -> None:
    encoder, rows, made = wide(200)
    native = Native(encoder, linear_body(encoder, encoder.encode(rows.columns), 2))
    golden = [line["row"] for line in golden_rows(native, card(made, ("a", "b")), rows)]
    assert {name for row in golden[:-2] for name, value in row.items() if value is None} == {each.name for each in made}
    core = LinearCore(plain_features(encoder.encode(rows.columns), []), torch.zeros(133, 2), torch.zeros(2))
    undecided = Native(encoder, Predictor(native.predictor.groups, Answer(core, ClassTail())))
    (line,) = golden_rows(undecided, card(made, ("a", "b")), rows)
    assert line["prediction"] == "a" and line["probabilities"] == {"a": 0.5, "b": 0.5}


def test_a_changed_label_is_caught(encoder: Encoder, rows: Rows) -> None:
    table, given = encoder.encode(rows.columns), card(COLUMNS, ("a", "b"))
    predictor = linear_body(encoder, table, 2)
    model = build(given, encoder, predictor, table)
    last = onnx.numpy_helper.from_array(np.array(["b", "a"], dtype=object), model.graph.initializer[-1].name)
    model.graph.initializer[-1].CopyFrom(last)
    with pytest.raises(ParityFault, match="expected label"):
        native = Native(encoder, predictor)
        prove(native, Runtime(model.SerializeToString(), given), rows, native.answer(rows.columns))


@pytest.mark.parametrize("name", ["cars", "penguins"])
def test_the_file_is_what_the_contract_says(posed: Callable[[str], Set], name: str) -> None:
    given = posed(name)
    classes = given.dataset.classes
    table = given.problem.rows
    made = card(given.dataset.columns, classes)
    model = build(made, given.encoder, linear_body(given.encoder, table, len(classes) or 1), table)
    assert model.ir_version == 10
    assert {each.domain: each.version for each in model.opset_import}[""] == 20
    assert [each.name for each in model.graph.input] == [each.name for each in given.dataset.columns]
    shapes = {
        tuple(size.dim_param or size.dim_value for size in each.type.tensor_type.shape.dim)
        for each in model.graph.input
    }
    assert shapes == {("N", 1)}
    assert [each.name for each in model.graph.output] == (
        ["prediction", "probabilities"] if classes else ["prediction"]
    )
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert ModelCard.from_json(metadata.pop(CARD_KEY)) == made
    texts = [column.name for column in made.columns if column.kind in ("category", "boolean")]
    assert sorted(metadata.pop(KNOWN_KEY)["columns"]) == sorted(texts) and not metadata
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx.ml"}
    assert not any(each.external_data for each in model.graph.initializer)
    content = model.SerializeToString()
    assert b".py" not in content
    assert b"training_container" not in content


def test_inner_names_keep_clear_of_columns() -> None:
    assert prefix_for(["a", "b"]) == "df."
    assert prefix_for(["df.x", "df_.y"]) == "df__."


@pytest.mark.parametrize(
    ("size", "log"), [*((size, False) for size in (5e3, 5e-3, 5e-9, 5e-15, 5e-20)), (5e3, True), (0.05, True)]
)
def test_targets_in_small_units_answer_as_torch(encoder: Encoder, rows: Rows, size: float, log: bool) -> None:
    """The exporter takes a plain number below 1e-8 for none."""
    table, given = encoder.encode(rows.columns), card(COLUMNS)
    target = size * np.linspace(0.1, 3.0, 50) ** 2
    tail = RegressionTail(TargetScale.learn(target, log=log))
    features = plain_features(table, [each.size for each in encoder.vocabularies])
    weights = torch.linspace(-0.05, 0.05, features.width)[:, None]
    predictor = Predictor(tuple(table.groups), Answer(LinearCore(features, weights, torch.zeros(1)), tail))
    native = Native(encoder, predictor)
    answers = native.answer(rows.columns)
    assert np.ptp(answers) > size / 10  # not all at the bounds
    model = build(given, encoder, predictor, table)
    assert prove(native, Runtime(model.SerializeToString(), given), rows, answers).largest < 1e-6
