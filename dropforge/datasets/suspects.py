"""Columns that tell the target almost by themselves: often they hold what is known only after it.

Two rules; a column that meets one is reported, never dropped (`drop:` in spec.yaml does that, `trusted:` acquits it):

1. alone it predicts the target almost perfectly: its bins (numbers and dates by quantiles, texts as they are) are
   filled with training rows and scored on validation rows, which filled none. Classes: AUC of at least `AUC`, for
   several classes the mean over each against the rest. Numbers: R² of at least `R2`, of the bins, of a straight line
   or of the ranks, whichever is best;
2. its name holds the target's name, word for word (`churn_reason` beside `churn`).

Fewer than `FEWEST` validation rows prove nothing: then names alone speak, and the score is null.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
import polars as pl

from dropforge.datasets.dates import parse_dates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dropforge.datasets.columns import Described
    from dropforge.datasets.dataset import Rows

AUC, R2 = 0.995, 0.99
FEWEST = 50
"""Validation rows, and a fifth of it of a class, to say anything."""

TRAIN_ROWS, SCORED_ROWS = 200_000, 50_000
"""Rows that are looked at: parts are in the order of hashes, so that the first ones are any ones."""

BINS, BIN_ROWS = 1000, 10
CLASSES = 20
"""Classes that are scored, the most frequent first."""


def find_suspects(
    train: Rows, validation: Rows, described: Mapping[str, Described], target: str, classes: int
) -> list[dict[str, Any]]:
    """`{"column", "why", "score"}` of every suspect, the highest score first; `classes` is 0 for regression."""
    suspects = []
    for name, column in described.items():
        if column.dropped:
            continue
        score = score_alone(train, validation, column, classes)
        measure, least = ("AUC", AUC) if classes else ("R²", R2)
        why = []
        if score is not None and score >= least:
            why.append(f"alone it predicts {target!r} almost perfectly: {measure} {score:.4f} on rows not fitted to")
        if named_like(name, target):
            why.append(f"it is named like the target {target!r}")
        if why:
            rounded = None if score is None else round(score, 6)
            suspects.append({"column": name, "why": "; ".join(why), "score": rounded})
    return sorted(suspects, key=lambda suspect: -(suspect["score"] or 0.0))


def score_alone(train: Rows, validation: Rows, column: Described, classes: int) -> float | None:
    """AUC or R² on validation rows of what training rows say of this column; None where the rows are too few."""
    known, truth = train.target[:TRAIN_ROWS], validation.target[:SCORED_ROWS]
    if len(truth) < FEWEST:
        return None
    values = _values(train.columns[column.name][:TRAIN_ROWS], column)
    held = _values(validation.columns[column.name][:SCORED_ROWS], column)
    bins, places, size = _bins(values, held)
    if classes:
        return _score_classes(bins, known, places, truth, size, classes)
    answers = _means(bins, known, size)[places]
    scores = [_r2(truth, answers, known.mean())]
    if values.dtype.kind == "f":
        scores += [_r2_of_line(values, known, held, truth), _r2_of_ranks(held, truth)]
    return max(0.0, *scores)


def named_like(name: str, target: str) -> bool:
    """Whether the words of the target's name stand in the name, in a row; one or two letters say nothing."""
    words, wanted = _words(name), _words(target)
    starts = range(len(words) - len(wanted) + 1)
    return len("".join(wanted)) > 2 and any(words[start : start + len(wanted)] == wanted for start in starts)


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)) if word]


def _values(values: NDArray[Any], column: Described) -> NDArray[Any]:
    """Float64 with NaN for numbers and dates, texts otherwise."""
    match column.kind:
        case "number":
            return values.astype(np.float64)
        case "date":
            days = parse_dates(pl.Series(column.name, values, dtype=pl.String))
            return np.asarray(days.fill_null(np.nan).to_numpy())
        case "category" | "boolean":
            return values
        case _:
            assert_never(column.kind)


def _bins(values: NDArray[Any], held: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Bin of each training and each held value, and how many there are; the last is for texts never seen."""
    if values.dtype.kind == "f":
        inner = np.linspace(0, 1, min(BINS, max(2, len(values) // BIN_ROWS)) + 1)[1:-1]
        present = values[~np.isnan(values)]
        edges = np.unique(np.quantile(present, inner)) if len(present) else np.zeros(0)
        size = len(edges) + 2  # NaN sorts behind every edge; it gets the last bin of its own
        every = [np.where(np.isnan(part), size - 1, np.searchsorted(edges, part)) for part in (values, held)]
        return every[0], every[1], size
    codes = {text: place for place, text in enumerate(dict.fromkeys(values))}
    size = len(codes) + 1
    bins, places = (np.fromiter((codes.get(text, size - 1) for text in part), np.int64, len(part))
                    for part in (values, held))  # fmt: skip
    return bins, places, size


def _means(bins: NDArray[np.int64], target: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Mean target of each bin, drawn to the whole mean as one more row would."""
    total, count = np.bincount(bins, target, size), np.bincount(bins, minlength=size)
    return np.asarray((total + target.mean()) / (count + 1))


def _score_classes(bins: NDArray[np.int64], known: NDArray[Any], places: NDArray[np.int64], truth: NDArray[Any],
                   size: int, classes: int) -> float | None:  # fmt: skip
    rows = np.bincount(truth, minlength=classes)
    chosen = [1] if classes == 2 else np.argsort(-rows, kind="stable")[:CLASSES]
    scores = []
    for code in chosen:
        positive = truth == code
        if min(positive.sum(), (~positive).sum()) >= FEWEST // 5:
            answers = _means(bins, (known == code).astype(np.float64), size)[places]
            scores.append(_auc(positive, answers))
    return float(np.mean(scores)) if scores else None


def _auc(positive: NDArray[np.bool_], answers: NDArray[np.float64]) -> float:
    ranks = _ranks(answers)
    n = int(positive.sum())
    return float((ranks[positive].sum() - n * (n - 1) / 2) / (n * (len(ranks) - n)))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places from 0 in the order of the values, equal ones sharing the middle of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts + 1) / 2)[place])


def _r2(truth: NDArray[np.float64], answers: NDArray[np.float64], mean: float) -> float:
    spread = float(((truth - mean) ** 2).sum())
    return 1 - float(((truth - answers) ** 2).sum()) / spread if spread > 0 else 0.0


def _r2_of_line(values: NDArray[np.float64], known: NDArray[np.float64], held: NDArray[np.float64],
                truth: NDArray[np.float64]) -> float:  # fmt: skip
    here = ~np.isnan(values)
    middle, mean = (values[here].mean(), known[here].mean()) if here.any() else (0.0, known.mean())
    spread = float(((values[here] - middle) ** 2).sum())
    if not 0 < spread < np.inf:
        return 0.0
    slope = float(((values[here] - middle) * (known[here] - mean)).sum()) / spread
    return _r2(truth, np.where(np.isnan(held), mean, mean + slope * (held - middle)), known.mean())


def _r2_of_ranks(held: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Square of Spearman's correlation, where (nearly) every row has a value."""
    here = ~np.isnan(held)
    if here.mean() < AUC:
        return 0.0
    one, two = _ranks(held[here]), _ranks(truth[here])
    return float(np.corrcoef(one, two)[0, 1] ** 2) if one.std() > 0 and two.std() > 0 else 0.0
