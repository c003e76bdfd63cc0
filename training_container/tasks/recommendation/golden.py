"""The golden rows of a recommender: ratings, lists, unknown users and items, and rows of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from training_container import evidence
from training_container.tasks.recommendation.tables import list_requests

if TYPE_CHECKING:
    from dropforge.datasets.dataset import Rows
    from training_container.tasks.recommendation.tables import Answers, Tables

GOLDEN_ROWS, GOLDEN_LISTS = 48, 24
CLEAR_RANK_GAP = 1e-4
"""Ranks of a golden list are at least this far apart, so that rounding cannot change its order."""


def golden_rows(tables: Tables, rows: Rows) -> list[dict[str, Any]]:
    """Rows with torch's answers: ratings, lists, strangers and rows of nothing."""
    values = {name: column[_spread(len(rows), GOLDEN_ROWS)] for name, column in rows.columns.items()}
    users = np.unique(rows.columns[tables.user.column].astype(str))
    lists = list_requests([*users[_spread(len(users), GOLDEN_LISTS)], evidence.UNSEEN, ""], tables)
    known = values[tables.user.column][0], values[tables.item.column][0]
    pairs = [(known[0], evidence.UNSEEN), (evidence.UNSEEN, known[1]), ("", known[1]), (evidence.UNSEEN,) * 2]
    whole = {
        column: np.array([*values[column], *lists[column], *(pair[place] for pair in pairs)], dtype=object)
        for place, column in enumerate((tables.user.column, tables.item.column))
    }
    answers = tables.answer(whole)
    clear = _clear(tables, whole)
    return [_golden(tables, whole, answers, place) for place in range(len(answers.ratings)) if clear[place]]


def _spread(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def _clear(tables: Tables, values: dict[str, np.ndarray]) -> np.ndarray:
    """Whether a row's list has an order beyond rounding, the first item that is not shown counted in."""
    _, ranks = tables.lists(tables.encoder.encode(values).codes[:, 0], more=1)
    apart = (ranks[:, :-1] - ranks[:, 1:]).amin(1) if ranks.shape[1] > 1 else torch.ones(len(ranks))
    wants_list = torch.from_numpy(values[tables.item.column] == "")
    return (~wants_list | (apart > CLEAR_RANK_GAP)).numpy()


def _golden(tables: Tables, values: dict[str, np.ndarray], answers: Answers, place: int) -> dict[str, Any]:
    row = {name: evidence.plain(column[place]) for name, column in values.items()}
    golden: dict[str, Any] = {"row": row, "prediction": float(answers.ratings[place]), "probabilities": None}
    if row[tables.item.column] is not None:
        return {**golden, "recommendations": None}
    names = tables.item_names()
    pairs = zip(answers.items[place].tolist(), answers.scores[place].tolist(), strict=True)
    return {**golden, "recommendations": [{"item": names[code], "score": s} for code, s in pairs if names[code]]}
