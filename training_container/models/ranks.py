"""Categories as trees read them: their codes ordered by the mean target of the rows that a fold learns from.

One split can then part the categories that pay from those that do not (Fisher, "On Grouping for Maximum Homogeneity",
1958; the usual trick of tree libraries). For several classes the order is by the most likely class, then by its share.

Where a category has few rows, its mean is to a large part each row's own target, which trees then trust too much. Such
a column is cross-fitted, as target encodings are: the rows that learn read the rank that their category would have
without them, in `PARTS` parts.
"""

from __future__ import annotations

import numpy as np

SMOOTHING = 10.0
"""Rows of the overall mean that a category's mean is mixed with, so that rare ones stand in the middle."""

FEW = 20
"""Rows of a mean category up to which a column is looked at."""

HONEST = 0.75
"""Share of the correlation with their own targets that the ranks must keep when they are made without these."""

PARTS = 5


def means(codes: np.ndarray, wanted: np.ndarray, size: int) -> np.ndarray:
    """Of codes [N] and targets [N, outputs] the mean target of each code, [size, outputs]."""
    counts = np.bincount(codes, minlength=size)[:, None]
    sums = np.stack([np.bincount(codes, column, minlength=size) for column in wanted.T], axis=1)
    code_means: np.ndarray = (sums + SMOOTHING * wanted.mean(axis=0)) / (counts + SMOOTHING)
    return code_means


def order(codes: np.ndarray, wanted: np.ndarray, size: int) -> np.ndarray:
    """Rank of each code, float32 [size]."""
    code_means = means(codes, wanted, size)
    likely = code_means.argmax(axis=1) if code_means.shape[1] > 1 else np.zeros(size)
    ranks: np.ndarray = np.argsort(np.lexsort((code_means.max(axis=1), likely))).astype(np.float32)
    return ranks


def without_own(codes: np.ndarray, wanted: np.ndarray, size: int) -> np.ndarray | None:
    """Rank of each row's code made without the row, float32 [N]; None where the plain ranks may stay.

    They may where categories have many rows, where most of what they tell is no row's own target, and for several
    classes, whose ranks have no measure.
    """
    if wanted.shape[1] > 1 or len(codes) > FEW * size:
        return None
    whole = means(codes, wanted, size)[:, 0]
    part = np.random.default_rng(0).permutation(len(codes)) % PARTS
    own = np.empty(len(codes))
    for number in range(PARTS):
        own[part == number] = means(codes[part != number], wanted[part != number], size)[codes[part == number], 0]
    if _told(own, wanted[:, 0]) >= HONEST * _told(whole[codes], wanted[:, 0]):
        return None
    return np.searchsorted(np.sort(whole), own).astype(np.float32)


def _told(values: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.corrcoef(values, wanted)[0, 1]) if values.std() and wanted.std() else 0.0
