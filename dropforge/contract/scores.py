"""What says how far to trust a score: intervals, groups, calibration, importances.

Every interval is a 95 % bootstrap interval over the hold-out rows unless its field says another; all of it is plain
values, and every field of `metrics.json` that holds it may be missing in files written before it existed.
"""

from __future__ import annotations

from dataclasses import field

from dropforge.contract.documents import Record

CONFIDENCE = 0.95
"""The confidence level of every interval."""

MOST_BY_CHANCE = 0.025
"""Largest share of permutations that score as well for a gain to be significant: one tail of an interval."""


class Interval(Record):
    """The interval of a figure at the level `CONFIDENCE`."""

    low: float
    high: float


class Gain(Record):
    """How much better one model is than another, in the metric's unit; positive is better for every metric."""

    value: float
    interval: Interval
    by_chance: float | None = None
    """Share of shuffles of the model's answers among the rows that score at least as well; in the deciding metric,
    against the trivial baseline. Where a few rows carry the score, the interval alone is too narrow."""

    @property
    def is_sure(self) -> bool:
        """Whether the gain is significant: its interval is above 0, and permuted predictions score worse."""
        return self.interval.low > 0 and (self.by_chance is None or self.by_chance <= MOST_BY_CHANCE)


class GroupScore(Record):
    """The hold-out rows of one group, with their own scores."""

    name: str
    """The column's value, a range of numbers, a year, `other` or `missing`; a number if the column is masked."""
    rows: int
    scores: dict[str, float]
    intervals: dict[str, Interval]
    answer: float | None = None
    """Mean prediction of a regression, or the share predicted as the second of two classes; None for more classes."""
    answer_interval: Interval | None = None


class GroupedBy(Record):
    """The groups of one column of the spec's `groups`."""

    column: str
    groups: tuple[GroupScore, ...]
    fairness: dict[str, float] = field(default_factory=dict)
    """Classes: `demographic_parity_difference`, `demographic_parity_ratio`, `equalized_odds_difference` (of more than
    two classes the worst class's, each against the rest). Regression: `mean_error_difference`,
    `mean_answer_difference`. Empty where fewer than two groups are large enough."""


class Reliability(Record):
    """Rows with about the same predicted probability, and how often it came true."""

    rows: int
    said: float
    """Mean probability of the second of two classes, or of the most probable of more."""
    came: float
    interval: Interval
    """Wilson's interval of `came`."""


class Calibration(Record):
    """How well probabilities match observed frequencies."""

    error: float
    """Expected calibration error: mean distance of `said` and `came`, weighted by rows."""
    error_interval: Interval
    by_chance: float
    """The error that a perfectly calibrated model stays below in 95 of 100 hold-outs of this size."""
    brier: float
    """Brier score: mean squared error of the probability of the second of two classes, or summed over more classes."""
    brier_interval: Interval
    table: tuple[Reliability, ...]
    calibrated: bool | None
    """False if the error exceeds what chance explains; None if there are too few rows to say."""


class Importance(Record):
    """How much the deciding metric worsens when one column's values are shuffled among the hold-out rows."""

    column: str
    fall: float
    interval: Interval


class Suspect(Record):
    """A column that reveals the target almost by itself; it may be known only after the target is."""

    column: str
    why: str
    score: float | None = None
    """AUC or R² that the column reaches alone; None if only its name is suspect."""
