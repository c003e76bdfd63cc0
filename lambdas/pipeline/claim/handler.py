"""Claim starts a run for a dropped object, unless the object is no data set or another run has it already.

It takes two claims, and the same execution may repeat both. The claim on the object's version makes a repeated event
harmless; the claim on the content makes it harmless to drop the same file again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from dropforge.contract.environment import load
from dropforge.contract.ids import digest, run_id
from dropforge.contract.log import begin_step, log
from dropforge.contract.names import BATCH, parse_drop
from dropforge.contract.registry import content_key
from dropforge.contract.settings import ClaimSettings, RegistrySettings
from dropforge.contract.steps import Claimed, ClaimInput
from lambdas.common.registry import Registry
from lambdas.pipeline.claim.batch import claim_batch
from lambdas.pipeline.claim.objects import drop_options, identity, stored_key
from lambdas.pipeline.claim.run_row import training_row
from lambdas.pipeline.claim.version import claim_version

if TYPE_CHECKING:
    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow, TrainingRun


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `ClaimInput` and returns `Claimed`."""
    begin_step("Claim", event, context)
    request = ClaimInput.from_json(event)
    request = replace(request, key=stored_key(request.bucket, request.key))
    if request.key.startswith(BATCH):
        return claim_batch(request, load(RegistrySettings)).to_json()
    return claim(request, load(ClaimSettings)).to_json()


def claim(request: ClaimInput, settings: ClaimSettings) -> Claimed:
    """Claims the object for this execution, unless another one has it."""
    run, registry = run_id(request.bucket, request.key, request.version), Registry(settings.registry)
    drop = claim_version(request, run, parse_drop, registry)
    return drop if isinstance(drop, Claimed) else claim_content(request, drop, run, registry, settings.image)


def claim_content(request: ClaimInput, drop: Drop, run: str, registry: Registry, image: str) -> Claimed:
    """Takes the claim on the content and writes the run's first row; `image` is the trainer's."""
    known = registry.find_run(run)
    if known is not None:  # an earlier attempt of this execution wrote it, and its response was lost
        return Claimed("duplicate" if known.status == "duplicate" else "claimed", run, drop.model)
    data, options = identity(request, drop), drop_options(request, drop)
    content = digest(drop.model, data, options.content, image)
    row = training_row(request, drop.model, run, data, content, options.spec)
    holder = registry.claim(content_key(drop.model, content), request.execution, run)
    if holder.run != run and removed_since(registry.find_run(holder.run), registry):
        holder = registry.claim(content_key(drop.model, content), request.execution, run, instead_of=holder.run)
    if holder.run != run:
        row = closed_as_duplicate(row, holder.run)
    registry.put_run(row)
    outcome: Literal["claimed", "duplicate"] = "claimed" if holder.run == run else "duplicate"
    log(outcome, run=run, model=drop.model, holder=holder.run)
    return Claimed(outcome, run, drop.model)


def removed_since(holder: RunRow | None, registry: Registry) -> bool:
    """Whether the holder's model was removed after that run: the same data then train a model again."""
    if holder is None or holder.status == "running":
        return False
    live = registry.pointer(holder.model)
    return live is not None and live.withdrawn and live.moved > holder.created


def closed_as_duplicate(row: TrainingRun, holder: str) -> TrainingRun:
    """The row of a run whose work another run has done or is doing."""
    reason = f"{holder} has the same data, options and trainer: nothing to train"
    return replace(row, status="duplicate", duplicate_of=holder, reason=reason)
