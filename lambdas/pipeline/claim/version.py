"""The claim on one version of one object, which makes a repeated event harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.log import log
from dropforge.contract.names import NameFault
from dropforge.contract.steps import Claimed
from lambdas.common.executions import end_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow
    from dropforge.contract.steps import ClaimInput


def drop_of(request: ClaimInput, run: str, parse: Callable[[str], Drop]) -> Drop | Claimed:
    """The drop that the object is; the outcome `ignored` if it starts no run.

    Args:
        request: names the object.
        run: the run that the object would start.
        parse: reads the object's key, or raises `NameFault`.
    """
    try:
        drop = parse(request.key)
    except NameFault as fault:
        log("ignored", run=run, reason=str(fault))
        return Claimed("ignored", run, "")
    return drop if drop.starts_run else Claimed("ignored", run, drop.model)


def outcome_of(row: RunRow | None, execution: str) -> Claimed | None:
    """The outcome of a claim on an object whose run has the row `row`; None if the claim is free.

    It is free if there is no run, if the run failed, or if its execution ended without a result.
    """
    if row is None or row.status == "failed":
        return None
    if row.execution == execution:  # an earlier attempt of this execution wrote it, and its response was lost
        return Claimed("duplicate" if row.status == "duplicate" else "claimed", row.run, row.model)
    return None if is_dead(row) else Claimed("duplicate", row.run, row.model)


def is_dead(row: RunRow) -> bool:
    """Whether a run is running by its row alone, because its execution has ended."""
    return row.status == "running" and end_of(row.execution) is not None
