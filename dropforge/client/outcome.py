"""The outcome of a dropped data set, in one document."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from dropforge.client.runs import original_of
from dropforge.contract.documents import Record
from dropforge.contract.registry import TrainingRun
from dropforge.contract.remarks import Remark
from dropforge.contract.scores import Gain, Interval, Suspect
from dropforge.contract.steps import ShownStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.registry import RunRow


class Outcome(Record):
    """The outcome of a run; scores and report of a duplicate are those of the run with the same data.

    Example:
        >>> outcome = forge.drop("houses.csv", target="price", wait=True)
        >>> if outcome.good:
        ...     print(outcome.version, outcome.metrics[outcome.metric])
        ... else:
        ...     print(outcome.status, outcome.reason)
    """

    run: str
    model: str
    status: ShownStatus
    original: ShownStatus | None
    """For a duplicate, the status of the run with the same data."""
    version: str | None
    task: str | None
    target: str | None
    metrics: dict[str, float]
    """Hold-out scores by metric, in the unit of the metric; Judge computed them."""
    baseline: dict[str, float]
    """Scores of the trivial baseline by metric, on the same rows."""
    reason: str
    """Why the version was not promoted, and which option promotes it anyway; empty if it was promoted."""
    report: str | None
    """Path of report.html on this machine (embedded cloud), or its S3 URI (AWS); None without a report."""
    metric: str | None = None
    """The deciding metric."""
    intervals: dict[str, Interval] = field(default_factory=dict)
    """95 % intervals of the hold-out scores, by metric."""
    gains: dict[str, Gain] = field(default_factory=dict)
    """Gain over the trivial baseline with its interval, by metric; positive is better."""
    notes: tuple[str, ...] = ()
    """Warnings about the scores, what was not compared, and what callers have to change."""
    remarks: tuple[Remark, ...] = ()
    """What was left out, changed or guessed on the way from the file to the model, the worst first, each with the line
    of spec.yaml that overrules it."""
    more_remarks: int = 0
    """How many more remarks `profile.json` has."""
    suspects: tuple[Suspect, ...] = ()
    """Columns that reveal the target almost by themselves, which may be leakage."""
    may_be_chance: bool = False
    """Whether the model's gain over the trivial baseline in the deciding metric may be chance."""

    @property
    def good(self) -> bool:
        """Whether the data set has a promoted version."""
        return "promoted" in (self.status, self.original)


def outcome(row: RunRow, original: Callable[[str], RunRow | None]) -> Outcome:
    """The outcome of an ended run; `original` finds the run that a duplicate names."""
    known_by = original_of(row)
    found = original(known_by) if known_by else None
    reason = row.reason if found is None or not found.reason else f"{row.reason} ({found.status}: {found.reason})"
    known = row if found is None else replace(found, run=row.run, status=row.status, reason=reason)
    if not isinstance(known, TrainingRun):  # a batch, which has no scores
        return Outcome(
            known.run, known.model, known.status, None, known.version, None, None, {}, {}, known.reason, None
        )
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
        remarks=known.remarks,
        more_remarks=known.more_remarks,
        suspects=known.suspects,
        may_be_chance=may_be_chance(known),
    )


def may_be_chance(row: TrainingRun) -> bool:
    """Whether the run was scored, and its gain in the deciding metric is not surely above 0."""
    gain = row.gains.get(row.metric or "")
    return gain is not None and not gain.is_sure
