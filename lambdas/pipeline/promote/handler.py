"""Promote moves the live pointer to an approved version in one conditional write; the history keeps every move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.settings import RegistrySettings
from dropforge.contract.steps import Promoted, PromoteInput
from lambdas.common.pointer import move, pointing
from lambdas.common.registry import ATTEMPTS, Registry, RegistryFault
from lambdas.common.runrows import moved_since

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, TrainingRun


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `PromoteInput` and returns `Promoted`."""
    begin_step("Promote", event, context)
    return promote(PromoteInput.from_json(event), Registry(load(RegistrySettings).registry)).to_json()


def promote(request: PromoteInput, registry: Registry) -> Promoted:
    """Moves the live pointer, unless a later drop is live, or a version that this one was not judged against.

    The write that moves the pointer also ends the run as promoted. It is safe to repeat.

    Raises:
        RegistryFault: there is no such approved version, or others moved the pointer in every attempt.
    """
    registry.update_run(request.run, step="Promote")
    version = registry.version(request.model, request.version)
    if version is None or version.outcome != "approved":
        raise RegistryFault(f"version {request.version} of {request.model!r}: expected it registered as approved")
    for _ in range(ATTEMPTS):
        run, live = registry.training_run(request.run), registry.pointer(request.model)
        if live is not None and registry.has_moved(run, live):
            return Promoted("promoted", "")  # an earlier attempt moved it, and its response was lost
        if reason := refusal(run, live, registry):
            registry.end(run.run, "refused", reason)
            return Promoted("refused", reason)
        serving = live.version if live is not None and not live.withdrawn else ""
        if request.champion is not None and serving not in ("", request.champion):
            return Promoted("overtaken", f"version {serving} serves since this was judged")
        after = pointing(version, live, run.run, "its run was approved")
        if move(live, after, registry, promoted=run.run):
            log("promoted", run=request.run, model=request.model, version=request.version)
            return Promoted("promoted", "")
    raise RegistryFault(f"live pointer of {request.model!r}: others moved it in each of {ATTEMPTS} attempts; run again")


def refusal(run: TrainingRun, live: LiveRow | None, registry: Registry) -> str:
    """Why the run's version must not be promoted; empty if it may be."""
    if run.status != "running":
        return run.reason or f"the run has ended as {run.status}"
    if live is None:
        return ""
    if live.withdrawn and moved_since(run, live):
        return f"{run.model!r} was removed after this was dropped; drop it again to serve it"
    if registry.training_run(live.run).is_later_than(run):
        return f"{live.run} was dropped later and serves already as version {live.version}"
    return ""
