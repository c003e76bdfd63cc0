"""AWS/States: executions started, succeeded, failed and timed out, with how long they took.

MiniStack announces every change of an execution's status to EventBridge; this counts the same announcements.
"""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import Any

from dropforge.embedded.metrics.record import record

COUNTED = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def register() -> None:
    """Count each announced change of status."""
    service: Any = importlib.import_module("ministack.services.stepfunctions")
    announce = service._emit_execution_status_event

    def counted(execution: dict[str, Any]) -> None:
        announce(execution)
        count(execution)

    service._emit_execution_status_event = counted


def count(execution: dict[str, Any]) -> None:
    """Record the metrics of one execution that just changed its status."""
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    status = execution["status"]
    record("AWS/States", COUNTED[status], 1, "Count", dimensions)
    if status != "RUNNING":
        record("AWS/States", "ExecutionTime", _milliseconds(execution), "Milliseconds", dimensions)
        for other in ("ExecutionsFailed", "ExecutionsTimedOut"):
            if other != COUNTED[status]:
                record("AWS/States", other, 0, "Count", dimensions)


def _milliseconds(execution: dict[str, Any]) -> float:
    start, stop = (datetime.fromisoformat(execution[key]) for key in ("startDate", "stopDate"))
    return (stop - start).total_seconds() * 1000
