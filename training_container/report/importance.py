"""Permutation importance: how much the score falls when one column's values are shuffled among training rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from training_container import metrics
from training_container.models.body import predict

if TYPE_CHECKING:
    from training_container.encoding import Table
    from training_container.selection import Study

ROWS = 3000
REPEATS = 3
COLUMNS = 200
"""Columns that are measured at most, in the order of the file: each costs `REPEATS` predictions of `ROWS` rows."""


def importances(done: Study) -> list[tuple[str, float]]:
    """(column, fall of the deciding metric), largest first; about 0 for a column that the model does not use."""
    problem, device = done.problem, torch.device("cpu")
    table = problem.rows.to(device).take(slice(0, ROWS))
    truth = problem.target[:ROWS]
    generator = torch.Generator().manual_seed(problem.seed)
    sign = 1.0 if problem.direction == "higher" else -1.0

    def quality(rows: Table) -> float:
        return sign * metrics.scores(problem.task, truth, predict(done.body, rows))[problem.metric]

    whole, found = quality(table), []
    for name, group, at in _places(done)[:COLUMNS]:
        orders = [torch.randperm(len(table), generator=generator) for _ in range(REPEATS)]
        fall = sum(whole - quality(_shuffled(table, group, at, order)) for order in orders) / REPEATS
        found.append((name, fall))
    return sorted(found, key=lambda each: -each[1])


def _places(done: Study) -> list[tuple[str, str, int]]:
    """Every column with the table that it lies in and its place there."""
    encoder = done.encoder
    coded = [each.column for each in encoder.vocabularies]
    tables = (("numbers", encoder.names("number")), ("codes", coded), ("dates", encoder.names("date")))
    return [(name, group, at) for group, names in tables for at, name in enumerate(names)]


def _shuffled(table: Table, group: str, at: int, order: torch.Tensor) -> Table:
    values = getattr(table, group).clone()
    values[:, at] = values[order, at]
    return replace(table, **{group: values})
