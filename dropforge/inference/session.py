"""Sessions of onnxruntime, which is imported when the first one is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dropforge.inference.faults import ModelFault

if TYPE_CHECKING:
    import onnxruntime


def runtime() -> Any:
    """The module; its telemetry would open a database and start a thread at import."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime


def options() -> onnxruntime.SessionOptions:
    """One thread, and only errors are told."""
    made = runtime().SessionOptions()
    made.intra_op_num_threads = made.inter_op_num_threads = 1
    made.log_severity_level = 3
    return made


def opened(body: bytes, asked: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """A session from bytes, never from a path: external data could then name any file. Raises `ModelFault`."""
    try:
        return runtime().InferenceSession(body, asked, providers=["CPUExecutionProvider"])
    except Exception as fault:  # onnxruntime raises classes of its own for every kind of bad file
        raise ModelFault(f"model file: onnxruntime refuses it: {fault}") from fault
