"""The recommender as one ONNX graph: user and item by their own names in; rating, items and their ratings out.

The lists are made in a loop over the rows that ask for one, so that memory does not grow with the number of rows and
rows that name an item pay nothing for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper

from dropforge.contract.tasks import ITEMS, PREDICTION, SCORES
from training_container.encoding import MISSING
from training_container.export.front import ROWS, add_front, inputs
from training_container.export.graph import finish
from training_container.export.nodes import Nodes, prefix_for
from training_container.tasks.recommendation.tables import FIRST_KNOWN

if TYPE_CHECKING:
    import onnx

    from dropforge.contract.schema import ModelCard
    from training_container.tasks.recommendation.tables import Tables


def build(card: ModelCard, tables: Tables) -> onnx.ModelProto:
    """The checked model file of `tables`."""
    nodes = Nodes(prefix_for(list(card.inputs.values())))
    codes = add_front(nodes, tables.encoder, card)["codes"]
    users, items = (nodes.add("Gather", codes, nodes.constant(place, "int64"), axis=1) for place in (0, 1))
    vectors = {name: nodes.constant(getattr(tables, name).numpy(), "float32") for name in ("users", "items")}
    rating = _rating(
        nodes, tables, nodes.add("Gather", vectors["users"], users), nodes.add("Gather", vectors["items"], items)
    )
    without_item = nodes.add("NonZero", nodes.add("Equal", items, nodes.constant(MISSING, "int64")))
    places = nodes.add("Transpose", without_item, perm=[1, 0])
    lists, scores = _lists(nodes, tables, vectors, nodes.add("GatherND", users, places))
    _scatter(nodes, tables, rating, places, lists, scores)
    graph = helper.make_graph(nodes.nodes, "dropforge", inputs(tables.encoder, card), _outputs(tables), nodes.constants)
    return finish(graph, card, tables.encoder)


def _rating(nodes: Nodes, tables: Tables, users: str, items: str) -> str:
    """Ratings [N, 1] of vectors [N, D]."""
    summed = nodes.add("ReduceSum", nodes.add("Mul", users, items), nodes.constant([1], "int64"), keepdims=1)
    return _bounded(nodes, tables, summed)


def _bounded(nodes: Nodes, tables: Tables, summed: str) -> str:
    mean, low, high = (nodes.constant(value, "float32") for value in (tables.mean, tables.low, tables.high))
    return nodes.add("Clip", nodes.add("Add", summed, mean), low, high)


def _lists(nodes: Nodes, tables: Tables, vectors: dict[str, str], asking: str) -> tuple[str, str]:
    """Codes int64 [M, K] and ratings float32 [M, K] of the lists of users int64 [M]."""
    outer = {name: nodes.constant(getattr(tables, name).numpy(), "float32") for name in ("user_ranks",)}
    outer["item_ranks"] = nodes.constant(tables.item_ranks.T.contiguous().numpy(), "float32")
    outer |= {name: nodes.constant(getattr(tables, name).numpy(), "int64") for name in ("starts", "seen")}
    count = nodes.add("Size", asking)
    body = _one_list(f"{nodes.prefix}list.", tables, {**outer, **vectors, "asking": asking})
    codes = nodes.add("Loop", count, "", outputs=2, body=body)
    return codes, f"{codes}.1"


def _one_list(prefix: str, tables: Tables, outer: dict[str, str]) -> onnx.GraphProto:
    """The loop's body: one user's list."""
    inner = Nodes(prefix)
    at, going = f"{prefix}at", f"{prefix}going"
    user = inner.add("Gather", outer["asking"], at)
    vector = inner.add("Unsqueeze", inner.add("Gather", outer["user_ranks"], user), inner.constant([0], "int64"))
    ranks = inner.add("MatMul", vector, outer["item_ranks"])
    first = inner.add("Unsqueeze", user, inner.constant([0], "int64"))
    after = inner.add("Add", first, inner.constant([1], "int64"))
    start, end = (inner.add("Gather", outer["starts"], place) for place in (first, after))
    seen = inner.add("Unsqueeze", inner.add("Slice", outer["seen"], start, end), inner.constant([0], "int64"))
    never = inner.add("Expand", inner.constant(-np.inf, "float32"), inner.add("Shape", seen))
    open_ranks = inner.add("ScatterElements", ranks, seen, never, axis=1)
    best = inner.add("TopK", open_ranks, inner.constant([tables.shown], "int64"), outputs=2, axis=1)
    none_left = inner.add("IsInf", best)
    codes = inner.add("Add", f"{best}.1", inner.constant(FIRST_KNOWN, "int64"))
    codes = inner.add("Where", none_left, inner.constant(MISSING, "int64"), codes)
    listed = inner.add("Squeeze", codes, inner.constant([0], "int64"), result=f"{prefix}codes")
    taste = inner.add("Gather", outer["users"], user)
    summed = inner.add("ReduceSum", inner.add("Mul", inner.add("Gather", outer["items"], listed), taste),
                       inner.constant([1], "int64"), keepdims=0)  # fmt: skip
    scores = _bounded(inner, tables, summed)
    more = inner.add("Identity", going)
    shape = [tables.shown]
    loop_inputs = [helper.make_tensor_value_info(at, TensorProto.INT64, []),
             helper.make_tensor_value_info(going, TensorProto.BOOL, [])]  # fmt: skip
    loop_outputs = [helper.make_tensor_value_info(more, TensorProto.BOOL, []),
                 helper.make_tensor_value_info(listed, TensorProto.INT64, shape),
                 helper.make_tensor_value_info(scores, TensorProto.FLOAT, shape)]  # fmt: skip
    return helper.make_graph(inner.nodes, "one-list", loop_inputs, loop_outputs, inner.constants)


def _scatter(nodes: Nodes, tables: Tables, rating: str, places: str, lists: str, scores: str) -> None:
    """The outputs: lists in the rows that asked, nothing in the others."""
    rows = nodes.add("Shape", rating, start=0, end=1)
    size = nodes.concat([rows, nodes.constant([tables.shown], "int64")], axis=0)
    none = nodes.add("Expand", nodes.constant(MISSING, "int64"), size)
    listed = nodes.add("ScatterND", none, places, lists)
    nodes.add("Gather", nodes.constant(tables.item_names(), object), listed, result=ITEMS)
    zeros = nodes.add("Expand", nodes.constant(0.0, "float32"), size)
    nodes.add("ScatterND", zeros, places, scores, result=SCORES)
    first = nodes.add("Gather", scores, nodes.constant([0], "int64"), axis=1)
    nodes.add("ScatterND", rating, places, first, result=PREDICTION)


def _outputs(tables: Tables) -> list[Any]:
    return [
        helper.make_tensor_value_info(PREDICTION, TensorProto.FLOAT, [ROWS, 1]),
        helper.make_tensor_value_info(ITEMS, TensorProto.STRING, [ROWS, tables.shown]),
        helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, [ROWS, tables.shown]),
    ]
