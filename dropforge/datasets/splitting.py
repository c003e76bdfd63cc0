"""Which row goes where: by its content alone, so that order, machine and rows added later change nothing.

About 64 % of the rows are for training, 16 % for validation, 20 % are held out. Rows of a class with fewer than
`RARE` rows are dealt by the rank of their hash instead, so that each class of five rows or more stands in every part;
only there can a row added later move another. Splits by group and by time stand in `splitgroups` and `splittimes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dropforge.datasets.faults import DataFault
from dropforge.datasets.hashing import Hashes, unit

HOLDOUT = 0.20
VALIDATION = 0.16
RARE = 50

FOLDS = 5
"""Of the rows that are learned from, where the split says how they are dealt into folds."""

Parts = dict[str, NDArray[np.int64]]

HELD, VALIDATES, TRAIN, LEFT_OUT = range(4)
"""The part of a row by number; the last is of rows that lie in a gap between two parts."""


@dataclass(frozen=True)
class Assigned:
    """Where a split by group or by time puts every row."""

    labels: NDArray[np.int64]
    """[N], of `HELD`, `VALIDATES`, `TRAIN` and `LEFT_OUT`."""
    folds: NDArray[np.int64]
    """[N]: the fold of a row of the training and the validation part; of other rows it means nothing."""
    groups: NDArray[np.int64] | None = None
    """[N]: the group of each row, where rows are split by group."""
    start: float | None = None
    """The first time that is held out, where rows are split by time."""

    def parts(self, hashes: Hashes) -> Parts:
        """Positions of the rows of each part, in the order of the hashes."""
        order = np.argsort(hashes, kind="stable")
        names = {"holdout": HELD, "validation": VALIDATES, "train": TRAIN}
        return {name: order[self.labels[order] == part] for name, part in names.items()}


def copies(hashes: Hashes) -> NDArray[np.int64]:
    """How many equal rows stand before each row, [N]: 0 for the first of its kind."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    found = np.empty(len(hashes), np.int64)
    found[order] = np.arange(len(hashes)) - np.repeat(starts, sizes)
    return found


def split(hashes: Hashes, codes: NDArray[np.int64] | None = None) -> Parts:
    """Positions of the rows of `train`, `validation` and `holdout`, in the order of the hashes.

    `codes` are the classes of a classification, [N]. Rows of equal hashes lie in one part.
    """
    places = unit(hashes)
    if codes is not None:
        for code in np.flatnonzero(np.bincount(codes) < RARE):
            rows = np.flatnonzero(codes == code)
            different, ranks = np.unique(hashes[rows], return_inverse=True)
            places[rows] = (ranks + 0.5) / max(len(different), 1)
    parts = np.digitize(places, [HOLDOUT, HOLDOUT + VALIDATION])
    order = np.argsort(hashes, kind="stable")
    names = {"holdout": 0, "validation": 1, "train": 2}
    return {name: order[parts[order] == part] for name, part in names.items()}


LEARN_WORDS, HELD_WORDS = ("train", "training", "learn"), ("test", "holdout", "hold-out")
"""What a column that deals the rows may say, in any case."""


def split_as_told(told: pl.Series, hashes: Hashes) -> Parts:
    """As `split`, but held out is what the column `told` says; the other rows are dealt by content.

    Raises:
        DataFault: a value is neither, or no row is held out, or none is left to learn from.
    """
    words = told.cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
    other = words.filter(~words.is_in([*LEARN_WORDS, *HELD_WORDS]))
    if len(other):
        raise DataFault(f"column {told.name!r} deals the rows and holds {other[0]!r}; expected 'train' or 'test'")
    held = words.is_in(HELD_WORDS).to_numpy()
    if held.all() or not held.any():
        raise DataFault(
            f"column {told.name!r} holds out {int(held.sum())} of {len(held)} rows; expected some and not all: "
            "write 'test' into some rows, or take 'split' out of spec.yaml"
        )
    order = np.argsort(hashes, kind="stable")
    validates = unit(hashes) < VALIDATION / (1 - HOLDOUT)
    parts = {"holdout": held, "validation": ~held & validates, "train": ~held & ~validates}
    return {name: order[mask[order]] for name, mask in parts.items()}
