"""Runs that are running by their rows alone, because their executions have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dropforge.contract.steps import ROLLOUT, NotifyInput
from lambdas.common.endings import conclude
from lambdas.common.executions import end_of, why

if TYPE_CHECKING:
    from lambdas.common.registry import Registry

LONGEST_DAYS = 8
"""Longer than an execution may take."""


def sweep(registry: Registry, topic: str) -> int:
    """Ends the runs of ended executions as failed, and tells of them; returns how many there were."""
    since = (datetime.now(UTC) - timedelta(days=LONGEST_DAYS)).isoformat()
    count = 0
    for row in registry.running(since):
        if row.step == ROLLOUT:
            continue  # the move that ends its rollout ends it
        end = end_of(row.execution)
        if end is None:
            continue
        request = NotifyInput(
            execution=row.execution,
            run=row.run,
            model=row.model,
            status="failed",
            reason="",
            step=row.step,
            error=end.error or end.status,
            cause=why(end.status, end.error, end.cause),
        )
        conclude(request, registry, topic)
        count += 1
    return count
