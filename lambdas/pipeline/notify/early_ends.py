"""Executions that end before Notify's state: stopped by hand, timed out, or with an error that no state can catch.

EventBridge sends an event for every execution that fails. Runs that Notify closed already, and runs of another
execution, are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract.events import dropped_object
from dropforge.contract.log import log
from dropforge.contract.steps import NotifyInput
from lambdas.common.executions import why

if TYPE_CHECKING:
    from lambdas.common.registry import Registry


def input_of_early_end(event: dict[str, Any], registry: Registry) -> NotifyInput | None:
    """Returns the input of Notify that closes the run of an ended execution, or None if no run is left to close.

    Args:
        event: EventBridge's `Step Functions Execution Status Change`.
        registry: holds the run's row.
    """
    detail = event["detail"]
    execution, status = detail["executionArn"], detail["status"]
    dropped = dropped_object(detail.get("input"))
    runs = dropped.runs if dropped is not None else []
    row = next((row for run in runs if (row := registry.find_run(run)) is not None), None)
    if row is None or row.status != "running" or row.execution != execution:
        log("nothing to close", run=runs[0] if runs else "", execution=execution, status=status)
        return None
    cause = why(status, detail.get("error"), detail.get("cause"))
    return NotifyInput(
        execution=execution,
        run=row.run,
        model=row.model,
        status="failed",
        reason="",
        step=row.step,
        error=detail.get("error") or status,
        cause=cause,
    )
