"""The rules for a candidate: parity first, then the trivial baseline, then the champion, all on the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropforge.contract.figures import figure
from dropforge.contract.parity import TOLERANCE
from dropforge.contract.results import METRICS, Verdict
from dropforge.contract.spec import Replace
from dropforge.contract.tasks import TASKS
from dropforge.metrics.scores import better

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from dropforge.contract.scores import Gain
    from dropforge.contract.tasks import Direction, Task
    from dropforge.metrics.evaluation import Comparison
    from lambdas.pipeline.judge.champion import ChampionResult


@dataclass(frozen=True)
class Evidence:
    """The input of the rules; all scores are of the same hold-out rows in the serving runtime."""

    metric: str
    task: Task
    sha256: str
    parity: float
    rows: int
    comparison: Comparison
    """The candidate compared with the trivial baseline."""
    champion: ChampionResult
    replace: Replace = field(default_factory=Replace)
    unproven: bool = False
    """Whether the owner accepts a version whose gain may be chance."""

    @property
    def direction(self) -> Direction:
        """Whether higher or lower values of the metric are better."""
        return METRICS[self.task][self.metric]


@dataclass(frozen=True)
class Objection:
    """A reason against a candidate, and whether an option accepts it."""

    reason: str
    accepted: bool = False


def verdict(evidence: Evidence) -> Verdict:
    """The verdict with every reason against the candidate; reasons that an option accepts become notes."""
    objections = [*parity_faults(evidence), *against_baseline(evidence), *against_champion(evidence)]
    reasons = tuple(objection.reason for objection in objections if not objection.accepted)
    accepted = tuple(f"approved anyway: {objection.reason}" for objection in objections if objection.accepted)
    return Verdict(
        outcome="refused" if reasons else "approved",
        reasons=reasons,
        metric=evidence.metric,
        direction=evidence.direction,
        candidate=evidence.comparison.scores,
        baseline=evidence.comparison.other,
        champion=evidence.champion.scores,
        champion_version=None if evidence.champion.scores is None else evidence.champion.version,
        parity=evidence.parity if evidence.parity < float("inf") else None,
        sha256=evidence.sha256,
        notes=(*accepted, *evidence.champion.notes),
        rows=evidence.rows,
        intervals=evidence.comparison.intervals,
        gains=evidence.comparison.gains,
        champion_gains=evidence.champion.gains,
        disagreement=evidence.champion.disagreement,
    )


def unservable(metrics: Metrics, sha256: str, fault: str) -> Verdict:
    """The verdict on a model that the serving runtime cannot load, or that cannot predict its own hold-out rows."""
    return Verdict(
        outcome="refused",
        reasons=(f"the model cannot be served: {fault}",),
        metric=metrics.metric,
        direction=metrics.direction,
        candidate={},
        baseline=metrics.baseline,
        champion=None,
        champion_version=None,
        parity=None,
        sha256=sha256,
    )


def parity_faults(evidence: Evidence) -> list[Objection]:
    """The exported model must predict what the trained model predicted; no option changes that."""
    if evidence.parity <= TOLERANCE:
        return []
    got = figure(evidence.parity, digits=2) if evidence.parity < float("inf") else "another class"
    return [Objection(
        f"the exported model differs from the trained one: expected a difference of at most {TOLERANCE}, got {got}"
    )]  # fmt: skip


def against_baseline(evidence: Evidence) -> list[Objection]:
    """A model must beat the trivial baseline beyond chance, and not be worse in the further metrics of the task."""
    gain = evidence.comparison.gains.get(evidence.metric)
    objections = []
    if gain is None:
        reason = f"{evidence.metric} cannot be compared with the trivial baseline on {evidence.rows:,} hold-out rows"
        objections.append(_unproven(evidence, f"{reason}: they hold too few rows of a class; drop more of every class"))
    elif gain.value <= 0:
        objections.append(_unproven(evidence, f"no better than the trivial baseline: {_comparison(evidence, gain)}"))
    elif not gain.is_sure:
        reason = f"perhaps no better than the trivial baseline: {_comparison(evidence, gain)}{_doubt(gain)}"
        objections.append(_unproven(evidence, f"{reason}; drop more rows, or columns that are related to the target"))
    for metric in TASKS[evidence.task].also_judged:
        other = evidence.comparison.gains.get(metric)
        if metric != evidence.metric and other is not None and other.value < 0:
            ours, theirs = evidence.comparison.scores[metric], evidence.comparison.other[metric]
            reason = f"worse than the trivial baseline in {metric}: {_pair(metric, ours, theirs, evidence.task)}"
            objections.append(_unproven(evidence, reason))
    return objections


def _unproven(evidence: Evidence, reason: str) -> Objection:
    option = "accepted by `unproven: true`" if evidence.unproven else "`unproven: true` lets it serve anyway"
    return Objection(f"{reason}; {option}", evidence.unproven)


def _comparison(evidence: Evidence, gain: Gain) -> str:
    """Both values of the deciding metric, and the gain with its interval."""
    name, comparison = evidence.metric, evidence.comparison
    low, high = gain.interval.low, gain.interval.high
    pair = _pair(name, comparison.scores[name], comparison.other[name], evidence.task)
    return f"{pair}, better by {figure(gain.value)}, 95 % interval {figure(low)} to {figure(high)}"


def _doubt(gain: Gain) -> str:
    """Says why the gain may be chance."""
    if gain.interval.low <= 0 or gain.by_chance is None:
        return ", which includes 0"
    return f", but {gain.by_chance:.1%} of shuffles of its predictions score as well"


def against_champion(evidence: Evidence) -> list[Objection]:
    """A live model is replaced only by one that was compared with it and is as good, unless its owner accepts less."""
    champion, version = evidence.champion, evidence.champion.version
    objections = [
        Objection(
            f"not compared with the live version {version}: {difference.what}; {_how_to_accept(difference.option)}"
        )
        for difference in champion.refused
    ]
    if champion.scores is None:
        return objections
    ours, metric = evidence.comparison.scores, evidence.metric
    if metric not in ours or metric not in champion.scores:
        reason = f"not compared with the live version {version}: there is no {metric} on these rows"
        return [*objections, _objection(evidence, reason, "uncompared")]
    behind = [metric] if better(evidence.direction, champion.scores[metric], ours[metric]) else []
    behind += [name for name in TASKS[evidence.task].also_judged if name != metric and _surely_behind(champion, name)]
    for name in behind:
        pair = _pair(name, ours[name], champion.scores[name], evidence.task)
        objections.append(_objection(evidence, f"worse than the live version {version}: {pair}", "worse"))
    return objections


def _surely_behind(champion: ChampionResult, metric: str) -> bool:
    """Whether a candidate is worse beyond chance, which is what further metrics must not be."""
    gain = champion.gains.get(metric)
    return gain is not None and gain.interval.high < 0


def _objection(evidence: Evidence, reason: str, option: str) -> Objection:
    """An objection that the option `replace: {option: true}` accepts."""
    accepted = bool(getattr(evidence.replace, option))
    return Objection(
        f"{reason}; {f'accepted by `replace: {{{option}: true}}`' if accepted else _how_to_accept(option)}", accepted
    )


def _how_to_accept(option: str) -> str:
    return f"`replace: {{{option}: true}}` replaces it anyway"


def _pair(metric: str, ours: float, theirs: float, task: Task) -> str:
    return f"{metric} {figure(ours, digits=6)} against {figure(theirs, digits=6)} ({METRICS[task][metric]} is better)"
