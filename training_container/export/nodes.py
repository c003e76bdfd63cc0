"""A small builder of ONNX nodes, whose names can collide with no column's name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSET = 20
ML_OPSET = 5
IR_VERSION = 10
ML = "ai.onnx.ml"


def prefix_for(columns: list[str]) -> str:
    """The first of `df.`, `df_.`, `df__.`, … that no column's name starts with."""
    prefix = "df."
    while any(name.startswith(prefix) for name in columns):
        prefix = f"{prefix[:-1]}_."
    return prefix


@dataclass
class Nodes:
    """Nodes and constants in the order of their making; every method gives the names of what it made."""

    prefix: str
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def add(
        self, op: str, *inputs: str, result: str = "", domain: str = "", outputs: int = 1, **attributes: Any
    ) -> str:
        """One node; the name of its first output, `result` when given."""
        name = result or f"{self.prefix}{op}.{len(self.nodes)}"
        more = [f"{name}.{at}" for at in range(1, outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), [name, *more], domain=domain, **attributes))
        return name

    def constant(self, value: Any, dtype: Any) -> str:
        """One constant: numbers, or texts where `dtype` is `object`."""
        name = f"{self.prefix}constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype), name))
        return name

    def concat(self, parts: list[str], axis: int, result: str = "") -> str:
        """The parts side by side."""
        return self.add("Concat", *parts, axis=axis, result=result)

    def lookup(self, texts: str, codes: dict[str, int], other: int) -> str:
        """Texts to int64 codes of the same shape; a text that is not in `codes` becomes `other`."""
        return self.add("LabelEncoder", texts, domain=ML, keys_strings=list(codes), values_int64s=list(codes.values()),
                        default_int64=other)  # fmt: skip
