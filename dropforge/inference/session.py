"""Sessions of onnxruntime, which is imported when the first one is made."""

from __future__ import annotations

import os
from functools import partial
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
        made = runtime().InferenceSession(body, asked, providers=["CPUExecutionProvider"])
    except Exception as fault:  # onnxruntime raises classes of its own for every kind of bad file
        raise ModelFault(f"model file: onnxruntime refuses it: {fault}") from fault
    # onnxruntime's own check looks every input up in a list of all: with 2,000 columns this took 35 of a row's 40 ms.
    made._validate_input = partial(_check_inputs, frozenset(each.name for each in made.get_inputs()))
    return made


def _check_inputs(required: frozenset[str], names: list[str]) -> None:
    missing = required.difference(names)
    if missing:
        raise ValueError(f"expected the input {min(missing)!r}, got {len(names)} others")
