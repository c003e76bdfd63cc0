"""Large models in a form that loads at once: optimized when they are judged, their weights mapped instead of parsed.

The graph is loaded from bytes with every optimization off. Its weights must be a file, for onnxruntime copies what it
is given in memory; so they are written, after their SHA-256 was checked, into a folder that only this process's user
can open and that is gone when the session has mapped them: no link or later change of a file brings in other bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dropforge.contract.fast import FastForm
from dropforge.inference.faults import ModelFault
from dropforge.inference.session import opened, options, runtime

if TYPE_CHECKING:
    import onnxruntime

LARGE = 8 * 2**20
"""Bytes of a model file from which on its second form is made: smaller ones load in some 10 ms."""

WEIGHTS = "weights.bin"
SMALLEST = 1024
"""Bytes of a constant that is moved to the file of weights."""


@dataclass(frozen=True)
class FastFiles:
    """The two files."""

    graph: bytes
    weights: bytes

    @classmethod
    def of(cls, model: bytes) -> FastFiles | None:
        """Made of a model file's bytes; None where there is little to win: a small one, or one without large constants.

        Raises:
            ModelFault: onnxruntime does not load or save the model.
            OSError: there is no room for it on the disk.
        """
        if len(model) < LARGE:
            return None
        asked = options()
        # Not ENABLE_ALL: that would lay out the weights for the processor that this runs on.
        asked.graph_optimization_level = runtime().GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        asked.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
        least = "session.optimized_model_external_initializers_min_size_in_bytes"
        asked.add_session_config_entry(least, str(SMALLEST))
        with TemporaryDirectory(prefix="dropforge-") as folder:
            graph, weights = Path(folder) / "graph.onnx", Path(folder) / WEIGHTS
            asked.optimized_model_filepath = str(graph)
            opened(model, asked)
            if not weights.is_file() or weights.stat().st_size < len(model) // 2:
                return None
            return cls(graph.read_bytes(), weights.read_bytes())

    @property
    def form(self) -> FastForm:
        """What the registry keeps of them."""
        found = [hashlib.sha256(each).hexdigest() for each in (self.graph, self.weights)]
        return FastForm(found[0], found[1], runtime().__version__)

    def session(self, form: FastForm) -> onnxruntime.InferenceSession:
        """The session of these files.

        Raises:
            ModelFault: they are not those of `form`, or onnxruntime refuses them.
            OSError: there is no room for the weights on the disk.
        """
        for name, body, promised in (("graph.onnx", self.graph, form.graph), (WEIGHTS, self.weights, form.weights)):
            found = hashlib.sha256(body).hexdigest()
            if found != promised:
                raise ModelFault(f"fast form, {name}: expected SHA-256 {promised}, got {found}")
        with TemporaryDirectory(prefix="dropforge-") as folder:
            (Path(folder) / WEIGHTS).write_bytes(self.weights)
            return mapped(self.graph, folder)


def mapped(graph: bytes, folder: str) -> onnxruntime.InferenceSession:
    """The session of an optimized graph whose weights lie in `folder`; raises `ModelFault`."""
    asked = options()
    asked.graph_optimization_level = runtime().GraphOptimizationLevel.ORT_DISABLE_ALL
    asked.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    return opened(graph, asked)
