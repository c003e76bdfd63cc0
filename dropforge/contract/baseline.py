"""The document `baseline.json`: the trivial baseline of a run, for Judge to score on its own rows."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from dropforge.contract.documents import Document
from dropforge.contract.tasks import Task


class Baseline(Document):
    """What knowing nothing but the training targets answers; `dropforge.metrics.baseline` makes answers of it.

    A clustering needs none of the fields: its baseline deals the rows into clusters of the same sizes at random.
    """

    SCHEMA: ClassVar[str] = "dropforge.baseline/1"

    task: Task
    mean: float | None = None
    """The mean of the training targets, for regression and recommendation."""
    median: float | None = None
    """The median of the training targets; no constant has a smaller mean absolute error."""
    shares: tuple[float, ...] = ()
    """The frequencies of the classes among the training targets, in the card's order of classes."""
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Recommendation: each hold-out user to the most rated items that the user has not rated, the most rated first."""
