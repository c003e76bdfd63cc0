"""The front of the graph: raw named columns to the tables of `encoding.Table`, in ONNX operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import TensorProto, ValueInfoProto, helper

from dropforge.contract.schema import KINDS
from training_container.export.dates import add_date

if TYPE_CHECKING:
    from dropforge.contract.schema import ModelCard
    from training_container.encoding import Encoder
    from training_container.export.nodes import Nodes

ELEMENTS = {"float32": TensorProto.FLOAT, "string": TensorProto.STRING, "uint8": TensorProto.UINT8}
ROWS = "N"
"""The graph's one free dimension."""


def inputs(encoder: Encoder, card: ModelCard) -> list[ValueInfoProto]:
    """The graph's inputs: every column by the name that the card has for it, [N, 1]."""
    return [
        helper.make_tensor_value_info(card.inputs[column.name], ELEMENTS[KINDS[column.kind].element], [ROWS, 1])
        for column in encoder.columns
    ]


def add_front(nodes: Nodes, encoder: Encoder, card: ModelCard) -> dict[str, str]:
    """Adds the encoding of all columns; gives each table's name in `Table.groups` and in the graph."""
    numbers = [card.inputs[name] for name in encoder.names("numbers")]
    codes = [nodes.lookup(card.inputs[each.column], each.codes, each.other) for each in encoder.vocabularies]
    dated = encoder.names("dates")
    axis = nodes.constant([1], "int64") if dated else ""  # an unused constant draws a warning from every session
    dates = [
        nodes.add("Unsqueeze", add_date(nodes, card.inputs[name], encoder.date_formats[name]), axis) for name in dated
    ]
    tables = {"numbers": numbers, "codes": codes, "dates": dates}
    return {
        name: nodes.concat(parts, axis=1, result=f"{nodes.prefix}{name}") for name, parts in tables.items() if parts
    }
