"""Executions that end without their last state: stopped by hand, out of time, or on an error that no state may catch.

EventBridge tells of every execution that ends badly. What Notify closed already, and what another execution owns, is
left alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge.contract.ids import run_id
from dropforge.contract.log import log
from dropforge.contract.steps import NotifyInput

if TYPE_CHECKING:
    from lambdas.common.registry import Registry

WORDS = {
    "ABORTED": "its execution was stopped",
    "TIMED_OUT": "its execution took longer than it may",
}


def unclosed(event: dict[str, Any], registry: Registry) -> NotifyInput | None:
    """How the run of an ended execution is to be closed; None where nothing is left to close.

    Args:
        event: EventBridge's `Step Functions Execution Status Change`.
        registry: holds the run's row.
    """
    detail = event["detail"]
    execution, status = detail["executionArn"], detail["status"]
    run = _run_of(detail.get("input"))
    row = registry.find_run(run) if run else None
    if row is None or row.status != "running" or row.execution != execution:
        log("nothing to close", step="Notify", run=run, execution=execution, status=status)
        return None
    told = WORDS.get(status) or detail.get("cause") or detail.get("error") or ""
    return NotifyInput(
        execution=execution,
        run=run,
        model=row.model,
        status="failed",
        reason="",
        step=row.step,
        error=detail.get("error") or status,
        cause=told,
    )


def _run_of(given: str | None) -> str:
    """The run that S3's event began; empty where the execution was given anything else."""
    try:
        dropped = json.loads(given or "")["detail"]
        return run_id(dropped["bucket"]["name"], dropped["object"]["key"], dropped["object"]["version-id"])
    except (ValueError, KeyError, TypeError):
        return ""
