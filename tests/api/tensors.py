"""Rows of a little model as tensors of the Open Inference Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.inference.protocols.v2.datatypes import NUMPY, packed

if TYPE_CHECKING:
    from tests.api.calls import Reply
    from tests.serving.little import Little

DATATYPES = {"number": "FP64", "category": "BYTES"}


def tensors(made: Little, count: int) -> list[dict[str, Any]]:
    """The first rows, a tensor a column."""
    return [
        {
            "name": each.name,
            "shape": [count, 1],
            "datatype": DATATYPES[each.kind],
            "data": made.columns[each.name][:count],
        }
        for each in made.card.columns
    ]


def in_binary(given: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bytes]:
    """The same tensors with their data behind the JSON."""
    heads, blobs = [], []
    for each in given:
        if each["datatype"] == "BYTES":
            blobs.append(packed([(value or "").encode() for value in each["data"]]))
        else:
            numbers = [np.nan if value is None else value for value in each["data"]]
            blobs.append(np.array(numbers).astype(NUMPY[each["datatype"]]).tobytes())
        head = {name: value for name, value in each.items() if name != "data"}
        heads.append({**head, "parameters": {"binary_data_size": len(blobs[-1])}})
    return heads, b"".join(blobs)


def output(reply: Reply, name: str) -> Any:
    """The data of one output in JSON."""
    return next(each["data"] for each in reply.body["outputs"] if each["name"] == name)
