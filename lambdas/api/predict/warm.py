"""What a function does before its first call when it stands by or is snapshotted: imports, and its own model's load.

Which variable says so: "Using Lambda environment variables", AWS Lambda Developer Guide. Nothing that grows old is
kept: when a snapshot is restored, the pointer is read anew and connections are made anew.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dropforge.contract.environment import load
from dropforge.contract.log import begin, log
from dropforge.contract.settings import HotSettings
from dropforge.inference.faults import ModelFault
from dropforge.inference.session import runtime
from lambdas.common.aws_client import clients

if TYPE_CHECKING:
    from lambdas.api.predict.models import Models


def warm(served: Models) -> None:
    """Imports onnxruntime, and loads the hot model where the function has one; a fault is left to the first call."""
    begin("Predict")
    runtime()
    if "HOT" not in os.environ:
        return
    model = load(HotSettings).hot
    try:
        live = served.live(model)
        if live is not None:
            served.load(live)
    except ModelFault as fault:
        log("not warmed", level="warning", model=model, reason=str(fault))
    served.pointers.clear()
    clients.close_connections()
