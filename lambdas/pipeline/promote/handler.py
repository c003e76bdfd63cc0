"""Promote: one conditional write moves the live pointer to an approved version; the history keeps every move."""

from __future__ import annotations

from typing import Any

from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.settings import RegistrySettings
from dropforge.contract.steps import Promoted, PromoteInput
from lambdas.common.pointer import pointing
from lambdas.common.registry import ATTEMPTS, Registry, RegistryFault


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The state's task: `PromoteInput` in, `Promoted` out."""
    begin_step("Promote", event, context)
    return promote(PromoteInput.from_json(event), Registry(load(RegistrySettings).registry)).to_json()


def promote(given: PromoteInput, registry: Registry) -> Promoted:
    """Moves LIVE, unless a later drop serves already, or a version that this one was not judged against.

    Done twice it is done once.

    Raises:
        RegistryFault: the version is not there, or others moved the pointer in every attempt.
    """
    registry.update_run(given.run, step="Promote")
    version = registry.version(given.model, given.version)
    if version is None or version.outcome != "approved":
        raise RegistryFault(f"version {given.version} of {given.model!r}: expected it registered as approved")
    created = registry.run(given.run).created
    for _ in range(ATTEMPTS):
        live = registry.pointer(given.model)
        if live is not None and registry.has_moved(given.run, live, since=created):
            return Promoted("promoted", "")  # an earlier attempt moved it, and its answer was lost
        if live is not None and live.withdrawn and live.moved > created:
            return Promoted("refused", f"{given.model!r} was removed after this was dropped; drop it again to serve it")
        if live is not None and registry.run(live.run).created > created:
            return Promoted("refused", f"{live.run} was dropped later and serves already as version {live.version}")
        serving = live.version if live is not None and not live.withdrawn else ""
        if given.champion is not None and serving not in ("", given.champion):
            return Promoted("overtaken", f"version {serving} serves since this was judged")
        if registry.move_live(pointing(version, live)):
            log("promoted", run=given.run, model=given.model, version=given.version)
            return Promoted("promoted", "")
    raise RegistryFault(f"live pointer of {given.model!r}: others moved it in each of {ATTEMPTS} attempts; run again")
