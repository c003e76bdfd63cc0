"""The claim on one version of one object, which makes a repeated event harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.log import log
from dropforge.contract.names import drop_at
from dropforge.contract.steps import Claimed
from lambdas.common.executions import end_of
from lambdas.common.registry import ATTEMPTS, RegistryFault

if TYPE_CHECKING:
    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow
    from dropforge.contract.steps import ClaimInput
    from lambdas.common.registry import Registry


def drop_of(request: ClaimInput, run: str) -> Drop | Claimed:
    """The drop that the object is; the outcome `ignored` if it starts no run, which would be `run`."""
    drop = drop_at(request.key)
    return drop if drop.starts_run else Claimed("ignored", run, drop.model)


def claim_object(row: RunRow, registry: Registry) -> Claimed:
    """Claims the object of `row` for its execution, whatever the content, unless another execution has it.

    Raises:
        RegistryFault: others wrote the same row in every attempt.
    """
    for _ in range(ATTEMPTS):
        before = registry.find_run(row.run)
        if outcome := outcome_of(before, row.execution):
            return outcome
        if registry.begin(row, before):
            log("claimed", run=row.run, model=row.model)
            return Claimed("claimed", row.run, row.model)
    raise RegistryFault(f"{row.run}: expected to write its row in {ATTEMPTS} attempts; run again")


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
