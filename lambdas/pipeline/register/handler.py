"""Register: a judged run becomes an immutable version, approved or refused; the same run is registered once."""

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
    from dropforge.contract.registry import RunRow


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The state's task: `RegisterInput` in, `Registered` out."""
    begin_step("Register", event, context)
    return register(RegisterInput.from_json(event), load(ArtifactSettings)).to_json()


def register(given: RegisterInput, settings: ArtifactSettings) -> Registered:
    """Writes the version and notes it in the run."""
    registry, artifacts = Registry(settings.registry), Artifacts(settings.artifacts)
    registry.update_run(given.run, step="Register")
    files = names.RunFiles(given.run)
    manifest = Manifest.from_json(artifacts.read_json(files.key(names.MANIFEST_FILE)))
    verdict = Verdict.from_json(artifacts.read_json(files.key(names.VERDICT_FILE)))
    run = registry.run(given.run)
    version = registry.add_version(version_row(given, manifest, verdict, run), earlier=run.version)
    registry.update_run(given.run, version=version.version)
    log("registered", run=given.run, model=given.model, version=version.version)
    return Registered(version.version)


def version_row(given: RegisterInput, manifest: Manifest, verdict: Verdict, run: RunRow) -> VersionRow:
    """The version, its number still open: where it lies, what it is made of, how good it is and what it cost."""
    files = names.RunFiles(given.run)
    lineage = manifest.lineage.to_json() if manifest.lineage else {}
    return VersionRow(
        model=given.model,
        version="0",
        run=given.run,
        created=now(),
        outcome=given.outcome,
        reason=given.reason,
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
