"""Columns that are left out as ids or texts though they say something of the target.

Whether they do is measured as for leakage suspects (`suspects.score_alone`): training rows fill the column's bins,
validation rows score them. A text that every row has for itself is not scored, for nothing can be learned from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dropforge.datasets.dataset import Rows
from dropforge.datasets.suspects import SCORED_ROWS, TRAIN_ROWS, score_alone
from dropforge.datasets.typed import typed_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dropforge.datasets.columns import Described
    from dropforge.datasets.splitting import Parts
    from dropforge.datasets.table import Table

LEAST_AUC, LEAST_R2 = 0.6, 0.1
"""Scores from which a column would have mattered."""

SURELY = 4.0
"""Standard errors by which a score must differ from that of a column of noise: many columns are looked at."""

MOST_SCORED = 20
"""Left-out columns that are scored; data sets with more have the first ones scored."""


@dataclass(frozen=True)
class Alone:
    """What a left-out column reaches without any other."""

    measure: str
    """`AUC` or `R²`."""
    score: float


def lost_columns(
    table: Table, described: Mapping[str, Described], parts: Parts, rows: Mapping[str, Rows], classes: int
) -> dict[str, Alone]:
    """The left-out ids and texts that would have mattered, the best first; `classes` is 0 for regression."""
    places = {"train": parts["train"][:TRAIN_ROWS], "validation": parts["validation"][:SCORED_ROWS]}
    truth = rows["validation"].target[:SCORED_ROWS]
    found = {}
    for column in [column for column in described.values() if _may_matter(table, column)][:MOST_SCORED]:
        series = table[column.name]
        train, validation = (
            Rows({column.name: typed_column(series.gather(place), column)}, rows[part].target[: len(place)])
            for part, place in places.items()
        )
        score = score_alone(train, validation, column, classes)
        if score is not None and score >= _least(truth, classes):
            found[column.name] = Alone("AUC" if classes else "R²", score)
    return dict(sorted(found.items(), key=lambda pair: -pair[1].score))


def _may_matter(table: Table, column: Described) -> bool:
    """Whether a column was left out by a rule that may err, and is none of texts that no two rows share."""
    if column.left_out is None or column.left_out.why not in ("id", "text"):
        return False
    facts = table.facts(column.name)
    return column.kind == "number" or not facts.all_differ


def _least(truth: NDArray[np.generic], classes: int) -> float:
    """The score that a column of noise hardly reaches on these rows, and that is worth a word."""
    if not classes:
        return max(LEAST_R2, SURELY**2 / len(truth))
    positive = int(np.bincount(truth.astype(np.int64), minlength=2)[1:].max())
    others = len(truth) - positive
    return max(LEAST_AUC, 0.5 + SURELY * float(np.sqrt((len(truth) + 1) / (12 * max(1, positive * others)))))
