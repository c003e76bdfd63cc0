"""What a server and a model say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge import __version__
from dropforge.inference.protocols.v2.datatypes import BYTES
from dropforge.inference.protocols.v2.outputs import names_of

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.contract.schema import Column, Element, ModelCard

SERVER = {"name": "dropforge", "version": __version__, "extensions": ["binary_tensor_data"]}
PLATFORM = "onnx_onnxv1"
"""Project and format, as the protocol names them."""

DATATYPES: dict[Element, str] = {"float32": "FP32", "float64": "FP64", "string": BYTES, "uint8": "UINT8"}


def model_metadata(live: LiveRow | VersionRow, card: ModelCard) -> dict[str, Any]:
    """The model's inputs and outputs; -1 is the number of rows, or a width that the model's file alone knows."""
    outputs = [
        {"name": name, "datatype": datatype, "shape": [-1, width]} for name, (datatype, width) in names_of(card).items()
    ]
    inputs = [_input(column, card) for column in card.columns]
    return {"name": live.model, "versions": [live.version], "platform": PLATFORM, "inputs": inputs, "outputs": outputs}


def _input(column: Column, card: ModelCard) -> dict[str, Any]:
    rule = card.image
    shape = [-1, 1] if rule is None else [-1, rule.height, rule.width, rule.channels]
    return {"name": column.name, "datatype": DATATYPES[column.element], "shape": shape}
