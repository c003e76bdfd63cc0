"""Judge: the candidate is loaded, replayed and scored as it would serve, then approved or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.environment import load
from dropforge.contract.instances import cost
from dropforge.contract.results import Metrics
from dropforge.contract.steps import Judged, JudgeInput
from lambdas.judge.champion import compare
from lambdas.judge.evidence import Holdout, holdout_scores, parity
from lambdas.judge.fast import with_fast_form
from lambdas.judge.files import collect, keep
from lambdas.judge.verdict import Evidence, unservable, verdict
from lambdas.serving import explain
from lambdas.serving.faults import InputFault, ModelFault
from lambdas.serving.model import ServedModel
from lambdas.shared.artifacts import Artifacts
from lambdas.shared.log import log
from lambdas.shared.registry import Registry

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.results import Manifest, Verdict


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state's task: `JudgeInput` in, `Judged` out."""
    return judge(JudgeInput.from_json(event), load(ArtifactSettings)).to_json()


def judge(given: JudgeInput, settings: ArtifactSettings) -> Judged:
    """Keeps the run's files, judges the model, and writes the verdict beside them."""
    registry, artifacts = Registry(settings.registry), Artifacts(settings.artifacts)
    price = cost(given.instance_type, given.billable_seconds)
    registry.update_run(given.run, step="Judge", job=given.job, cost=price)
    manifest, files = collect(given, artifacts)
    live = registry.live(given.model)
    found = examine(manifest, files, live, artifacts)
    found, faster = with_fast_form(found, files)
    keep(given.run, {**files, **faster}, artifacts)
    artifacts.write_json(names.RunFiles(given.run).key(names.VERDICT_FILE), found.to_json())
    report = artifacts.uri(given.run, names.REPORT_FILE)
    scored: dict[str, Any] = {"metric": found.metric, "metrics": found.candidate, "baseline": found.baseline}
    registry.update_run(given.run, report=report, **scored, **beside_scores(files))
    log("judged", step="Judge", run=given.run, model=given.model, outcome=found.outcome, parity=found.parity)
    return Judged(found.outcome, "; ".join((*found.reasons, *found.notes)), live.version if live else "")


def beside_scores(files: dict[str, bytes]) -> dict[str, Any]:
    """The intervals of the hold-out scores, and what they cannot say, as the run's row holds them."""
    found = Metrics.from_json(json.loads(files[names.METRICS_FILE])).to_json()
    return {name: found[name] for name in ("intervals", "notes")}


def examine(manifest: Manifest, files: dict[str, bytes], live: LiveRow | None, artifacts: Artifacts) -> Verdict:
    """The verdict on the run's model; a model that cannot be served is refused, not a fault of the judge."""
    metrics = Metrics.from_json(json.loads(files[names.METRICS_FILE]))
    digest = manifest.files[names.MODEL_FILE].sha256
    try:
        return verdict(evidence(metrics, digest, files, live, artifacts))
    except (ModelFault, InputFault) as fault:
        return unservable(metrics, digest, str(fault))


def evidence(
    metrics: Metrics, digest: str, files: dict[str, bytes], live: LiveRow | None, artifacts: Artifacts
) -> Evidence:
    """Everything that the verdict needs, from the files of the run and the live model's."""
    candidate = ServedModel.from_bytes(files[names.MODEL_FILE], digest)
    holdout = Holdout.read(files[names.HOLDOUT_FILE])
    compared = compare(live, candidate, holdout, artifacts)
    found = Evidence(
        metric=metrics.metric,
        direction=metrics.direction,
        candidate=holdout_scores(candidate, holdout),
        baseline=metrics.baseline,
        champion=compared.scores,
        champion_version=compared.version,
        parity=parity(candidate, files[names.GOLDEN_FILE]),
        sha256=digest,
        notes=compared.notes,
    )
    explain.check(candidate)
    return found
