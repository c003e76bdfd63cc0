"""Whether a candidate may serve: parity first, then the trivial baseline, then the champion, all on the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropforge.contract.parity import TOLERANCE
from dropforge.contract.results import METRICS, Verdict
from dropforge.contract.schema import TASKS
from dropforge.contract.spec import Replace
from dropforge.metrics.scores import better

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from dropforge.contract.schema import Direction, Task
    from dropforge.contract.scores import Gain
    from dropforge.metrics.evaluation import Comparison
    from lambdas.pipeline.judge.champion import Compared


@dataclass(frozen=True)
class Evidence:
    """Everything that the rules look at; all scores are of the same hold-out rows in the serving runtime."""

    metric: str
    task: Task
    sha256: str
    parity: float
    rows: int
    comparison: Comparison
    """The candidate beside the trivial baseline."""
    champion: Compared
    replace: Replace = field(default_factory=Replace)
    unproven: bool = False
    """Whether the owner lets a version serve whose gain may be chance."""

    @property
    def direction(self) -> Direction:
        """Whether more or less of the metric is better."""
        return METRICS[self.task][self.metric]


@dataclass(frozen=True)
class Finding:
    """What speaks against a candidate, and whether a wish accepts it."""

    reason: str
    accepted: bool = False


def verdict(evidence: Evidence) -> Verdict:
    """The verdict with every reason against the candidate; what a wish accepts is a note instead."""
    findings = [*parity_faults(evidence), *against_baseline(evidence), *against_champion(evidence)]
    reasons = tuple(finding.reason for finding in findings if not finding.accepted)
    accepted = tuple(f"approved all the same: {finding.reason}" for finding in findings if finding.accepted)
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
    )


def unservable(metrics: Metrics, sha256: str, fault: str) -> Verdict:
    """The verdict on a file that the serving runtime cannot load, or that does not answer its own rows."""
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


def parity_faults(evidence: Evidence) -> list[Finding]:
    """The exported file must answer as the trained model did; no wish changes that."""
    if evidence.parity <= TOLERANCE:
        return []
    got = f"{evidence.parity:.2g}" if evidence.parity < float("inf") else "another class"
    return [Finding(
        f"the exported model answers unlike the trained one: expected a difference of at most {TOLERANCE}, got {got}"
    )]  # fmt: skip


def against_baseline(evidence: Evidence) -> list[Finding]:
    """A model must be better than a guess beyond chance, and no worse than it in what else the task is judged by."""
    gain = evidence.comparison.gains.get(evidence.metric)
    findings = []
    if gain is None:
        reason = f"{evidence.metric} cannot be compared with the trivial baseline on {evidence.rows:,} hold-out rows"
        findings.append(_unproven(evidence, f"{reason}: they hold too few rows of a class; drop more of every class"))
    elif gain.value <= 0:
        findings.append(_unproven(evidence, f"no better than the trivial baseline: {_beside(evidence, gain)}"))
    elif not gain.is_sure:
        reason = f"perhaps no better than the trivial baseline: {_beside(evidence, gain)}{_doubt(gain)}"
        findings.append(_unproven(evidence, f"{reason}; drop more rows, or columns that have to do with the target"))
    for metric in TASKS[evidence.task].also_judged:
        other = evidence.comparison.gains.get(metric)
        if metric != evidence.metric and other is not None and other.value < 0:
            ours, theirs = evidence.comparison.scores[metric], evidence.comparison.other[metric]
            reason = f"worse than the trivial baseline in {metric}: {_pair(metric, ours, theirs, evidence.task)}"
            findings.append(_unproven(evidence, reason))
    return findings


def _unproven(evidence: Evidence, reason: str) -> Finding:
    wish = (
        "as the wish `unproven: true` accepts" if evidence.unproven else "`unproven: true` lets it serve all the same"
    )
    return Finding(f"{reason}; {wish}", evidence.unproven)


def _beside(evidence: Evidence, gain: Gain) -> str:
    """The deciding metric of both, and the gain with its interval."""
    name, comparison = evidence.metric, evidence.comparison
    low, high = gain.interval.low, gain.interval.high
    pair = _pair(name, comparison.scores[name], comparison.other[name], evidence.task)
    return f"{pair}, better by {gain.value:.4g}, 95 % interval {low:.4g} to {high:.4g}"


def _doubt(gain: Gain) -> str:
    """Why the gain may be chance."""
    if gain.interval.low <= 0 or gain.by_chance is None:
        return ", which includes 0"
    return f", but {gain.by_chance:.1%} of shuffles of its answers score as well"


def against_champion(evidence: Evidence) -> list[Finding]:
    """A live model is replaced by one that was compared with it and is as good, or by its owner's wish."""
    champion, version = evidence.champion, evidence.champion.version
    findings = [
        Finding(f"not compared with the live version {version}: {each.what}; {_accept(each.wish)}")
        for each in champion.refused
    ]
    if champion.scores is None:
        return findings
    ours, metric = evidence.comparison.scores, evidence.metric
    if metric not in ours or metric not in champion.scores:
        reason = f"not compared with the live version {version}: there is no {metric} on these rows"
        return [*findings, _finding(evidence, reason, "uncompared")]
    behind = [metric] if better(evidence.direction, champion.scores[metric], ours[metric]) else []
    behind += [name for name in TASKS[evidence.task].also_judged if name != metric and _surely_behind(champion, name)]
    for name in behind:
        pair = _pair(name, ours[name], champion.scores[name], evidence.task)
        findings.append(_finding(evidence, f"worse than the live version {version}: {pair}", "worse"))
    return findings


def _surely_behind(champion: Compared, metric: str) -> bool:
    """In the deciding metric a candidate may be as good as what serves, not worse; in others not surely worse."""
    gain = champion.gains.get(metric)
    return gain is not None and gain.interval.high < 0


def _finding(evidence: Evidence, reason: str, wish: str) -> Finding:
    """What the wish of this name accepts, if it is there."""
    accepted = bool(getattr(evidence.replace, wish))
    return Finding(
        f"{reason}; {f'as the wish `replace: {{{wish}: true}}` accepts' if accepted else _accept(wish)}", accepted
    )


def _accept(wish: str) -> str:
    return f"`replace: {{{wish}: true}}` replaces it all the same"


def _pair(metric: str, ours: float, theirs: float, task: Task) -> str:
    return f"{metric} {ours:.6g} against {theirs:.6g} ({METRICS[task][metric]} is better)"
