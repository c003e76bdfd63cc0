"""Claim starts a run for a dropped object, unless the object is no data set or another run has it already.

It takes two claims in one write, and the same execution may repeat it. The claim on the object's version, which is the
run's row, makes a repeated event harmless; the claim on the content makes it harmless to drop the same file again. Both
are leases: what a run holds that failed, or whose execution ended without a result, the next comer gets.

An object under an invalid name is claimed without its content, so that Inspect rejects it and its owner is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from dropforge.contract.environment import load
from dropforge.contract.ids import digest, run_id
from dropforge.contract.log import begin_step, log
from dropforge.contract.names import BATCH
from dropforge.contract.registry import TrainingRun, content_key
from dropforge.contract.settings import ClaimSettings, RegistrySettings
from dropforge.contract.steps import KEPT_NOTHING, Claimed, ClaimInput
from lambdas.common.registry import ATTEMPTS, Registry, RegistryFault
from lambdas.common.run_row import training_row
from lambdas.common.runrows import moved_since
from lambdas.pipeline.claim.batch import claim_batch
from lambdas.pipeline.claim.objects import drop_options, identity, stored_key
from lambdas.pipeline.claim.version import claim_object, drop_of, is_dead, outcome_of

if TYPE_CHECKING:
    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `ClaimInput` and returns `Claimed`."""
    begin_step("Claim", event, context)
    request = ClaimInput.from_json(event)
    request = replace(request, key=stored_key(request.bucket, request.key))
    if request.key.startswith(BATCH):
        return claim_batch(request, load(RegistrySettings)).to_json()
    return claim(request, load(ClaimSettings)).to_json()


def claim(request: ClaimInput, settings: ClaimSettings) -> Claimed:
    """Claims the object for this execution, unless another one has it or its content.

    Raises:
        RegistryFault: others wrote the same rows in every attempt.
    """
    run, registry = run_id(request.bucket, request.key, request.version), Registry(settings.registry)
    drop = drop_of(request, run)
    if isinstance(drop, Claimed):
        return drop
    if drop.kind == "misnamed":
        return claim_object(training_row(request, drop.model, run), registry)
    row: TrainingRun | None = None
    for _ in range(ATTEMPTS):
        before = registry.find_run(run)
        if outcome := outcome_of(before, request.execution):
            return outcome
        row = row or first_row(request, drop, run, registry, settings.image)
        if outcome := claim_content(row, before, registry):
            return outcome
    raise RegistryFault(f"{run}: expected to write its row in {ATTEMPTS} attempts; run again")


def first_row(request: ClaimInput, drop: Drop, run: str, registry: Registry, image: str) -> TrainingRun:
    """The row of the run if it gets the claim on its content; `image` is the trainer's."""
    data, options = identity(request, drop, run, registry), drop_options(request, drop)
    live = registry.pointer(drop.model)
    return replace(
        training_row(request, drop.model, run),
        identity=data,
        content=digest(drop.model, data, options.content, image),
        sequencer=request.sequencer,
        dropped=options.dropped,
        generation=0 if live is None else live.generation,
        spec=options.spec,
    )


def claim_content(row: TrainingRun, before: RunRow | None, registry: Registry) -> Claimed | None:
    """Writes the run's row with the claim on its content, or as a duplicate of the run that has the claim.

    Returns None if others wrote one of the two in the meantime.
    """
    content = content_key(row.model, row.content)
    holder = registry.holder(content)
    if holder is None or holder == row.run or is_free(registry.find_run(holder), registry):
        outcome: Literal["claimed", "duplicate"] = "claimed"
        written = registry.begin(row, before, content, holder or "")
    else:
        outcome = "duplicate"
        written = registry.begin(closed_as_duplicate(row, holder), before)
    if not written:
        return None
    log(outcome, run=row.run, model=row.model, holder=holder)
    return Claimed(outcome, row.run, row.model)


def is_free(holder: RunRow | None, registry: Registry) -> bool:
    """Whether the run `holder` does not need its claim on a content any more, so that the next comer may have it."""
    return holder is None or holder.status in KEPT_NOTHING or is_dead(holder) or removed_since(holder, registry)


def removed_since(holder: RunRow, registry: Registry) -> bool:
    """Whether the holder's model was removed after that run: the same data then train a model again."""
    if holder.status == "running" or not isinstance(holder, TrainingRun):
        return False
    live = registry.pointer(holder.model)
    return live is not None and live.withdrawn and moved_since(holder, live)


def closed_as_duplicate(row: TrainingRun, holder: str) -> TrainingRun:
    """The row of a run whose work another run has done or is doing."""
    reason = f"{holder} has the same data, options and trainer: nothing to train"
    return replace(row, status="duplicate", duplicate_of=holder, reason=reason)
