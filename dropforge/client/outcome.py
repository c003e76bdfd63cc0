"""How a dropped data set ended: one document with everything that a caller decides by."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from dropforge.contract.documents import Record
from dropforge.contract.scores import Gain, Interval, Suspect
from dropforge.contract.steps import ShownStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.registry import RunRow


class Outcome(Record):
    """The end of a run; for a duplicate, what is known of the run that has the same data."""

    run: str
    model: str
    status: ShownStatus
    original: ShownStatus | None
    """For a duplicate, where the run that has the same data stands."""
    version: str | None
    task: str | None
    target: str | None
    metrics: dict[str, float]
    """Hold-out scores."""
    baseline: dict[str, float]
    """The trivial baseline's, on the same rows."""
    reason: str
    """Why it was not promoted, and which wish would have it promoted all the same."""
    report: str | None
    """Path of report.html on this machine (embedded cloud), or its S3 URI (AWS)."""
    metric: str | None = None
    """The metric that decides."""
    intervals: dict[str, Interval] = field(default_factory=dict)
    """Of the hold-out scores, 95 %."""
    gains: dict[str, Gain] = field(default_factory=dict)
    """How much better than the trivial baseline, by metric."""
    notes: tuple[str, ...] = ()
    """What the scores cannot say, what was not compared, and what callers have to change."""
    suspects: tuple[Suspect, ...] = ()
    """Columns that tell the target almost by themselves: leakage, perhaps."""
    may_be_chance: bool = False
    """Whether the model's gain over the trivial baseline in the deciding metric may be chance."""

    @property
    def good(self) -> bool:
        """Whether the data set has a version that was judged fit to serve."""
        return "promoted" in (self.status, self.original)


def outcome(row: RunRow, original: Callable[[str], RunRow | None]) -> Outcome:
    """The outcome of an ended run; `original` finds the run that a duplicate names."""
    found = original(row.duplicate_of) if row.duplicate_of else None
    reason = row.reason if found is None or not found.reason else f"{row.reason} ({found.status}: {found.reason})"
    known = row if found is None else replace(found, run=row.run, status=row.status, reason=reason)
    return Outcome(
        run=known.run,
        model=known.model,
        status=known.status,
        original=None if found is None else found.status,
        version=known.version,
        task=known.task,
        target=known.target,
        metrics=known.metrics,
        baseline=known.baseline,
        reason=known.reason,
        report=known.report,
        metric=known.metric,
        intervals=known.intervals,
        gains=known.gains,
        notes=known.notes,
        suspects=known.suspects,
        may_be_chance=may_be_chance(known),
    )


def may_be_chance(row: RunRow) -> bool:
    """Whether the run was scored, and its gain in the deciding metric is not surely above 0."""
    gain = row.gains.get(row.metric or "")
    return gain is not None and not gain.is_sure
