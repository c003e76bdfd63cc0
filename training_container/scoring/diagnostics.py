"""Diagnostics of a chosen model: groups, calibration, importances and notes beside its scores.

    metrics = add_diagnostics(metrics, dataset, answers=answers, answer=native.answer, seed=0)

It reads the hold-out rows and the model's answers, and changes neither the model nor a score.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from training_container.scoring.calibration import calibration
from training_container.scoring.groups import score_groups
from training_container.scoring.importance import importances
from training_container.scoring.notes import few_groups, notes, rare_classes

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from dropforge.datasets.dataset import Dataset
    from training_container.scoring.importance import Answer


def add_diagnostics(measured: Metrics, dataset: Dataset, *, answers: np.ndarray, answer: Answer, seed: int) -> Metrics:
    """`measured` with groups, calibration, importances and notes.

    Args:
        measured: the scores of `answers` on the hold-out beside the baseline's.
        dataset: whose hold-out was answered.
        answers: of the model on the hold-out, values [N] or probabilities [N, classes].
        answer: the model, from raw columns to answers.
        seed: of resamples and shuffles.
    """
    task, holdout = dataset.task, dataset.holdout
    truth, predicted = holdout.target, answers.astype(np.float64)
    read = {column.name: holdout.columns[column.name] for column in dataset.columns}
    complete = replace(
        measured,
        groups=tuple(
            score_groups(task, truth, predicted, name, groups, masked=name in dataset.masked, seed=seed)
            for name, groups in dataset.groups.items()
        ),
        calibration=calibration(truth, predicted, seed) if dataset.classes else None,
        importances=importances(task, measured.metric, read, truth, answer, seed),
    )
    rare = rare_classes(dataset.rare, are_named=dataset.target not in dataset.masked)
    few = () if dataset.units is None else few_groups(int(dataset.units.max()) + 1)
    return replace(complete, notes=(*few, *notes(complete, truth, predicted, _shown(dataset)), *rare))


def _shown(dataset: Dataset) -> tuple[str, ...]:
    """The classes as notes name them: numbered where the target is masked."""
    if dataset.target not in dataset.masked:
        return dataset.classes
    return tuple(f"class {number}" for number in range(1, len(dataset.classes) + 1))
