"""Reads from the error and the cause of a training job what stood in its way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropforge.contract.hops import GPU_NOT_SEEN, OUT_OF_MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.contract.hops import Obstacle

ALGORITHM = "AlgorithmError"
"""How the reason of a job begins that the trainer itself ended; data may speak in the rest of it."""

SAID_BY_TRAINER: tuple[tuple[str, Obstacle], ...] = (
    (f"{ALGORITHM}: {GPU_NOT_SEEN}", "gpu_not_seen"),
    (f"{ALGORITHM}: {OUT_OF_MEMORY}", "out_of_memory"),
)

SIGNS: tuple[tuple[str, Obstacle], ...] = (
    ("MaxWaitTimeExceeded", "no_spot"),
    ("MaxRuntimeExceeded", "out_of_time"),
    ("Interrupted", "no_spot"),
    ("CapacityError", "no_capacity"),
    ("InsufficientCapacity", "no_capacity"),
    ("instance type with more memory", "out_of_memory"),
    ("is 0 Instances", "no_quota"),
    ("ResourceLimitExceeded", "quota_in_use"),
    ("Unsupported instance type", "unknown_type"),
    ("is not supported in", "unknown_type"),
    ("InternalServerError", "internal"),
    ("InternalFailure", "internal"),
    ("ServiceUnavailable", "internal"),
    ("Status Code: 5", "internal"),
    ("Throttling", "internal"),
    ("Unable to execute HTTP request", "internal"),
)
"""Parts of what the service says, the surest first."""

KILLED = re.compile(r"exit code: 137\b", re.IGNORECASE)
"""Of a process that the machine ended, which it does when memory is used up."""
NO_SUCH_TYPE = re.compile(r"instanceType\W+failed to satisfy constraint: Member must satisfy enum value set")


@dataclass(frozen=True)
class Ended:
    """How a training job ended: its error and its cause."""

    error: str
    cause: str

    @property
    def job(self) -> Mapping[str, Any]:
        """The job's description; empty for a job that was never created."""
        try:
            described = json.loads(self.cause)
        except ValueError:
            return {}
        return described if isinstance(described, dict) else {}

    @property
    def billable_seconds(self) -> int:
        """Seconds that the job is billed for."""
        seconds = self.job.get("BillableTimeInSeconds", 0)
        return seconds if isinstance(seconds, int) else 0

    @property
    def obstacle(self) -> Obstacle | None:
        """What stood in the way; None for a fault that no other machine mends."""
        job = self.job
        if not job:
            return _of_service(f"{self.error} {self.cause}")
        reason = str(job.get("FailureReason", ""))
        if reason.startswith(ALGORITHM):
            said = next((obstacle for sign, obstacle in SAID_BY_TRAINER if reason.startswith(sign)), None)
            return "out_of_memory" if said is None and KILLED.search(reason) else said
        return _of_service(f"{job.get('SecondaryStatus', '')} {reason}")


def _of_service(text: str) -> Obstacle | None:
    if NO_SUCH_TYPE.search(text):
        return "unknown_type"
    return next((obstacle for sign, obstacle in SIGNS if sign in text), None)
