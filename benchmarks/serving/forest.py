"""A large forest in nodes of a few hundred trees, as files have it, against the same trees in one node.

The trees are LightGBM's for the prices of houses (California's 1990 census), 500 of them taken sixteen times over: what
opening and asking them costs is measured, not what they know.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import lightgbm
import numpy as np
from onnx import helper

from benchmarks.report import Row
from benchmarks.serving.cold import LOADS, spent, taking_turns
from dropforge.inference.session import opened, options
from examples.datasets import SOURCES, load
from training_container.export.forests import TREES, add_forest
from training_container.export.nodes import IR_VERSION, ML, ML_OPSET, OPSET, Nodes
from training_container.models.trees import Trees, of_lightgbm

if TYPE_CHECKING:
    from pathlib import Path

    from onnxruntime import InferenceSession

BOOSTERS, ROUNDS = 16, 500
CALLS = 200


def rows(_: Path) -> list[Row]:
    """Opening, one row and 1,000 rows, each as a ratio to the one node."""
    trees, dense = grown()
    kinds = {"parts": model(trees, dense.shape[1], TREES), "whole": model(trees, dense.shape[1], 10**9)}
    opening = {name: partial(spent, partial(opened, body, options())) for name, body in kinds.items()}
    found = taking_turns(opening, LOADS)
    sessions = {name: opened(body, options()) for name, body in kinds.items()}
    one, many = (
        taking_turns({name: partial(asked, session, rows) for name, session in sessions.items()}, CALLS)
        for rows in (dense[:1], dense[:1000])
    )
    count = f"{BOOSTERS * ROUNDS:,} trees in nodes of {TREES}"
    return [
        Row(f"{count}: session / in one node", found["parts"] / found["whole"], "× CPU", "lower", None,
            "ms of CPU of the other", 1e3 * found["whole"]),
        Row(f"{count}: 1 row / in one node", one["parts"] / one["whole"], "×", "lower", None, "ms of the other",
            1e3 * one["whole"]),
        Row(f"{count}: 1,000 rows / in one node", many["parts"] / many["whole"], "×", "lower", None, "ms of the other",
            1e3 * many["whole"]),
    ]  # fmt: skip


def grown() -> tuple[Trees, np.ndarray]:
    """The trees, and float32 rows [N, columns] to ask them."""
    table = load("houses")
    target = SOURCES["houses"].target
    dense = table.drop(target).to_numpy().astype(np.float32)
    settings = {"objective": "regression", "num_leaves": 31, "num_threads": 2, "verbosity": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(dense, table[target].to_numpy()), ROUNDS)
    return of_lightgbm(booster.model_to_string(), 1), dense


def model(trees: Trees, columns: int, size: int) -> bytes:
    """A file with all trees, `size` a node."""
    nodes = Nodes("forest.")
    add_forest(nodes, "x", [trees] * BOOSTERS, [np.arange(columns)] * BOOSTERS, 1, "y", size)
    shape = helper.make_tensor_value_info
    graph = helper.make_graph(nodes.nodes, "g", [shape("x", 1, ["N", columns])], [shape("y", 1, ["N", 1])],
                              nodes.constants)  # fmt: skip
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
    return bytes(helper.make_model(graph, ir_version=IR_VERSION, opset_imports=imports).SerializeToString())


def asked(session: InferenceSession, rows: np.ndarray) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    session.run(["y"], {"x": rows})
    return time.perf_counter() - start
