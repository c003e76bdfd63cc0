"""The rows that an explanation compares with: much like those of training, and put together so that none is a person's.

Training rows are split into groups of like rows, by halves along the axis on which they differ most. A background row
takes the value of each column from a member of one group, drawn anew for every column (data swapping: Dalenius & Reiss
1982), so that what goes together stays together, and no row is copied but by chance. A number or a date is rounded to
one of at most `LEVELS` quantiles, each the middle of several rows; a text that the model does not know is left out for
one that it does not know either. Masked columns give no text at all, and numbers drawn without regard to the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from dropforge.contract.schema import Background
from training_container.encoding import encode_dates
from training_container.evidence import plain
from training_container.kinds import UNSEEN

if TYPE_CHECKING:
    from dropforge.contract.schema import Column, ModelCard
    from dropforge.datasets.dataset import Rows
    from training_container.encoding import Encoder

    Array = np.ndarray

ROWS = 64
"""Of the background."""

SAMPLE = 2048
"""Training rows that are looked at."""

FEWEST = 8
"""Rows of a group at least, and rows behind every level of a number."""

LEVELS = 64

TURNS = 12
"""Of the power iteration; what is halved need not be halved along the very best axis."""

COMMON = 12
"""Texts of a column that like rows are found by: its most frequent."""


def background(card: ModelCard, encoder: Encoder, rows: Rows) -> Background:
    """The background of a model, made of training rows; the same rows give the same."""
    chance = np.random.default_rng(0)
    seen = rows.take(np.sort(chance.choice(len(rows), min(SAMPLE, len(rows)), replace=False)))
    shown = {column.name: _shown(column, card, encoder, seen.columns[column.name]) for column in card.columns}
    groups = alike(_places(encoder, seen.columns), max(1, min(ROWS, len(seen) // FEWEST)))
    every = np.arange(len(seen))
    columns = {}
    for name, values in shown.items():
        among = [every if name in card.masked else groups[at % len(groups)] for at in range(ROWS)]
        columns[name] = tuple(plain(values[chance.choice(members)]) for members in among)
    return Background(columns)


def arrays(card: ModelCard, made: Background) -> dict[str, Array]:
    """The background as raw columns [N], as in `Rows`."""
    return {
        column.name: np.array([np.nan if each is None else each for each in made.columns[column.name]], column.element)
        if column.takes_numbers
        else np.array([each or "" for each in made.columns[column.name]], dtype=object)
        for column in card.columns
    }


def alike(places: Array, groups: int) -> list[Array]:
    """Positions of the rows of each group; rows are points [N, F], and groups are of nearly one size."""

    def halved(rows: Array, parts: int) -> list[Array]:
        if parts == 1:
            return [rows]
        centred = places[rows] - places[rows].mean(axis=0)
        along = rows[np.argsort(centred @ _axis(centred), kind="stable")]
        cut = len(along) * (parts // 2) // parts
        return [*halved(along[:cut], parts // 2), *halved(along[cut:], parts - parts // 2)]

    return halved(np.arange(len(places)), groups)


def _axis(points: Array) -> Array:
    """Nearly the direction in which the points [N, F] differ most, by power iteration."""
    axis: Array = points[(points**2).sum(axis=1).argmax()]
    for _ in range(TURNS):
        moved = points.T @ (points @ axis)
        length = np.linalg.norm(moved)
        if length == 0:
            break
        axis = moved / length
    return axis


def _shown(column: Column, card: ModelCard, encoder: Encoder, values: Array) -> Array:
    """What may stand in the file for each of the values."""
    if column.name in card.masked and not column.takes_numbers:
        return np.full(len(values), "", dtype=object)
    match column.kind:
        case "number":
            return levelled(values, values.astype(np.float64))
        case "date":
            return levelled(values, _moments(values))
        case "category" | "boolean":
            known = next(each.codes for each in encoder.vocabularies if each.column == column.name)
            return np.array([text if text in known else UNSEEN for text in values], dtype=object)
        case "image":
            raise ValueError(f"column {column.name!r}: expected a column of a table, got an image")
        case _:
            assert_never(column.kind)


def levelled(values: Array, order: Array) -> Array:
    """Each value replaced by the middle one of those near it in rank; missing ones (NaN in `order`) as they are."""
    known = np.flatnonzero(~np.isnan(order))
    if len(known) == 0:
        return values
    levels = max(1, min(LEVELS, len(known) // FEWEST))
    sorted_ = known[np.argsort(order[known], kind="stable")]
    middles = sorted_[((np.arange(levels) + 0.5) / levels * len(known)).astype(int)]
    below, upto = (np.searchsorted(order[sorted_], order[known], side) for side in ("left", "right"))
    made = values.copy()
    made[known] = values[middles[(below + upto) * levels // (2 * len(known))]]
    return made


def _places(encoder: Encoder, values: dict[str, Array]) -> Array:
    """Rows as points [N, F], near where rows are alike: ranks of numbers and dates, and which usual text it is."""
    made = [_ranks(values[name].astype(np.float64)) for name in encoder.names("numbers")]
    made += [_ranks(_moments(values[name])) for name in encoder.names("dates")]
    for vocabulary in encoder.vocabularies:
        codes = vocabulary.encode(values[vocabulary.column])
        usual = np.argsort(-np.bincount(codes, minlength=vocabulary.size), kind="stable")[:COMMON]
        made += [(codes == code).astype(np.float64) for code in usual]
    return np.stack(made, axis=1)


def _ranks(order: Array) -> Array:
    """Ranks with a standard deviation of 1, missing values in the middle."""
    known = np.sort(order[~np.isnan(order)])
    share = np.searchsorted(known, order) / max(1, len(known))
    spread = np.where(np.isnan(order), 0.5, share)
    return np.asarray((spread - spread.mean()) / (spread.std() or 1.0))


def _moments(texts: Array) -> Array:
    """Dates as numbers in their order, NaN for what is none."""
    parts = encode_dates(texts).astype(np.float64)
    seconds = parts[:, :6] @ np.array([13 * 32 * 86_400, 32 * 86_400, 86_400, 3600, 60, 1], dtype=np.float64)
    return np.where(parts[:, 6] == 1, seconds, np.nan)
