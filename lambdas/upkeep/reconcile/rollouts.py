"""Rollouts that nobody looks at: begun when Step Functions could not be reached, or whose execution has ended early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.log import log
from lambdas.common.aws import stepfunctions
from lambdas.common.rollouts import name_of, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dropforge.contract.registry import LiveRow
    from lambdas.common.registry import Registry

PAGE = 100
"""Live pointers that are read at once."""


def start_looks(registry: Registry, machine: str, now: datetime) -> int:
    """Starts an execution for every rollout without one; returns how many there were."""
    rolling = [row for row in _lives(registry) if row.candidate is not None]
    if not rolling:
        return 0
    looked_at, count = _running(machine), 0
    for row in rolling:
        assert row.candidate is not None
        if name_of(row.model, row.candidate) not in looked_at:
            start(machine, row.model, row.candidate, attempt=now.strftime("%Y%m%d%H%M%S"))
            log("rollout looked at again", model=row.model, version=row.candidate.version)
            count += 1
    return count


def _lives(registry: Registry) -> Iterator[LiveRow]:
    after = None
    while True:
        rows = registry.lives(PAGE, after)
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].model


def _running(machine: str) -> set[str]:
    """How the names of the running executions begin."""
    pages = stepfunctions().get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="RUNNING")
    return {each["name"].rpartition("-")[0] for page in pages for each in page["executions"]}
