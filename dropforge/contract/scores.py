"""What stands beside a score, so that it can be believed: intervals, groups, calibration, importances.

Every interval is a 95 % bootstrap interval over the hold-out rows unless its field says another; all of it is plain
values, and every field of `metrics.json` that holds it may be missing in files written before it existed.
"""

from __future__ import annotations

from dataclasses import field

from dropforge.contract.documents import Record

CONFIDENCE = 0.95
"""Of every interval."""

MOST_BY_CHANCE = 0.025
"""Share of shuffles of its answers up to which a model's score is called more than chance: one tail of an interval."""


class Interval(Record):
    """Where a figure lies with the confidence `CONFIDENCE`."""

    low: float
    high: float


class Gain(Record):
    """How much better one model is than another, in the metric's unit; positive is better whatever the direction."""

    value: float
    interval: Interval
    by_chance: float | None = None
    """Share of shuffles of the model's answers among the rows that score at least as well; in the deciding metric,
    against the trivial baseline. Where a few rows carry the score, the interval alone is too narrow."""

    @property
    def is_sure(self) -> bool:
        """Whether the model is better, not just lucky: the interval lies above 0, and shuffled answers fall behind."""
        return self.interval.low > 0 and (self.by_chance is None or self.by_chance <= MOST_BY_CHANCE)


class GroupScore(Record):
    """The hold-out rows of one group, scored apart."""

    name: str
    """The column's value, a band of numbers, a year, `other` or `missing`; a number where the column is masked."""
    rows: int
    scores: dict[str, float]
    intervals: dict[str, Interval]
    answer: float | None = None
    """Mean answer of a regression, share answered with the second class of two; None for more classes."""
    answer_interval: Interval | None = None


class GroupedBy(Record):
    """One column of the spec's `groups`."""

    column: str
    groups: tuple[GroupScore, ...]
    fairness: dict[str, float] = field(default_factory=dict)
    """Classes: `demographic_parity_difference`, `demographic_parity_ratio`, `equalized_odds_difference` (of more than
    two classes the worst class's, each against the rest). Regression: `mean_error_difference`,
    `mean_answer_difference`. Empty where fewer than two groups are large enough."""


class Reliability(Record):
    """Rows that were given about the same probability, and how often it came true."""

    rows: int
    said: float
    """Mean probability: of the second class of two, of the most likely class of more."""
    came: float
    interval: Interval
    """Wilson's interval of `came`."""


class Calibration(Record):
    """Whether a probability means what it says."""

    error: float
    """Expected calibration error: mean distance of `said` and `came`, weighted by rows."""
    error_interval: Interval
    by_chance: float
    """The error that a perfectly calibrated model stays below in 95 of 100 hold-outs of this size."""
    brier: float
    """Mean squared error of the probabilities: of the second class of two, summed over the classes of more."""
    brier_interval: Interval
    table: tuple[Reliability, ...]
    calibrated: bool | None
    """False when the error is larger than chance explains; None when there are too few rows to say."""


class Importance(Record):
    """How much the deciding metric worsens when one column's values are shuffled among the hold-out rows."""

    column: str
    fall: float
    interval: Interval


class Suspect(Record):
    """A column that tells the target almost by itself: perhaps it is known only after the target is."""

    column: str
    why: str
    score: float | None = None
    """AUC or R² that the column reaches alone; None where only its name is suspect."""
