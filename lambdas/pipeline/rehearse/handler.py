"""Rehearse asks the deployed prediction function with the new version before any caller does, and may refuse it.

The version stays registered as approved: its owner may still make it live by hand.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.environment import load
from dropforge.contract.fitting import shortened
from dropforge.contract.log import begin_step, log
from dropforge.contract.plan import Plan
from dropforge.contract.results import Manifest, Verdict
from dropforge.contract.settings import RehearseSettings
from dropforge.contract.steps import Rehearsed, RehearseInput
from lambdas.common.artifacts import Artifacts
from lambdas.common.registry import Registry
from lambdas.pipeline.rehearse.deployed import Deployed
from lambdas.pipeline.rehearse.logic import refusal
from lambdas.pipeline.rehearse.report import draw
from lambdas.pipeline.rehearse.rows import captured_rows, golden_rows

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from lambdas.pipeline.rehearse.rows import Row


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `RehearseInput` and returns `Rehearsed`."""
    begin_step("Rehearse", event, context)
    return rehearse(RehearseInput.from_json(event), load(RehearseSettings)).to_json()


def rehearse(request: RehearseInput, settings: RehearseSettings) -> Rehearsed:
    """Has both versions answer the same rows; a refusal ends the run.

    Where nothing serves yet, no route of the function leads to the version, and nobody can be harmed by it. The live
    version is asked only if Judge compared the two: other targets or columns make other requests.
    """
    registry, artifacts = Registry(settings.registry), Artifacts(settings.artifacts)
    registry.update_run(request.run, step="Rehearse")
    wish = Plan.from_json(artifacts.read_json(f"{names.RunFiles(request.run).plan}{names.PLAN_FILE}")).spec.rollout
    verdict = Verdict.from_json(artifacts.read_json(names.RunFiles(request.run).key(names.VERDICT_FILE)))
    live = registry.live(request.model)
    if live is None:
        log("not rehearsed", run=request.run, model=request.model, why="nothing serves yet: it takes nobody's place")
        return Rehearsed("rehearsed", "")
    compared = live.version == verdict.champion_version and live.version != request.version
    champion = live.version if compared and wish.mode != "at-once" else ""
    rows = rows_of(request, live, artifacts) if champion else golden_rows(request.run, artifacts)
    function = Deployed(settings.predict, request.model)
    reason, evidence = refusal(request.model, request.version, champion, rows, function, wish, verdict.disagreement)
    log("rehearsed", run=request.run, model=request.model, refused=bool(reason), compared=round(evidence.compared))
    if champion:
        draw(request.run, evidence, artifacts)
    if not reason:
        return Rehearsed("rehearsed", "")
    by_hand = f"`dropforge rollback {request.model} --to {request.version}` makes it live anyway"
    reason = f"{shortened(reason, MOST_REASON)}; {by_hand}"
    registry.end(request.run, "refused", reason)
    return Rehearsed("refused", reason)


MOST_REASON = 380
"""Characters of what was found, so that what to do about it fits behind it."""


def rows_of(request: RehearseInput, live: LiveRow, artifacts: Artifacts) -> list[Row]:
    """The golden rows, and what the live version was asked last."""
    manifest = Manifest.from_json(artifacts.read_json(names.RunFiles(live.run).key(names.MANIFEST_FILE)))
    captured = captured_rows(request.model, live.version, manifest.card, artifacts, datetime.now(UTC))
    return [*golden_rows(request.run, artifacts), *captured]
