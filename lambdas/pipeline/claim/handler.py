"""Claim: the object that S3 told of becomes a run, unless it is none or somebody has it already.

Two claims, both safe to repeat by the same execution: on the object's version, which makes a repeated event harmless,
and on the content, which makes the same file dropped again harmless.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from dropforge.contract.environment import load
from dropforge.contract.ids import digest, run_id
from dropforge.contract.log import log
from dropforge.contract.names import BATCH, NameFault, parse_drop
from dropforge.contract.registry import RunRow, claim_key, content_key
from dropforge.contract.settings import ClaimSettings, RegistrySettings
from dropforge.contract.steps import Claimed, ClaimInput
from lambdas.common.registry import Registry
from lambdas.pipeline.claim.batch import claim_batch
from lambdas.pipeline.claim.objects import identity, wishes
from lambdas.pipeline.claim.run_row import first_row

if TYPE_CHECKING:
    from dropforge.contract.names import Drop


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state's task: `ClaimInput` in, `Claimed` out."""
    given = ClaimInput.from_json(event)
    if given.key.startswith(BATCH):
        return claim_batch(given, load(RegistrySettings)).to_json()
    return claim(given, load(ClaimSettings)).to_json()


def claim(given: ClaimInput, settings: ClaimSettings) -> Claimed:
    """Owns the object for this execution, or says who does."""
    run = run_id(given.bucket, given.key, given.version)
    try:
        drop = parse_drop(given.key)
    except NameFault as fault:
        log("ignored", step="Claim", run=run, reason=str(fault))
        return Claimed("ignored", run, "")
    if not drop.starts_run:
        return Claimed("ignored", run, drop.model)
    return claim_drop(given, drop, run, settings)


def claim_drop(given: ClaimInput, drop: Drop, run: str, settings: ClaimSettings) -> Claimed:
    """Takes both claims, and writes the run's first row."""
    registry = Registry(settings.registry)
    event = registry.claim(claim_key(given.bucket, given.key, given.version), given.execution, run)
    if event.owner != given.execution:
        return Claimed("duplicate", run, drop.model)
    known = registry.find_run(run)
    if known is not None:  # an earlier attempt of this execution wrote it, and its answer was lost
        return Claimed("duplicate" if known.status == "duplicate" else "claimed", run, drop.model)
    data, asked = identity(given, drop), wishes(given, drop)
    content = digest(drop.model, data, asked.content, settings.image)
    row = first_row(given, drop.model, run, "training", data, content, asked.spec)
    holder = registry.claim(content_key(drop.model, content), given.execution, run)
    if holder.run != run and taken_back_since(registry.find_run(holder.run), registry):
        holder = registry.claim(content_key(drop.model, content), given.execution, run, instead_of=holder.run)
    if holder.run != run:
        row = closed_as_duplicate(row, holder.run)
    registry.put_run(row)
    outcome: Literal["claimed", "duplicate"] = "claimed" if holder.run == run else "duplicate"
    log(outcome, step="Claim", run=run, model=drop.model, holder=holder.run)
    return Claimed(outcome, run, drop.model)


def taken_back_since(holder: RunRow | None, registry: Registry) -> bool:
    """Whether the run that has the data ended, and its model was then removed: dropped again they serve anew."""
    if holder is None or holder.status == "running":
        return False
    live = registry.pointer(holder.model)
    return live is not None and live.withdrawn and live.moved > holder.created


def closed_as_duplicate(row: RunRow, holder: str) -> RunRow:
    """The row of a run that has nothing to do."""
    reason = f"{holder} has the same data, wishes and trainer: nothing to train"
    return replace(row, status="duplicate", duplicate_of=holder, reason=reason)
