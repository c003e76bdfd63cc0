"""Promote moves the live pointer to an approved version in one conditional write; the history keeps every move.

Where the owner wishes a rollout, the move puts the version on trial beside the live one instead; the rollout then ends
the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.plan import Plan
from dropforge.contract.settings import PromoteSettings
from dropforge.contract.steps import ROLLOUT, Promoted, PromoteInput
from lambdas.common import rollouts
from lambdas.common.artifacts import Artifacts
from lambdas.common.pointer import beginning, move, on_trial, pointing
from lambdas.common.registry import ATTEMPTS, Registry, RegistryFault
from lambdas.common.runrows import moved_since

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, TrainingRun, VersionRow
    from dropforge.contract.rollouts import RolloutWish


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `PromoteInput` and returns `Promoted`."""
    begin_step("Promote", event, context)
    return promote(PromoteInput.from_json(event), load(PromoteSettings)).to_json()


def promote(request: PromoteInput, settings: PromoteSettings) -> Promoted:
    """Moves the live pointer, unless a later drop is live, or a version that this one was not judged against.

    The write that moves the pointer also ends the run as promoted, unless it begins a rollout. It is safe to repeat.

    Raises:
        RegistryFault: there is no such approved version, or others moved the pointer in every attempt.
    """
    registry = Registry(settings.registry)
    registry.update_run(request.run, step="Promote")
    version = registry.version(request.model, request.version)
    if version is None or version.outcome != "approved":
        raise RegistryFault(f"version {request.version} of {request.model!r}: expected it registered as approved")
    for _ in range(ATTEMPTS):
        run, live = registry.training_run(request.run), registry.pointer(request.model)
        if live is not None and registry.has_moved(run, live):
            return Promoted("promoted", "")  # an earlier attempt moved it, and its response was lost
        if live is not None and (trial := on_trial(live)) is not None and trial.run == run.run:
            return rolling(live, registry, settings)  # an earlier attempt began the rollout
        if reason := refusal(run, live, registry):
            registry.end(run.run, "refused", reason)
            return Promoted("refused", reason)
        serving = live.version if live is not None and not live.withdrawn else ""
        if request.champion is not None and serving not in ("", request.champion):
            return Promoted("overtaken", f"version {serving} serves since this was judged")
        after = next_row(version, live, run.run, wish_of(request, live, settings))
        if on_trial(after) is not None and move(live, after, registry):
            return rolling(after, registry, settings)
        if on_trial(after) is None and move(live, after, registry, promoted=run.run):
            log("promoted", run=request.run, model=request.model, version=request.version)
            return Promoted("promoted", "")
    raise RegistryFault(f"live pointer of {request.model!r}: others moved it in each of {ATTEMPTS} attempts; run again")


BECAUSE = "its run was approved"
"""Why Promote moves the pointer, as the history has it."""


def wish_of(request: PromoteInput, live: LiveRow | None, settings: PromoteSettings) -> RolloutWish | None:
    """How the owner wishes the version to take over; None where nothing serves that it was compared with."""
    if live is None or live.withdrawn or request.champion != live.version:
        return None
    plan = f"{names.RunFiles(request.run).plan}{names.PLAN_FILE}"
    return Plan.from_json(Artifacts(settings.artifacts).read_json(plan)).spec.rollout


def next_row(version: VersionRow, live: LiveRow | None, run: str, wish: RolloutWish | None) -> LiveRow:
    """The row in which the version is live, or on trial where the wish asks for a trial."""
    if live is None or wish is None or wish.mode in ("auto", "at-once"):
        return pointing(version, live, run, BECAUSE)
    share = wish.shares[0] if wish.mode == "canary" and wish.shares[0] < 1 else 0.0
    return beginning(live, version, share=share, unit=wish.by, by=run, because=BECAUSE)


def rolling(live: LiveRow, registry: Registry, settings: PromoteSettings) -> Promoted:
    """Starts the looks at the rollout that has begun; its execution is the run's from now on."""
    assert live.candidate is not None
    execution = rollouts.start(settings.rollouts, live.model, live.candidate)
    registry.update_run(live.candidate.run, step=ROLLOUT, execution=execution)
    log("on trial", run=live.candidate.run, model=live.model, version=live.candidate.version)
    return Promoted("rolling", "")


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
