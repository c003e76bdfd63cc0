"""The whole model file: front, torch body and tail in one checked ONNX graph, with the model's card in its metadata."""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnx
import torch
from onnx import compose, helper

import dropforge
from dropforge.contract.known import KnownTexts
from dropforge.contract.schema import BACKGROUND_KEY, CARD_KEY, KNOWN_KEY
from dropforge.contract.tasks import FEATURES, PREDICTION, PROBABILITIES, TASKS
from training_container.export.forests import add_forest
from training_container.export.front import ROWS, add_front, inputs
from training_container.export.nodes import IR_VERSION, ML, ML_OPSET, OPSET, Nodes, prefix_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropforge.contract.documents import Document
    from dropforge.contract.schema import Background, ModelCard
    from training_container.encoding import Encoder, Table
    from training_container.models.predictor import Predictor

SAMPLE = 7
"""Rows that the exporter traces with; any number but 0 and 1, which it would take for fixed."""


def build(card: ModelCard, encoder: Encoder, predictor: Predictor, table: Table,
          background: Background | None = None) -> onnx.ModelProto:  # fmt: skip
    """One graph from raw columns to `prediction` (and `probabilities`); `table` is any encoded row or more, on the CPU.

    With a background, the file can explain its answers.

    Raises:
        onnx.checker.ValidationError: the graph is not valid ONNX: a fault of this package.
    """
    nodes = Nodes(prefix_for(list(card.inputs.values())))
    tables = add_front(nodes, encoder, card)
    sample = table.take(torch.arange(SAMPLE) % len(table))
    forests = _add_forests(nodes, predictor, sample, tables)
    answers = [PROBABILITIES if card.classes else PREDICTION]
    answers += [name for name in TASKS[card.task].outputs if name == FEATURES]
    core = _export(
        predictor, predictor.inputs(sample), [*tables.values(), *forests.margins], answers, f"{nodes.prefix}body."
    )
    tail = Nodes(f"{nodes.prefix}tail.")
    if card.classes:
        add_label(tail, card.classes)
    graph = helper.make_graph(
        [*nodes.nodes, *forests.nodes, *core.node, *tail.nodes],
        "dropforge",
        inputs(encoder, card),
        [*outputs(card), *(each for each in core.output if each.name == FEATURES)],
        [*nodes.constants, *forests.constants, *core.initializer, *tail.constants],
    )
    return finish(graph, card, encoder, background)


@dataclass(frozen=True)
class Parts:
    """A piece of the graph, and the names of the forests' margins in it."""

    nodes: list[onnx.NodeProto]
    constants: list[onnx.TensorProto]
    margins: list[str]


class Named(torch.nn.Module):
    """A module that reads tables by name, as one that takes them in order."""

    def __init__(self, module: torch.nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.module, self.names = module, tuple(names)

    def forward(self, *tables: torch.Tensor) -> torch.Tensor:
        """What the module gives."""
        answer: torch.Tensor = self.module(dict(zip(self.names, tables, strict=True)))
        return answer


def _add_forests(nodes: Nodes, predictor: Predictor, sample: Table, tables: dict[str, str]) -> Parts:
    """The forests' inputs once, then a node a forest."""
    if not predictor.forests:
        return Parts([], [], [])
    inputs = predictor.forests[0].inputs
    name = f"{nodes.prefix}trees"
    front = _export(
        Named(inputs, predictor.groups), tuple(sample.groups.values()), list(tables.values()), [name], f"{name}."
    )
    grown = Nodes(f"{nodes.prefix}forest.")
    margins = [
        add_forest(
            grown,
            name,
            [each.trees() for each in forest.boosters],
            [forest.columns(fold) for fold in range(inputs.folds)],
            forest.outputs,
            f"{grown.prefix}{forest.name}",
        )  # fmt: skip
        for forest in predictor.forests
    ]
    return Parts([*front.node, *grown.nodes], [*front.initializer, *grown.constants], margins)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of its own deprecated calls and logs optional packages: nothing a user could act on."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _export(module: torch.nn.Module, sample: Sequence[torch.Tensor], names: Sequence[str], answers: Sequence[str],
            prefix: str) -> onnx.GraphProto:  # fmt: skip
    """A torch module as a graph that reads `names` and gives `answers`; all its other names start with `prefix`."""
    free = tuple({0: torch.export.Dim(ROWS)} for _ in sample)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            module.eval(), tuple(sample), dynamo=True, dynamic_shapes=(free,), opset_version=OPSET, verbose=False,
            input_names=list(names), output_names=list(answers),
        )  # fmt: skip
    assert program is not None  # only the old exporter gives none
    exported = program.model_proto
    return compose.add_prefix(exported, prefix, rename_inputs=False, rename_outputs=False).graph


def add_label(tail: Nodes, classes: tuple[str, ...]) -> None:
    best = tail.add("ArgMax", PROBABILITIES, axis=1, keepdims=1)
    tail.add("Gather", tail.constant(classes, object), best, result=PREDICTION)


def outputs(card: ModelCard) -> list[onnx.ValueInfoProto]:
    if not card.classes:
        return [helper.make_tensor_value_info(PREDICTION, onnx.TensorProto.FLOAT, [ROWS, 1])]
    return [
        helper.make_tensor_value_info(PREDICTION, onnx.TensorProto.STRING, [ROWS, 1]),
        helper.make_tensor_value_info(PROBABILITIES, onnx.TensorProto.FLOAT, [ROWS, len(card.classes)]),
    ]


def finish(
    graph: onnx.GraphProto, card: ModelCard, encoder: Encoder | None = None, background: Background | None = None
) -> onnx.ModelProto:
    """The model around `graph`, checked, without a trace of source paths.

    Its metadata have the card, the texts that the encoder knows, and the background.
    """
    for node in graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        node.name = next(name for name in node.output if name)
    for constant in graph.initializer:
        constant.ClearField("doc_string")
        constant.ClearField("metadata_props")
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION, producer_name="dropforge",
                              producer_version=dropforge.__version__)  # fmt: skip
    documents: dict[str, Document | None] = {
        CARD_KEY: card,
        KNOWN_KEY: known_texts(encoder),
        BACKGROUND_KEY: background,
    }
    present = {key: document for key, document in documents.items() if document is not None}
    helper.set_model_props(
        model, {key: json.dumps(document.to_json(), ensure_ascii=False) for key, document in present.items()}
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def known_texts(encoder: Encoder | None) -> KnownTexts | None:
    """The texts that the graph knows; None without a column of texts."""
    if encoder is None or not encoder.vocabularies:
        return None
    return KnownTexts({vocabulary.column: tuple(vocabulary.codes) for vocabulary in encoder.vocabularies})
