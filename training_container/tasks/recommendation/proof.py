"""The proof that the model file recommends as torch does: every hold-out row, every held-out user's list, strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.figures import figure
from dropforge.contract.parity import TOLERANCE, difference, scale_of
from dropforge.contract.tasks import ITEMS, PREDICTION, SCORES
from training_container.export.parity import Proof
from training_container.faults import ParityFault
from training_container.kinds import TRAINED
from training_container.tasks.recommendation.tables import list_requests

if TYPE_CHECKING:
    from dropforge.datasets.dataset import Rows
    from training_container.export.runtime import Runtime
    from training_container.tasks.recommendation.tables import Tables

Values = dict[str, np.ndarray]


def prove(tables: Tables, runtime: Runtime, holdout: Rows) -> Proof:
    """Compares the two on everything, in batches of 1, 7 and all.

    Raises:
        ParityFault: a rating over the tolerance, or another item in a list.
    """
    values = holdout.columns
    lists = list_requests(np.unique(values[tables.user.column].astype(str)), tables)
    probes = probe_rows(tables, values)
    cases = [values, lists, probes, head(values, 7), *(head(part, 1) for part in (values, lists)), *ones(probes)]
    scale = scale_of(tables.answer(values).ratings.tolist()) if len(holdout) else 1.0
    largest = max(compare(tables, runtime, case, scale) for case in cases if len(case[tables.user.column]))
    return Proof(sum(len(case[tables.user.column]) for case in cases), largest)


def compare(tables: Tables, runtime: Runtime, values: Values, scale: float) -> float:
    """Largest difference of ratings over these rows; lists must hold the same items, but for ranks that are equal."""
    expected, names = tables.answer(values), np.array(tables.item_names(), dtype=object)
    ratings, items, scores = runtime.run([PREDICTION, ITEMS, SCORES], values)
    pairs = zip([*expected.ratings, *expected.scores.ravel()], [*ratings[:, 0], *scores.ravel()], strict=True)
    same = names[expected.items] == items
    check_lists(tables, values, expected.ranks, same)
    apart = np.array([difference(float(one), float(other), scale) for one, other in pairs])
    alike = np.concatenate([same[:, 0], same.ravel()])
    largest = float(apart[alike].max(initial=0.0))
    if largest > TOLERANCE:
        place = int(np.flatnonzero(alike & (apart > TOLERANCE))[0])
        row = place if place < len(ratings) else (place - len(ratings)) // items.shape[1]
        raise ParityFault(
            f"{_said(tables, values, row)}: rating {figure(float(apart[place]), digits=2)} apart from torch's, over "
            f"{TOLERANCE}"
        )
    return largest


def check_lists(tables: Tables, values: Values, ranks: np.ndarray, same: np.ndarray) -> None:
    """Another item is right only where its neighbours in the list rank equal to within the tolerance."""
    for row, place in zip(*np.nonzero(~same), strict=True):
        near = np.delete(ranks[row], place)
        size = max(1.0, float(np.abs(ranks[row]).max()))
        last = place == ranks.shape[1] - 1
        if not last and np.abs(near - ranks[row, place]).min(initial=np.inf) > TOLERANCE * size:
            raise ParityFault(f"{_said(tables, values, int(row))}: another item at place {place + 1} than torch's")


def _said(tables: Tables, values: Values, row: int) -> str:
    return f"user {values[tables.user.column][row]!r}, item {values[tables.item.column][row]!r}"


def probe_rows(tables: Tables, values: Values) -> Values:
    """Known and strange ids in all combinations."""
    strange = [str(value) for value in TRAINED["category"].probes]
    users = [*strange, next(iter(values[tables.user.column]), "")]
    items = [*strange, next(iter(values[tables.item.column]), "")]
    both = [(user, item) for user in users for item in items]
    columns = (tables.user.column, tables.item.column)
    return {name: np.array(part, dtype=object) for name, part in zip(columns, zip(*both, strict=True), strict=True)}


def head(values: Values, count: int) -> Values:
    """The first rows."""
    return {name: column[:count] for name, column in values.items()}


def ones(values: Values) -> list[Values]:
    """Every row alone."""
    count = len(next(iter(values.values())))
    return [{name: column[row : row + 1] for name, column in values.items()} for row in range(count)]
