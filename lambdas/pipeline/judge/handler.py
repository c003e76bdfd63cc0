"""Judge loads the candidate in the serving runtime, checks parity, scores it, and approves or refuses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.environment import load
from dropforge.contract.fitting import fitting, shortened
from dropforge.contract.hops import hop_remarks
from dropforge.contract.log import begin_step, log
from dropforge.contract.plan import Plan
from dropforge.contract.prices import Prices
from dropforge.contract.remarks import remarks_in, row_fields, worst_first
from dropforge.contract.results import Metrics
from dropforge.contract.settings import GPU_NOT_SEEN_METRIC, JudgeSettings
from dropforge.contract.steps import Judged, JudgeInput
from dropforge.inference import explain
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.inference.model import ServedModel
from dropforge.metrics.evaluation import beyond_chance
from lambdas.common.artifacts import Artifacts
from lambdas.common.metrics import count
from lambdas.common.registry import Registry
from lambdas.pipeline.judge import trial
from lambdas.pipeline.judge.champion import Candidate, compare_with_live
from lambdas.pipeline.judge.evidence import SEED, Holdout, parity, score
from lambdas.pipeline.judge.fast_form import with_fast_form
from lambdas.pipeline.judge.files import collect, keep
from lambdas.pipeline.judge.report import with_verdict
from lambdas.pipeline.judge.verdict import Evidence, unservable
from lambdas.pipeline.judge.verdict import verdict as verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.hops import Hop
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.results import Verdict
    from dropforge.contract.spec import Spec


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `JudgeInput` and returns `Judged`."""
    begin_step("Judge", event, context)
    return judge(JudgeInput.from_json(event), load(JudgeSettings)).to_json()


def judge(request: JudgeInput, settings: JudgeSettings) -> Judged:
    """Keeps the run's files, judges the model, and writes the verdict next to them and into the report."""
    registry, artifacts = Registry(settings.registry), Artifacts(settings.artifacts)
    hops = registry.training_run(request.run).hops
    prices = Prices.from_text(settings.prices)
    registry.update_run(request.run, step="Judge", job=request.job, cost=price_of(request, hops, prices))
    manifest, files = collect(request, artifacts)
    if manifest.gpu_not_seen:
        count(GPU_NOT_SEEN_METRIC, request.model)
    live = registry.live(request.model)
    metrics = Metrics.from_json(json.loads(files[names.METRICS_FILE]))
    digest = manifest.files[names.MODEL_FILE].sha256
    verdict = examine(metrics, digest, files, live, artifacts, spec_of(request.run, artifacts))
    verdict, fast_files = with_fast_form(verdict, files)
    keep(request.run, {**with_verdict(verdict, manifest, files), **fast_files}, artifacts)
    artifacts.write_json(names.RunFiles(request.run).key(names.VERDICT_FILE), verdict.to_json())
    report = artifacts.uri(request.run, names.REPORT_FILE)
    trained = {"instance_type": request.instance_type, "device": manifest.device}
    registry.update_run(request.run, report=report, **trained, **result_fields(verdict, metrics, files, hops))
    log("judged", run=request.run, model=request.model, outcome=verdict.outcome, parity=verdict.parity)
    reason = shortened("; ".join((*verdict.reasons, *verdict.notes)))
    return Judged(verdict.outcome, reason, live.version if live else "")


def price_of(request: JudgeInput, hops: Sequence[Hop], prices: Prices) -> float | None:
    """US dollars for all of the run's jobs, those that failed included.

    None if the price of a type is not known any more: the setting may have changed since the run began.
    """
    if not {request.instance_type, *(hop.instance_type for hop in hops)} <= prices.training.keys():
        return None
    failed = sum(prices.cost(hop.instance_type, hop.billable_seconds) for hop in hops if hop.billable_seconds)
    return round(prices.cost(request.instance_type, request.billable_seconds) + failed, 6)


def spec_of(run: str, artifacts: Artifacts) -> Spec:
    """The options that Inspect wrote into the run's plan."""
    return Plan.from_json(artifacts.read_json(f"{names.RunFiles(run).plan}{names.PLAN_FILE}")).spec


def result_fields(verdict: Verdict, metrics: Metrics, files: dict[str, bytes], hops: Sequence[Hop]) -> dict[str, Any]:
    """The scores for the run's row, and what says how reliable they are."""
    stored, profile = verdict.to_json(), json.loads(files[names.PROFILE_FILE])
    notes = list(dict.fromkeys((*verdict.notes, *profile.get("told", []), *metrics.notes)))
    suspects = profile.get("suspects", [])
    kept, shown = fitting(notes), fitting(suspects)
    more = {"notes are in the report": len(notes) - len(kept),
            f"leakage suspects are in {names.PROFILE_FILE}": len(suspects) - len(shown)}  # fmt: skip
    return {
        "metric": verdict.metric,
        "metrics": verdict.candidate,
        "baseline": verdict.baseline,
        "intervals": stored["intervals"],
        "gains": stored["gains"],
        "notes": [*kept, *(f"{count:,} further {what}." for what, count in more.items() if count)],
        **row_fields(worst_first([*hop_remarks(hops), *remarks_in(profile)])),
        "suspects": shown,
    }


def examine(
    metrics: Metrics, digest: str, files: dict[str, bytes], live: LiveRow | None, artifacts: Artifacts, spec: Spec
) -> Verdict:
    """The verdict on the run's model. A model that the runtime cannot serve is refused; that is no error of Judge."""
    try:
        return verdict_of(evidence(metrics, digest, files, live, artifacts, spec))
    except (ModelFault, InputFault) as fault:
        return unservable(metrics, digest, str(fault))


def evidence(
    metrics: Metrics, digest: str, files: dict[str, bytes], live: LiveRow | None, artifacts: Artifacts, spec: Spec
) -> Evidence:
    """Everything that the verdict needs, from the files of the run and of the live model."""
    trial.check(files[names.MODEL_FILE], digest, files[names.GOLDEN_FILE])
    model = ServedModel.from_bytes(files[names.MODEL_FILE], digest)
    holdout = Holdout.read(files[names.HOLDOUT_FILE], files.get(names.BASELINE_FILE))
    scored = score(model, holdout)
    candidate = Candidate(model, holdout, scored, spec.replace)
    explain.check(model)
    return Evidence(
        metric=metrics.metric,
        task=metrics.task,
        sha256=digest,
        parity=parity(model, files[names.GOLDEN_FILE]),
        rows=holdout.rows.count,
        comparison=beyond_chance(scored.model, scored.baseline, metrics.metric, SEED),
        champion=compare_with_live(live, candidate, artifacts),
        replace=spec.replace,
        unproven=spec.unproven,
    )
