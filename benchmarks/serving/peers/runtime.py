"""What every peer shares: the session, and named columns made of a table. onnxruntime and numpy alone."""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime


class Runtime:
    """The model, asked by a table of numbers [N, columns] in the order of its inputs."""

    def __init__(self, path: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.names = [each.name for each in self.session.get_inputs()]

    def feed(self, table: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs by name, float32 [N, 1] each."""
        columns = np.ascontiguousarray(table.astype(np.float32, copy=False).T)
        return dict(zip(self.names, columns[:, :, np.newaxis], strict=True))

    def answer(self, table: np.ndarray) -> tuple[list[str], list[list[float]]]:
        """Classes [N] and probabilities [N, classes] as plain lists."""
        labels, shares = self.session.run(["prediction", "probabilities"], self.feed(table))
        return labels[:, 0].tolist(), shares.tolist()
