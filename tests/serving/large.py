"""A little model made large: its answers are the same, its file is over the size from which a fast form is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropforge.contract.tasks import PREDICTION

if TYPE_CHECKING:
    from tests.serving.little import Little

WIDTH = 1_500


def large(made: Little) -> bytes:
    """The regression `made`, a wide network added to it whose last layer is zero; 9 MB."""
    model = onnx.load_from_string(made.body)
    graph, draw = model.graph, np.random.default_rng(7)
    graph.node[-1].output[0] = "small"
    shapes = {"wide0": (5, WIDTH), "wide1": (WIDTH, WIDTH), "wide2": (WIDTH, 1)}
    for name, shape in shapes.items():
        values = draw.normal(0, 0.01, shape) * (name != "wide2")
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    names = ["table", "hidden0", "hidden1", "nothing"]
    for at, (name, given, made_of) in enumerate(zip(shapes, names, names[1:], strict=False)):
        graph.node.append(helper.make_node("MatMul", [given, name], [made_of], name=f"wide{at}"))
    graph.node.append(helper.make_node("Add", ["small", "nothing"], [PREDICTION]))
    return bytes(model.SerializeToString())
