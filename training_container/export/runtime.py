"""The model file as its users run it: onnxruntime, from bytes, one thread."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from dropforge.contract.schema import BACKGROUND_KEY, Background
from dropforge.contract.tasks import PREDICTION, PROBABILITIES

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read at import: it opens a database in the home folder otherwise
import onnxruntime  # after the variable was set

if TYPE_CHECKING:
    import numpy as np

    from dropforge.contract.schema import ModelCard


class Runtime:
    """A loaded model; `answer` takes raw columns [N] by name."""

    def __init__(self, model: bytes, card: ModelCard) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.card = card
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        # onnxruntime's check of the inputs' names takes time by the square of the columns; `run` has them all.
        self.session._validate_input = lambda _names: None

    def answer(self, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """Predictions [N] (float32, or the classes' texts) and probabilities [N, classes], None for regression."""
        if not self.card.classes:
            return self.run([PREDICTION], values)[0][:, 0], None
        labels, probabilities = self.run([PREDICTION, PROBABILITIES], values)
        return labels[:, 0], probabilities

    def answers(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """[N] values or [N, classes] probabilities."""
        predictions, probabilities = self.answer(values)
        return predictions if probabilities is None else probabilities

    def background(self) -> Background | None:
        """What the file explains its answers with; None where it has nothing of the kind."""
        found = self.session.get_modelmeta().custom_metadata_map.get(BACKGROUND_KEY)
        return None if found is None else Background.from_json(json.loads(found))

    def run(self, outputs: list[str], values: dict[str, np.ndarray]) -> list[np.ndarray]:
        """These outputs of the graph, as they are."""
        feed = {free: values[name].reshape(-1, 1) for name, free in self.card.inputs.items()}
        found: list[np.ndarray] = self.session.run(outputs, feed)
        return found
