"""The training seam: the one place that reaches into MiniStack's Step Functions.

MiniStack has no SageMaker. It looks a Task's resource up in a dict of integrations, so `createTrainingJob` is put
there, and the unmodified `arn:aws:states:::sagemaker:createTrainingJob.sync` state calls it: with the evaluated
arguments, in the execution's own thread, waiting for the answer. `tests/embedded/test_seam.py` guards the names used
here against a new MiniStack.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

from dropforge.embedded.training.jobs import run_job
from dropforge.embedded.training.request import Refusal

if TYPE_CHECKING:
    from dropforge.embedded.home import Home
    from dropforge.embedded.settings import Address

RESOURCE = "arn:aws:states:::sagemaker:createTrainingJob"
MINISTACK = "1.5.33"
"""The version whose names are used here."""

ERRORS = {
    "ResourceInUse": "SageMaker.ResourceInUseException",
    "ResourceLimitExceeded": "SageMaker.ResourceLimitExceededException",
}
"""Service error code to the name that Step Functions gives it; every other code becomes `FALLBACK`."""
FALLBACK = "SageMaker.AmazonSageMakerException"


def register(home: Home, address: Address) -> None:
    """Let state machines run training jobs; MiniStack must be imported already."""
    engine = importlib.import_module("ministack.services.stepfunctions")

    def create_training_job(resource: str, request: dict[str, Any]) -> dict[str, Any]:
        if not resource.endswith(".sync"):
            raise engine._ExecutionError(FALLBACK, f"{resource}: only the .sync form runs here")
        try:
            description = run_job(home, address, request)
        except Refusal as refusal:
            raise engine._ExecutionError(ERRORS.get(refusal.code, FALLBACK), refusal.cause) from refusal
        if description["TrainingJobStatus"] != "Completed":
            raise engine._ExecutionError("States.TaskFailed", json.dumps(description))
        return description

    engine._SERVICE_DISPATCH[RESOURCE] = create_training_job
