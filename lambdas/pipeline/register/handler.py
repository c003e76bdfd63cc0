"""Register turns a judged run into an immutable version, approved or refused. It registers each run once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.registry import VersionRow
from dropforge.contract.results import Manifest, Verdict
from dropforge.contract.steps import Registered, RegisterInput
from lambdas.common.artifacts import Artifacts
from lambdas.common.clock import now
from lambdas.common.registry import Registry

if TYPE_CHECKING:
    from dropforge.contract.registry import TrainingRun


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `RegisterInput` and returns `Registered`."""
    begin_step("Register", event, context)
    return register(RegisterInput.from_json(event), load(ArtifactSettings)).to_json()


def register(request: RegisterInput, settings: ArtifactSettings) -> Registered:
    """Writes the version, and its number into the run's row; a refused version ends the run."""
    registry, artifacts = Registry(settings.registry), Artifacts(settings.artifacts)
    registry.update_run(request.run, step="Register")
    files = names.RunFiles(request.run)
    manifest = Manifest.from_json(artifacts.read_json(files.key(names.MANIFEST_FILE)))
    verdict = Verdict.from_json(artifacts.read_json(files.key(names.VERDICT_FILE)))
    run = registry.training_run(request.run)
    version = registry.add_version(version_row(request, manifest, verdict, run), earlier=run.version)
    registry.update_run(request.run, version=version.version)
    if request.outcome == "refused":
        registry.end(request.run, "refused", request.reason)
    log("registered", run=request.run, model=request.model, version=version.version)
    return Registered(version.version)


def version_row(request: RegisterInput, manifest: Manifest, verdict: Verdict, run: TrainingRun) -> VersionRow:
    """The version without its number: where its files are, its lineage, its scores and its cost."""
    files = names.RunFiles(request.run)
    lineage = manifest.lineage.to_json() if manifest.lineage else {}
    return VersionRow(
        model=request.model,
        version="0",
        run=request.run,
        created=now(),
        outcome=request.outcome,
        reason=request.reason,
        artifact=files.key(names.MODEL_FILE),
        sha256=verdict.sha256,
        manifest=files.key(names.MANIFEST_FILE),
        task=manifest.card.task,
        target=manifest.card.target,
        metric=verdict.metric,
        metrics=verdict.candidate,
        baseline=verdict.baseline,
        lineage={**lineage, "code": manifest.code},
        cost=run.cost or 0.0,
        fast=verdict.fast,
    )
