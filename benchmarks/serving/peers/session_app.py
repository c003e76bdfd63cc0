"""A function that runs a session and answers nothing: what the graph alone costs under Lambda's own runtime client."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnxruntime

OPTIONS = onnxruntime.SessionOptions()
OPTIONS.intra_op_num_threads = OPTIONS.inter_op_num_threads = 1
SESSION = onnxruntime.InferenceSession(os.environ["MODEL"], OPTIONS, providers=["CPUExecutionProvider"])
FEED = {each.name: np.zeros((1, 1), np.float32) for each in SESSION.get_inputs()}


def handle(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """An empty answer after one row of zeros."""
    SESSION.run(["prediction", "probabilities"], FEED)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}
