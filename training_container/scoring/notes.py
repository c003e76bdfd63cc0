"""What the scores cannot say, in sentences that a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.datasets.classes import named_classes, rare_sentence
from training_container.report.wording import number
from training_container.scoring.groups import FEWEST_GROUP_ROWS as GROUP_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.contract.results import Metrics
    from dropforge.contract.tasks import ByTask

FEW_ROWS = 200
"""Hold-out rows below which every score is said to be rough."""

FEW_GROUPS = 30
"""Groups in the hold-out below which every score is said to be rough, where rows were split by group."""

FEW_OF_CLASS = 20
"""Hold-out rows of a class below which its scores are said to be."""

MORE_ROWS = "Drop more rows (four times as many halve the interval), or add columns that have to do with the target."

MORE_BY_TASK: ByTask[str] = {
    "regression": MORE_ROWS,
    "binary": MORE_ROWS,
    "multiclass": MORE_ROWS,
    "recommendation": "Drop more ratings: of more users, and more of each (four times as many halve the interval).",
    "clustering": "Drop more rows (four times as many halve the interval), or leave out columns that all rows share.",
}
"""What to do where a score is no better than chance, by task."""


def notes(measured: Metrics, truth: np.ndarray, answers: np.ndarray, classes: Sequence[str]) -> tuple[str, ...]:
    """Everything worth saying, the weightiest first; nothing for a large and plain data set."""
    remarks = [_chance(measured), _few_rows(len(truth))]
    if classes:
        remarks += [_few_of_class(truth, classes), _no_error(truth, answers), _calibration(measured)]
    remarks += [note for grouped in measured.groups for note in _groups(grouped.column, measured)]
    return tuple(note for note in remarks if note)


def few_groups(groups: int) -> tuple[str, ...]:
    """That only so many groups are held out, if they are few."""
    if groups >= FEW_GROUPS:
        return ()
    return (
        f"Only {groups} groups are held out, and rows of one group are alike: every score is rough, however many rows "
        f"there are, and the intervals draw whole groups. About {FEW_GROUPS * 5} groups in all give a hold-out of "
        f"{FEW_GROUPS}.",
    )


def rare_classes(left_out: Mapping[str, int], *, are_named: bool) -> tuple[str, ...]:
    """That classes (name to rows) were left out, if some were; their names only where they may be told."""
    sentence = rare_sentence(left_out, are_named=are_named)
    return (sentence,) if sentence else ()


def _chance(measured: Metrics) -> str:
    gain = measured.gains.get(measured.metric)
    if gain is None:
        return (
            f"There is no {measured.metric} to compare with the trivial baseline: the hold-out rows hold one class "
            "alone. Drop more rows, of every class."
        )
    if gain.is_sure:
        return ""
    low, high = number(gain.interval.low), number(gain.interval.high)
    why = f"95 % interval {low} to {high}"
    if gain.interval.low <= 0:
        why += ", which includes 0"
    elif gain.by_chance is not None:
        why += f", and {gain.by_chance:.1%} of shuffles of its answers score as well"
    return (
        f"This data set is too small, or its columns say too little, to tell the model from the trivial baseline: on "
        f"{measured.rows['holdout']:,} hold-out rows its {measured.metric} is better by {number(gain.value)}, {why}. "
        f"{MORE_BY_TASK[measured.task]}"
    )


def _few_rows(rows: int) -> str:
    if rows >= FEW_ROWS:
        return ""
    return (
        f"Only {rows:,} hold-out rows: every score is rough, read its interval instead. About {FEW_ROWS * 5:,} rows in "
        f"all give a hold-out of {FEW_ROWS}."
    )


def _few_of_class(truth: np.ndarray, classes: Sequence[str]) -> str:
    counts = np.bincount(truth, minlength=len(classes))
    few = [code for code in np.argsort(counts, kind="stable").tolist() if counts[code] < FEW_OF_CLASS]
    if not few:
        return ""
    named = named_classes([(classes[code], int(counts[code])) for code in few])
    return (
        f"Few hold-out rows of {named}: how well such rows are answered is not known. Drop more of them "
        f"(about {FEW_OF_CLASS * 5} of a class in all), or merge rare classes."
    )


def _no_error(truth: np.ndarray, answers: np.ndarray) -> str:
    if not (answers.argmax(axis=1) == truth).all():
        return ""
    return (
        f"Not one of {len(truth):,} hold-out rows was answered wrong, so that the interval of the accuracy has no "
        f"width: up to {min(1.0, 3 / len(truth)):.1%} may still be wrong. Check that no column tells the target itself."
    )


def _calibration(measured: Metrics) -> str:
    curve = measured.calibration
    if curve is None or curve.calibrated is not False:
        return ""
    return (
        f"The probabilities are off by {number(curve.error)} on average, more than chance explains "
        f"({number(curve.by_chance)}): rank by them, but do not read 0.7 as 70 of 100."
    )


def _groups(column: str, measured: Metrics) -> list[str]:
    grouped = next(group for group in measured.groups if group.column == column)
    if not grouped.fairness:
        return [
            f"Groups of “{column}” cannot be compared: fewer than two have {GROUP_ROWS} hold-out rows. Drop more rows "
            "of each, or group by a column with fewer values."
        ]
    small = [group for group in grouped.groups if group.rows < GROUP_ROWS]
    return [
        f"Group “{group.name}” of “{column}” has {group.rows} hold-out rows: its scores are rough, and the comparison "
        "of groups leaves it out."
        for group in small
    ]
