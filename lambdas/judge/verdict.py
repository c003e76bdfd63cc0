"""Whether a candidate may serve: parity first, then the trivial baseline, then the champion on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropforge.contract.parity import TOLERANCE
from dropforge.contract.results import Verdict

if TYPE_CHECKING:
    from dropforge.contract.results import Direction, Metrics


@dataclass(frozen=True)
class Evidence:
    """The scores that are compared, all on the same hold-out rows in the serving runtime."""

    metric: str
    direction: Direction
    candidate: dict[str, float]
    baseline: dict[str, float]
    champion: dict[str, float] | None
    champion_version: str | None
    parity: float
    sha256: str
    notes: tuple[str, ...] = ()


def verdict(evidence: Evidence) -> Verdict:
    """The verdict with every reason against the candidate."""
    reasons = (*parity_faults(evidence), *below_baseline(evidence), *below_champion(evidence))
    return Verdict(
        outcome="refused" if reasons else "approved",
        reasons=reasons,
        metric=evidence.metric,
        direction=evidence.direction,
        candidate=evidence.candidate,
        baseline=evidence.baseline,
        champion=evidence.champion,
        champion_version=evidence.champion_version,
        parity=evidence.parity if evidence.parity < float("inf") else None,
        sha256=evidence.sha256,
        notes=evidence.notes,
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


def parity_faults(evidence: Evidence) -> tuple[str, ...]:
    """The exported file must answer as the trained model did."""
    if evidence.parity <= TOLERANCE:
        return ()
    got = f"{evidence.parity:.2g}" if evidence.parity < float("inf") else "another class"
    return (
        f"the exported model answers unlike the trained one: expected a difference of at most {TOLERANCE}, got {got}",
    )


def below_baseline(evidence: Evidence) -> tuple[str, ...]:
    """A model that is no better than a constant answer is worth nothing."""
    if _better(evidence, evidence.baseline):
        return ()
    return (f"no better than the trivial baseline: {_compared(evidence, evidence.baseline)}",)


def below_champion(evidence: Evidence) -> tuple[str, ...]:
    """A candidate may be as good as what serves, not worse."""
    champion = evidence.champion
    if champion is None or champion[evidence.metric] == evidence.candidate[evidence.metric]:
        return ()
    if _better(evidence, champion):
        return ()
    return (f"worse than the live version {evidence.champion_version}: {_compared(evidence, champion)}",)


def _better(evidence: Evidence, other: dict[str, float]) -> bool:
    ours, theirs = evidence.candidate[evidence.metric], other[evidence.metric]
    return ours > theirs if evidence.direction == "higher" else ours < theirs


def _compared(evidence: Evidence, other: dict[str, float]) -> str:
    name = evidence.metric
    return f"{name} {evidence.candidate[name]:.6g} against {other[name]:.6g} ({evidence.direction} is better)"
