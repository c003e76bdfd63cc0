"""The target as codes, without the classes that have too few rows to be learned and scored.

A class of fewer than `MIN_CLASS_ROWS` rows may be missing from a part of the split. Its rows are left out and counted,
and the report names it. Where that would leave fewer than two classes, or where more than `RARE_SHARE` of the rows
would go, the data set is refused instead: the classes are then more likely names, or the data only a beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dropforge.contract.tasks import TASKS
from dropforge.datasets.choosing import MIN_CLASS_ROWS
from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dropforge.contract.schema import LabelType
    from dropforge.contract.tasks import Task
    from dropforge.datasets.choosing import Labels

RARE_SHARE = 0.05
"""Most rows, of all, that are left out for being of rare classes."""

MOST_NAMED = 5
"""Classes that a sentence names."""


@dataclass(frozen=True)
class Encoded:
    """The target's rows as numbers."""

    classes: tuple[str, ...]
    """Empty for regression."""
    codes: NDArray[Any]
    """int64 positions in `classes`, or float64 values; shape [rows kept]."""
    kept: NDArray[np.bool_]
    """Which of the rows given are kept; shape [rows]."""
    rare: dict[str, int]
    """Classes left out, to their rows."""

    def task(self, before: Task) -> Task:
        """What is left to learn: of two classes, which one."""
        return "binary" if len(self.classes) == 2 else before


def encode(labels: Labels, kind: LabelType, task: Task, target: str) -> Encoded:
    """Classes and codes of `labels`, which hold no null.

    Raises:
        DataFault: leaving the rare classes out would leave too little.
    """
    if TASKS[task].classes == "none":
        values = labels.values.cast(pl.Float64).to_numpy()
        return Encoded((), values, np.ones(len(values), np.bool_), {})
    distinct = labels.values.unique().sort()
    names = [_class_name(value, kind) for value in distinct]
    classes = tuple(sorted(set(names)) if kind == "boolean" else names)
    places = pl.Series([classes.index(name) for name in names], dtype=pl.Int64)
    codes = labels.values.replace_strict(distinct, places, return_dtype=pl.Int64).to_numpy()
    rows = np.bincount(codes, minlength=len(classes))
    common = rows >= MIN_CLASS_ROWS
    _check(classes, rows, common, target)
    kept = common[codes]
    return Encoded(
        tuple(classes[code] for code in np.flatnonzero(common)),
        (np.cumsum(common) - 1)[codes[kept]],
        kept,
        {classes[code]: int(rows[code]) for code in np.flatnonzero(~common)},
    )


def rare_sentence(left_out: Mapping[str, int], *, are_named: bool) -> str:
    """That classes (name to rows) were left out, empty if none was; their names only where they may be told."""
    if not left_out:
        return ""
    ordered = sorted(left_out.items(), key=lambda pair: (-pair[1], pair[0]))
    named = named_classes(ordered) if are_named else f"{len(ordered):,} classes"
    rows = sum(left_out.values())
    return (
        f"{rows:,} row{'s' if rows > 1 else ''} of {named} left out: fewer than {MIN_CLASS_ROWS} rows of a class "
        "can be neither learned nor scored, so the model never answers it. Drop more of them, or merge rare classes."
    )


def named_classes(classes: Sequence[tuple[str, int]]) -> str:
    """The first of these classes, each with its rows."""
    more = f" and {len(classes) - MOST_NAMED:,} more" if len(classes) > MOST_NAMED else ""
    return ", ".join(f"“{name}” ({rows})" for name, rows in classes[:MOST_NAMED]) + more


def _check(classes: tuple[str, ...], rows: NDArray[np.int64], common: NDArray[np.bool_], target: str) -> None:
    left_out = int(rows[~common].sum())
    if common.sum() >= 2 and left_out <= RARE_SHARE * rows.sum():
        return
    least = int(rows.argmin())
    raise DataFault(
        f"needs at least {MIN_CLASS_ROWS} rows of every class in {target!r}, got {rows[least]} of {classes[least]!r}; "
        f"too much to leave out: {left_out:,} of {rows.sum():,} rows stand in {len(classes) - common.sum()} of "
        f"{len(classes)} classes that have fewer. Drop more of them, or merge classes"
    )


def _class_name(value: Any, kind: LabelType) -> str:
    if kind == "integer":
        return str(int(value))
    return str(value).lower() if kind == "boolean" else str(value)
