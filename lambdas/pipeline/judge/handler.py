"""Judge: the candidate is loaded, replayed and scored as it would serve, then approved or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.environment import load
from dropforge.contract.instances import cost
from dropforge.contract.log import log
from dropforge.contract.plan import Plan
from dropforge.contract.results import Metrics
from dropforge.contract.steps import Judged, JudgeInput
from dropforge.inference import explain
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.inference.model import ServedModel
from dropforge.metrics.evaluation import beyond_chance
from lambdas.common.artifacts import Artifacts
from lambdas.common.registry import Registry
from lambdas.pipeline.judge.champion import Candidate, compare_with_live
from lambdas.pipeline.judge.evidence import SEED, Holdout, judged, parity
from lambdas.pipeline.judge.fast_form import with_fast_form
from lambdas.pipeline.judge.files import collect, keep
from lambdas.pipeline.judge.report import with_verdict
from lambdas.pipeline.judge.verdict import Evidence, unservable
from lambdas.pipeline.judge.verdict import verdict as verdict_of

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.results import Manifest, Verdict
    from dropforge.contract.spec import Spec


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state's task: `JudgeInput` in, `Judged` out."""
    return judge(JudgeInput.from_json(event), load(ArtifactSettings)).to_json()


def judge(given: JudgeInput, settings: ArtifactSettings) -> Judged:
    """Keeps the run's files, judges the model, and writes the verdict beside them and into the report."""
    registry, artifacts = Registry(settings.registry), Artifacts(settings.artifacts)
    price = cost(given.instance_type, given.billable_seconds)
    registry.update_run(given.run, step="Judge", job=given.job, cost=price)
    manifest, files = collect(given, artifacts)
    live = registry.live(given.model)
    verdict = examine(manifest, files, live, artifacts, wishes_of(given.run, artifacts))
    verdict, faster = with_fast_form(verdict, files)
    keep(given.run, {**with_verdict(verdict, manifest, files), **faster}, artifacts)
    artifacts.write_json(names.RunFiles(given.run).key(names.VERDICT_FILE), verdict.to_json())
    report = artifacts.uri(given.run, names.REPORT_FILE)
    registry.update_run(given.run, report=report, **shown_of(verdict, files))
    log("judged", step="Judge", run=given.run, model=given.model, outcome=verdict.outcome, parity=verdict.parity)
    return Judged(verdict.outcome, "; ".join((*verdict.reasons, *verdict.notes)), live.version if live else "")


def wishes_of(run: str, artifacts: Artifacts) -> Spec:
    """The wishes that Inspect wrote into the run's plan."""
    return Plan.from_json(artifacts.read_json(f"{names.RunFiles(run).plan}{names.PLAN_FILE}")).spec


def shown_of(verdict: Verdict, files: dict[str, bytes]) -> dict[str, Any]:
    """The scores as the run's row holds them, with all that says how far to trust them."""
    stored, measured = verdict.to_json(), Metrics.from_json(json.loads(files[names.METRICS_FILE]))
    suspects = json.loads(files[names.PROFILE_FILE]).get("suspects", [])
    return {
        "metric": verdict.metric,
        "metrics": verdict.candidate,
        "baseline": verdict.baseline,
        "intervals": stored["intervals"],
        "gains": stored["gains"],
        "notes": [*verdict.notes, *measured.notes],
        "suspects": suspects,
    }


def examine(
    manifest: Manifest, files: dict[str, bytes], live: LiveRow | None, artifacts: Artifacts, spec: Spec
) -> Verdict:
    """The verdict on the run's model; a model that cannot be served is refused, not a fault of the judge."""
    metrics = Metrics.from_json(json.loads(files[names.METRICS_FILE]))
    digest = manifest.files[names.MODEL_FILE].sha256
    try:
        return verdict_of(evidence(metrics, digest, files, live, artifacts, spec))
    except (ModelFault, InputFault) as fault:
        return unservable(metrics, digest, str(fault))


def evidence(
    metrics: Metrics, digest: str, files: dict[str, bytes], live: LiveRow | None, artifacts: Artifacts, spec: Spec
) -> Evidence:
    """Everything that the verdict needs, from the files of the run and the live model's."""
    model = ServedModel.from_bytes(files[names.MODEL_FILE], digest)
    holdout = Holdout.read(files[names.HOLDOUT_FILE], files.get(names.BASELINE_FILE))
    answers = judged(model, holdout)
    candidate = Candidate(model, holdout, answers.model, spec.replace)
    explain.check(model)
    return Evidence(
        metric=metrics.metric,
        task=metrics.task,
        sha256=digest,
        parity=parity(model, files[names.GOLDEN_FILE]),
        rows=holdout.rows.count,
        comparison=beyond_chance(answers.model, answers.baseline, metrics.metric, SEED),
        champion=compare_with_live(live, candidate, artifacts),
        replace=spec.replace,
        unproven=spec.unproven,
    )
