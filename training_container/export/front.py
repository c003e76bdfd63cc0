"""The front of the graph: raw named columns to the tables of `encoding.Table`, in ONNX operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import TensorProto, ValueInfoProto, helper

from training_container.export.dates import add_date

if TYPE_CHECKING:
    from dropforge.contract.schema import Element, ModelCard
    from training_container.encoding import Encoder
    from training_container.export.nodes import Nodes

ELEMENTS: dict[Element, int] = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "string": TensorProto.STRING,
    "uint8": TensorProto.UINT8,
}
ROWS = "N"
"""The graph's one free dimension."""


def inputs(encoder: Encoder, card: ModelCard) -> list[ValueInfoProto]:
    """The graph's inputs: every column by the name that the card has for it, [N, 1]."""
    return [
        helper.make_tensor_value_info(card.inputs[column.name], ELEMENTS[column.element], [ROWS, 1])
        for column in encoder.columns
    ]


def add_front(nodes: Nodes, encoder: Encoder, card: ModelCard) -> dict[str, str]:
    """Adds the encoding of all columns; gives each table's name in `Table.groups` and in the graph."""
    shifted = _shifted(nodes, encoder, card) if encoder.shifts else {}
    numbers = [shifted.get(name, card.inputs[name]) for name in encoder.names("numbers")]
    codes = [
        nodes.lookup(card.inputs[vocabulary.column], vocabulary.codes, vocabulary.other)
        for vocabulary in encoder.vocabularies
    ]
    dated = encoder.names("dates")
    axis = nodes.constant([1], "int64") if dated else ""  # an unused constant draws a warning from every session
    dates = [nodes.add("Unsqueeze", add_date(nodes, card.inputs[name]), axis) for name in dated]
    tables = {"numbers": numbers, "codes": codes, "dates": dates}
    return {
        name: nodes.concat(parts, axis=1, result=f"{nodes.prefix}{name}") for name, parts in tables.items() if parts
    }


def _shifted(nodes: Nodes, encoder: Encoder, card: ModelCard) -> dict[str, str]:
    """Each column of float64 to its float32 in the graph: all of them in one chain, whatever their number."""
    names = [name for name in encoder.names("numbers") if name in encoder.shifts]
    shifts = [encoder.shifts[name] for name in names]
    moved = nodes.add(
        "Sub",
        nodes.concat([card.inputs[name] for name in names], axis=1),
        nodes.constant([each.offset for each in shifts], "float64"),
    )
    scaled = nodes.add("Mul", moved, nodes.constant([each.factor for each in shifts], "float64"))
    cast = nodes.add("Cast", scaled, to=TensorProto.FLOAT)
    if len(names) == 1:
        return {names[0]: cast}
    first = nodes.add("Split", cast, axis=1, num_outputs=len(names), outputs=len(names))
    return dict(zip(names, [first, *(f"{first}.{at}" for at in range(1, len(names)))], strict=True))
