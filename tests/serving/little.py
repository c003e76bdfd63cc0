"""Little real models for the tests of serving, steps and API: linear, in ONNX by hand, over scikit-learn's data sets.

Each reads number columns with gaps and one category, and has a card inside, as the trainer's files do; `expected` is
the same arithmetic in numpy, the part that torch plays for a trained model.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_diabetes, load_iris, load_wine

from dropforge.contract import names
from dropforge.contract.known import KnownTexts
from dropforge.contract.plan import Lineage
from dropforge.contract.results import METRICS, PRIMARY, Candidate, FileFact, Manifest, Metrics
from dropforge.contract.schema import BACKGROUND_KEY, CARD_KEY, KNOWN_KEY, Background, Column, ModelCard, NumberRule
from dropforge.contract.scores import Gain, GroupedBy, GroupScore, Importance, Interval
from dropforge.contract.tasks import PREDICTION, PROBABILITIES
from dropforge.metrics.baseline import learn_baseline
from dropforge.metrics.scores import scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.contract.baseline import Baseline

COLOURS = ("red", "green", "blue")
TASKS = ("regression", "binary", "multiclass")
OFFSET = 2.4e9
SUSPECTS = [{"column": "x3", "why": "it is named like the target 'outcome'", "score": None}]


@dataclass(frozen=True)
class Little:
    """A model with its data: raw columns, target as the data had it, weights over [number columns…, colour]."""

    card: ModelCard
    columns: dict[str, list[Any]]
    target: list[Any]
    weights: np.ndarray
    bias: np.ndarray
    means: np.ndarray
    effects: dict[str, float]
    broken: dict[str, Any] = field(default_factory=dict)

    def row(self, at: int) -> dict[str, Any]:
        """One row of the data as a record."""
        return {name: values[at] for name, values in self.columns.items()}

    def rows(self, count: int) -> list[dict[str, Any]]:
        """The first rows as records."""
        return [self.row(at) for at in range(count)]

    @property
    def compared(self) -> dict[str, tuple[Any, ...]]:
        """The rows that explanations compare with: every fifth, of all classes."""
        found = {name: tuple(values[::5]) for name, values in self.columns.items()}
        return {**found, **self.broken.get("compared", {})}

    def expected(self, columns: Mapping[str, list[Any]]) -> np.ndarray:
        """Values [N] or probabilities [N, classes], in float64."""
        parts = []
        for at, column in enumerate(self.card.columns):
            values = columns[column.name]
            if column.double:
                parts.append([value - OFFSET for value in values])
            elif column.kind == "number":
                parts.append([self.means[at] if value is None else value for value in values])
            else:
                parts.append([self.effects.get(value or "", 0.0) for value in values])
        raw = np.asarray(parts, dtype=np.float64).T @ self.weights + self.bias
        if self.card.task == "regression":
            return raw[:, 0]
        shares = np.exp(raw - raw.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    @property
    def body(self) -> bytes:
        """The ONNX file."""
        return onnx_file(self)

    @property
    def sha256(self) -> str:
        """Of the ONNX file."""
        return hashlib.sha256(self.body).hexdigest()


@cache
def little(task: str, run: str = "run-0123456789abcdef", model: str = "flowers") -> Little:
    """A model of this task."""
    data = {"regression": load_diabetes, "binary": load_wine, "multiclass": load_iris}[task]()
    kept = data.target < 2 if task == "binary" else np.full(len(data.target), True)
    numbers = data.data[kept][:, :4].round(4)
    codes = np.arange(len(numbers)) % len(COLOURS)
    target = data.target[kept] + 0.25 * codes if task == "regression" else data.target[kept]
    effects = {colour: float(at) / 2 for at, colour in enumerate(COLOURS)}
    table = np.column_stack([numbers, codes / 2])
    weights, bias = fitted(table, target, task)
    columns: dict[str, list[Any]] = {f"x{at}": numbers[:, at].tolist() for at in range(4)}
    columns["x1"] = [None if at % 10 == 3 else value for at, value in enumerate(columns["x1"])]
    columns["colour"] = [None if at % 10 == 7 else COLOURS[code] for at, code in enumerate(codes)]
    classes, kind, said = labels(task, target)
    card = ModelCard(
        model=model,
        run=run,
        task=task,
        target="outcome",
        label_type=kind,
        classes=classes,
        columns=(*(Column(f"x{at}", "number") for at in range(4)), Column("colour", "category")),
        ignored=("outcome", "row"),
    )
    return Little(card, columns, said, weights, bias, np.append(numbers.mean(axis=0), 0.0), effects)


def strict_little(task: str, run: str, model: str) -> Little:
    """A model of this task that refuses texts which it does not know."""
    made = little(task, run, model)
    return replace(made, card=replace(made.card, strict=True))


def far(made: Little, *, numbers_alone: bool = False) -> Little:
    """The same model, but that its column x0 is `OFFSET` larger, where float32 tells values apart that are 256 apart.

    With `numbers_alone` it does without the column of texts.
    """
    columns = {**made.columns, "x0": [OFFSET + value for value in made.columns["x0"]]}
    kinds = (Column("x0", "number", double=True), *made.card.columns[1:])
    if numbers_alone:
        kinds, _ = kinds[:-1], columns.pop("colour")
        made = replace(made, weights=made.weights[:-1])
    return replace(made, columns=columns, card=replace(made.card, columns=kinds))


def coded_little(task: str, run: str, model: str) -> Little:
    """A model of this task whose colours are codes of three digits, and whose data had `unknown` for some x1."""
    made = little(task, run, model)
    codes = dict(zip(COLOURS, ("001", "020", "300"), strict=True))
    colours = [None if colour is None else codes[colour] for colour in made.columns["colour"]]
    kinds = {
        "x1": Column("x1", "number", numbers=NumberRule(), missing=("unknown",)),
        "colour": Column("colour", "category", width=3),
    }
    columns = tuple(kinds.get(column.name, column) for column in made.card.columns)
    return replace(
        made,
        card=replace(made.card, columns=columns),
        columns={**made.columns, "colour": colours},
        effects={codes[colour]: effect for colour, effect in made.effects.items()},
    )


def labels(task: str, target: np.ndarray) -> tuple[tuple[str, ...], Any, list[Any]]:
    """Classes, their type in the data, and the target in that type."""
    if task == "regression":
        return (), "number", target.tolist()
    if task == "binary":
        return ("false", "true"), "boolean", [bool(value) for value in target]
    return ("0", "1", "2"), "integer", [int(value) for value in target]


def fitted(table: np.ndarray, target: np.ndarray, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Least squares: weights [features, outputs] and bias [outputs], float32."""
    wanted = target[:, None] if task == "regression" else np.eye(int(target.max()) + 1)[target.astype(int)] * 6
    full = np.column_stack([table, np.ones(len(table))])
    found = np.linalg.lstsq(full, wanted, rcond=None)[0].astype(np.float32)
    return found[:-1], found[-1]


def onnx_file(made: Little) -> bytes:
    """The model in ONNX, its card in the metadata."""
    nodes, parts = [], []
    for at, column in enumerate(made.card.columns):
        name, part = column.name, f"part{at}"
        if column.double:
            nodes.append(helper.make_node("Sub", [name, "offset"], [f"near{at}"]))
            nodes.append(helper.make_node("Cast", [f"near{at}"], [part], to=TensorProto.FLOAT))
        elif column.kind == "number":
            nodes.append(helper.make_node("IsNaN", [name], [f"gap{at}"]))
            nodes.append(helper.make_node("Where", [f"gap{at}", f"mean{at}", name], [part]))
        else:
            lookup = {"keys_strings": list(made.effects), "values_floats": list(made.effects.values())}
            nodes.append(
                helper.make_node("LabelEncoder", [name], [part], domain="ai.onnx.ml", default_float=0.0, **lookup)
            )
        parts.append(part)
    nodes.append(helper.make_node("Concat", parts, ["table"], axis=1))
    nodes.append(helper.make_node("MatMul", ["table", "weights"], ["scaled"]))
    nodes += answers(made)
    constants = {"weights": made.weights, "bias": made.bias}
    constants |= {f"mean{at}": np.asarray([[mean]], np.float32) for at, mean in enumerate(made.means)}
    stored = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()]
    stored.append(helper.make_tensor("offset", TensorProto.DOUBLE, [], [OFFSET]))
    stored.append(helper.make_tensor("classes", TensorProto.STRING, [len(made.card.classes)], made.card.classes))
    graph = helper.make_graph(nodes, "little", inputs(made.card), outputs(made), stored)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    known = KnownTexts({"colour": ("", *made.effects)})
    documents = {CARD_KEY: made.card, KNOWN_KEY: known, BACKGROUND_KEY: Background(made.compared)}
    kept = {key: each for key, each in documents.items() if key.removeprefix("dropforge.") not in made.broken}
    helper.set_model_props(model, {key: json.dumps(each.to_json()) for key, each in kept.items()})
    return bytes(model.SerializeToString())


def answers(made: Little) -> list[Any]:
    """The nodes from the scaled table to the outputs."""
    if made.card.task == "regression":
        return [helper.make_node("Add", ["scaled", "bias"], [PREDICTION])]
    return [
        helper.make_node("Add", ["scaled", "bias"], ["raw"]),
        helper.make_node("Softmax", ["raw"], [PROBABILITIES], axis=1),
        helper.make_node("ArgMax", [PROBABILITIES], ["best"], axis=1, keepdims=1),
        helper.make_node("Gather", ["classes", "best"], [PREDICTION]),
    ]


def inputs(card: ModelCard) -> list[Any]:
    """The graph's inputs."""
    types = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "string": TensorProto.STRING}
    return [helper.make_tensor_value_info(each.name, types[each.element], ["N", 1]) for each in card.columns]


def outputs(made: Little) -> list[Any]:
    """The graph's outputs."""
    if made.card.task == "regression":
        return [helper.make_tensor_value_info(PREDICTION, TensorProto.FLOAT, ["N", 1])]
    count = len(made.card.classes)
    return [
        helper.make_tensor_value_info(PREDICTION, TensorProto.STRING, ["N", 1]),
        helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["N", count]),
    ]


def trained(made: Little, **changes: bytes) -> dict[str, bytes]:
    """The files that a training job would have left, `changes` among them before the manifest is made."""
    task = made.card.task
    files = {
        names.MODEL_FILE: made.body,
        names.METRICS_FILE: json.dumps(metrics(made).to_json()).encode(),
        names.PROFILE_FILE: json.dumps({"schema": "dropforge.profile/1", "suspects": SUSPECTS}).encode(),
        names.BASELINE_FILE: json.dumps(baseline(made).to_json()).encode(),
        names.GOLDEN_FILE: b"".join(json.dumps(line).encode() + b"\n" for line in golden(made)),
        names.HOLDOUT_FILE: gzip.compress(json.dumps(holdout(made)).encode(), mtime=0),
        names.REPORT_FILE: f"<h1>{task}</h1>\n{names.VERDICT_MARK}\n".encode(),
        f"{names.TENSORBOARD_FOLDER}events": b"\0\1\2",
        **changes,
    }
    facts = {name: FileFact(hashlib.sha256(body).hexdigest(), len(body)) for name, body in files.items()}
    manifest = Manifest(
        run=made.card.run,
        model=made.card.model,
        created="2026-11-01T12:00:00+00:00",
        card=made.card,
        lineage=Lineage("drops", "datasets/flowers/a.csv", "v1", 10, "sha256-x", "trainer:1"),
        code="c0de",
        files=facts,
        versions={"torch": "2.13.0"},
        device="cpu",
        seconds=1.5,
    )
    return {**files, names.MANIFEST_FILE: json.dumps(manifest.to_json()).encode()}


def truth(made: Little) -> np.ndarray:
    """Values or class codes."""
    kind = np.float64 if made.card.task == "regression" else np.int64
    return np.asarray(made.target, dtype=kind)


def baseline(made: Little) -> Baseline:
    """What the trivial baseline answers."""
    return learn_baseline(made.card.task, truth(made), len(made.card.classes))


def metrics(made: Little) -> Metrics:
    """As the trainer would have measured."""
    task, right = made.card.task, truth(made)
    found = scores(task, right, made.expected(made.columns))
    trivial: np.ndarray = np.full(len(right), right.mean())
    if task != "regression":
        trivial = np.tile(np.bincount(right) / len(right), (len(right), 1))
    return Metrics(
        task=task,
        metric=PRIMARY[task],
        direction=METRICS[task][PRIMARY[task]],
        chosen="linear",
        holdout=found,
        validation=found,
        baseline=scores(task, right, trivial),
        candidates=(Candidate("linear", found, 0.1),),
        rows={"read": len(right), "holdout": len(right)},
        intervals={name: Interval(value - 0.01, value + 0.01) for name, value in found.items()},
        gains={name: Gain(0.1, Interval(0.05, 0.15)) for name in found},
        importances=(Importance("x0", 0.25, Interval(0.2, 0.3)), Importance("colour", 0.0, Interval(-0.01, 0.01))),
        groups=(GroupedBy("colour", (GroupScore("red", len(right), found, {}),)),),
        notes=("Only a few hold-out rows: every score is rough.",),
    )


def golden(made: Little) -> list[dict[str, Any]]:
    """Golden rows with the answers of the numpy model, gaps and an unseen category among them."""
    rows = [*made.rows(20), {**made.row(0), "x0": None, "colour": None}, {**made.row(1), "colour": "never seen"}]
    found = made.expected({name: [row[name] for row in rows] for name in made.columns})
    if made.card.task == "regression":
        return [{"row": row, "prediction": float(x), "probabilities": None} for row, x in zip(rows, found, strict=True)]
    classes = made.card.classes
    return [
        {
            "row": row,
            "prediction": classes[int(shares.argmax())],
            "probabilities": dict(zip(classes, shares.tolist(), strict=True)),
        }
        for row, shares in zip(rows, found, strict=True)
    ]


def holdout(made: Little) -> dict[str, Any]:
    """All rows as a hold-out document; classes as texts, as the trainer writes them."""
    target = made.target
    if made.card.task != "regression":
        target = [str(value).lower() for value in target]
    return {"schema": "dropforge.rows/1", "columns": made.columns, "target": target}


def worse(made: Little) -> Little:
    """The same model with its weights half gone."""
    return replace(made, weights=made.weights * np.float32(0.5))
