"""What `prepare` gives the trainer: typed rows in three parts, and everything that was decided about the columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.spec import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dropforge.contract.personal import PersonalColumn
    from dropforge.contract.plan import DataFormat, Plan
    from dropforge.contract.schema import Column, LabelType
    from dropforge.contract.tasks import Task


@dataclass(frozen=True)
class Options:
    """What to prepare, where no plan was written: everything left out is found by rule."""

    spec: Spec = field(default_factory=Spec)
    target: str | None = None
    """Wins over the spec's."""
    task: Task | None = None
    data: DataFormat | None = None
    planned: bool = False
    """Whether Inspect put in target and task, by its rules where the spec has none."""

    @classmethod
    def of_plan(cls, plan: Plan) -> Options:
        """What Inspect decided."""
        return cls(spec=plan.spec, target=plan.target, task=plan.task, data=plan.data, planned=True)

    @property
    def guesses_target(self) -> bool:
        """Whether a rule chose the target."""
        return self.spec.target is None and (self.planned or self.target is None)

    @property
    def guesses_task(self) -> bool:
        """Whether a rule chose the task."""
        return self.spec.task is None and (self.planned or self.task is None)

    def wishes(self) -> Spec:
        """The spec with target and task put in."""
        known = {name: getattr(self.spec, name) for name in self.spec.__dataclass_fields__}
        return Spec(**{**known, "target": self.target or self.spec.target, "task": self.task or self.spec.task})


@dataclass(frozen=True)
class Rows:
    """Some rows of the data set, raw: as a caller of the model would send them.

    `columns` maps a name to an array of shape [N]: float32 (float64 where float32 would lose what the values differ by)
    with NaN for numbers, objects of type str (stripped, with "" for missing) for every other kind; a date is its text,
    a boolean is its word. `target` has shape [N]: float64 values
    for regression, int64 codes of `Dataset.classes` otherwise.
    """

    columns: dict[str, NDArray[Any]]
    target: NDArray[Any]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.target)

    def take(self, index: NDArray[np.int64]) -> Rows:
        """The rows at these positions."""
        return Rows({name: values[index] for name, values in self.columns.items()}, self.target[index])


@dataclass(frozen=True)
class Groups:
    """The groups that the rows of one column fall into."""

    labels: NDArray[Any]
    """The group of each hold-out row, str objects [N]."""
    order: tuple[str, ...] = ()
    """The labels from low to high, where they are numbers, bands of numbers or years; empty for other texts."""


@dataclass(frozen=True)
class Dataset:
    """A data set ready to learn from."""

    target: str
    task: Task
    label_type: LabelType
    classes: tuple[str, ...]
    """Empty for regression; numbers in their order, texts sorted. For binary the second is the positive."""
    columns: tuple[Column, ...]
    """In the order of the file."""
    ignored: tuple[str, ...]
    """The target and every column left out; the reasons stand in the profile."""
    masked: tuple[str, ...]
    """Columns, read or ignored, that look like personal data or that the spec calls sensitive."""
    train: Rows
    validation: Rows
    holdout: Rows
    counts: dict[str, int]
    """`read`, `duplicates`, `without_target`, `rare` (of classes left out), `gap` (rows in a gap of a split by time),
    `train`, `validation`, `holdout`."""
    profile: dict[str, Any]
    """`profile.json`, over the training rows alone."""
    rare: dict[str, int] = field(default_factory=dict)
    """Classes left out, to their rows; see `classes`."""
    groups: dict[str, Groups] = field(default_factory=dict)
    """Column of the spec's `groups` to the groups of the hold-out rows; see `grouping`."""
    split: str = "The hold-out is a fifth of the rows, chosen by their content."
    """How the rows were split, as a sentence."""
    split_by: str = "rows"
    """The same as `ModelCard.split` has it."""
    folds: NDArray[np.int64] | None = None
    """The fold of each row of `learning`, where the split decides it: of whole groups, or blocks of time."""
    units: NDArray[np.int64] | None = None
    """The group of each hold-out row, from 0, where rows were split by group."""
    personal: tuple[PersonalColumn, ...] = ()
    """What became of each column that looks like personal data; see `personalpolicy`."""

    @cached_property
    def learning(self) -> Rows:
        """All rows but the hold-out: what models are fitted on, each fold on its part."""
        columns = {name: np.concatenate([self.train.columns[name], self.validation.columns[name]])
                   for name in self.train.columns}  # fmt: skip
        return Rows(columns, np.concatenate([self.train.target, self.validation.target]))
