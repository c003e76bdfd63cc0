"""Lets tests have training jobs fail as they fail on SageMaker: a file names the faults, and each job takes one.

The server's environment variable `DROPFORGE_TRAINING_FAULTS` is the path of a JSON file that has a list of faults by
place: `{"ml.g6.xlarge on spot": ["no_spot"], "ml.m5.xlarge": ["quota_in_use", "internal"]}`. A job takes the first
fault of its place and removes it from the file. Without the variable, the file or an entry, a job runs as it is.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropforge.contract.instances import Place
from dropforge.embedded.training.request import Refusal

FILE = "DROPFORGE_TRAINING_FAULTS"
_turn = threading.Lock()

LIMIT = (
    "The account-level service limit '{type} for {spot}training job usage' is {quota} Instances, with current "
    "utilization of {quota} Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an "
    "increase for this quota."
)


@dataclass(frozen=True)
class Fault:
    """What becomes of a job; a job without a fault has none of these."""

    refusal: tuple[str, str] | None = None
    """Code and message with which CreateTrainingJob refuses it; `{type}`, `{spot}` and `{quota}` are filled in."""
    reason: str | None = None
    """The FailureReason of the job, which then never runs."""
    seconds: float | None = None
    """How long the algorithm may run before it is stopped."""
    stopped: str = "MaxRuntimeExceeded"
    """The SecondaryStatus of a job that was stopped."""
    hides_gpu: bool = False
    """Whether the job is told the real type of its machine, and sees no GPU."""
    quota: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    """Environment variables of the algorithm."""

    def refuse(self, request: dict[str, Any]) -> None:
        """Raises the `Refusal`, if the fault is one."""
        if self.refusal is None:
            return
        code, message = self.refusal
        spot = "spot " if request.get("EnableManagedSpotTraining") else ""
        place = {"type": request["ResourceConfig"]["InstanceType"], "spot": spot, "quota": self.quota}
        raise Refusal(code, message.format_map(place))


FAULTS = {
    "no_quota": Fault(refusal=("ResourceLimitExceeded", LIMIT)),
    "quota_in_use": Fault(refusal=("ResourceLimitExceeded", LIMIT), quota=1),
    "unsupported_type": Fault(refusal=("ValidationException", "Unsupported instance type {type}")),
    "unknown_type": Fault(
        refusal=(
            "ValidationException",
            "1 validation error detected: Value '{type}' at 'resourceConfig.instanceType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [ml.m5.xlarge, ml.m5.4xlarge]",
        )
    ),
    "call_failed": Fault(refusal=("InternalFailure", "The request processing has failed because of an unknown error")),
    "no_capacity": Fault(reason="CapacityError: Unable to provision requested ML compute capacity. Please retry later"),
    "internal": Fault(reason="InternalServerError: We encountered an internal error. Please try again."),
    "out_of_memory": Fault(reason="AlgorithmError: , exit code: 137"),
    "no_spot": Fault(seconds=3, stopped="MaxWaitTimeExceeded"),
    "out_of_time": Fault(seconds=3),
    "gpu_not_seen": Fault(hides_gpu=True, variables={"CUDA_VISIBLE_DEVICES": ""}),
}
NONE = Fault()


def take(request: dict[str, Any]) -> Fault:
    """The fault of this job, which is then removed from the file."""
    path = Path(os.environ.get(FILE, ""))
    place = Place(request["ResourceConfig"]["InstanceType"], bool(request.get("EnableManagedSpotTraining")))
    with _turn:
        if not path.is_file():
            return NONE
        faults = json.loads(path.read_text())
        listed = faults.get(place.name, [])
        if not listed:
            return NONE
        path.write_text(json.dumps({**faults, place.name: listed[1:]}))
    return FAULTS[listed[0]]
