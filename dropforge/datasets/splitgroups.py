"""A split by a column whose values are patients, customers or machines: all rows of one of them lie in one part.

Which part a group lies in follows from the hash of its value, so that it stays there when rows are added: a live model
has not learned from the groups that a later version is scored by. Where there are fewer than `MANY` groups (of a class,
in a classification), chance would make the parts too large or too small: they are filled in the order of the hashes
instead, and only groups at the edge of a part may move when others are added.

A row without a value is a group by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.spec import SpecFault
from dropforge.datasets.hashing import NO_VALUE, cell_hashes, unit
from dropforge.datasets.splitting import FOLDS, HOLDOUT, TRAIN, VALIDATION, Assigned

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from dropforge.datasets.hashing import Hashes

    Codes = NDArray[np.int64]

FEWEST_GROUPS = 10
"""Groups below which no hold-out of whole groups says anything: two of them would be held out."""

MANY = 200
"""Groups of which a fifth by hash is a fifth, within three hundredths."""


@dataclass(frozen=True)
class Grouped:
    """The rows by group."""

    codes: Codes
    """The group of each row, [N]."""
    hashes: Hashes
    """Of each group's value, [groups]."""

    @property
    def sizes(self) -> Codes:
        """The rows of each group."""
        return np.bincount(self.codes, minlength=len(self.hashes))


def grouped(series: pl.Series, rows: Hashes) -> Grouped:
    """The groups of a column; `rows` are the hashes of whole rows, which stand for missing values."""
    values = cell_hashes(series)
    values = np.where(values == NO_VALUE, rows, values)
    distinct, codes = np.unique(values, return_inverse=True)
    return Grouped(codes.astype(np.int64), distinct)


def assign_groups(groups: Grouped, classes: Codes | None, name: str) -> Assigned:
    """The part and the fold of every row; `classes` are class codes [N], so that each part has its share of them.

    Raises:
        SpecFault: there are too few groups, or one has most of the rows.
    """
    if len(groups.hashes) < FEWEST_GROUPS:
        raise SpecFault(
            f"split: {{group: {name}}}: {len(groups.hashes)} different values in {name!r}; expected at least "
            f"{FEWEST_GROUPS}, of which two are held out: drop more rows, or split otherwise"
        )
    strata = _strata(groups, classes)
    parts = _parts(groups, strata)
    if not {0, 1, 2} <= set(parts.tolist()):
        parts = _parts(groups, np.zeros_like(strata))
    if not {0, 1, 2} <= set(parts.tolist()):
        most = int(groups.sizes.max())
        raise SpecFault(
            f"split: {{group: {name}}}: one value of {name!r} has {most:,} of {len(groups.codes):,} rows, so that no "
            "fifth of the rows can be held out; expected smaller groups: split otherwise"
        )
    return Assigned(parts[groups.codes], _folds(groups, strata, parts)[groups.codes], groups.codes)


def _strata(groups: Grouped, classes: Codes | None) -> Codes:
    """The rarest class that each group holds, so that each part gets its share of it; zeros without classes."""
    if classes is None:
        return np.zeros(len(groups.hashes), np.int64)
    ranks = np.argsort(np.argsort(np.bincount(classes), kind="stable"), kind="stable")
    rarest = np.full(len(groups.hashes), len(ranks))
    np.minimum.at(rarest, groups.codes, ranks[classes])
    return rarest


def _parts(groups: Grouped, strata: Codes) -> Codes:
    """The part of each group."""
    parts, sizes = np.empty(len(strata), np.int64), groups.sizes
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata == stratum)  # in the order of their hashes, as `np.unique` gave them
        if len(own) >= MANY:
            parts[own] = np.digitize(unit(groups.hashes[own]), [HOLDOUT, HOLDOUT + VALIDATION])
        else:
            parts[own] = _filled(sizes[own])
    return parts


def _filled(sizes: Codes) -> Codes:
    """The part of groups of these sizes: each part takes, in order, what brings it nearer to its share."""
    parts = np.full(len(sizes), TRAIN)
    for part, share in enumerate((HOLDOUT, VALIDATION)):
        left = share * float(sizes.sum())
        for place, size in enumerate(sizes.tolist()):
            if parts[place] == TRAIN and size < 2 * left:
                parts[place] = part
                left -= size
    return parts


def _folds(groups: Grouped, strata: Codes, parts: Codes) -> Codes:
    """The fold of each group: the largest first, each to the fold that has least of its class, then least of all."""
    sizes, loads = groups.sizes, np.zeros(FOLDS)
    learned = np.flatnonzero(parts > 0)
    folds = np.zeros(len(parts), np.int64)
    for stratum in np.unique(strata[learned]):
        own = learned[strata[learned] == stratum]
        of_class = np.zeros(FOLDS)
        for group in own[np.argsort(-sizes[own], kind="stable")].tolist():
            fold = int(np.lexsort((loads, of_class))[0])
            folds[group] = fold
            of_class[fold] += sizes[group]
            loads[fold] += sizes[group]
    return folds
