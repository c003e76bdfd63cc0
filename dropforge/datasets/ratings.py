"""Tables of ratings (`user,item,rating[,time]`): found by their columns' names, and made ready to learn from.

A table is one of ratings when `task: recommendation` stands in the spec, or when all its columns are called like these
(`ROLES`; names compared in lower case, letters and digits alone) and a user, an item and a rating are among them. With
the task in the spec, other columns may stand beside and are left out; where no name tells, the user is the first and
the item the second of the columns that are neither rating nor time. The rating is a number; `target` names it
otherwise.

The hold-out is the latest 20 % of every user's ratings where there is a time, the 16 % before are for validation: what
is scored is the future, as when the model serves. Users with fewer than five ratings are learned from alone. Without a
time, rows go by their content's hash. The hold-out holds at most `MOST_HELD` rows, of whole users, so that lists of
recommendations can be scored on the very rows that are kept. Of several ratings of a user for an item the latest
counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from dropforge.contract.figures import figure
from dropforge.contract.schema import Column
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets import leftout
from dropforge.datasets.choosing import MIN_ROWS, check_wishes, label_type, read_labels
from dropforge.datasets.columns import Described
from dropforge.datasets.dataset import Dataset, Options, Rows
from dropforge.datasets.dates import canonical_dates, date_rule_of, parse_dates
from dropforge.datasets.faults import DataFault
from dropforge.datasets.hashing import cell_hashes, row_hashes, unit
from dropforge.datasets.personalpolicy import check_ids, find_policy
from dropforge.datasets.profile import make_profile
from dropforge.datasets.ratingremarks import remarks_on_ratings
from dropforge.datasets.splitting import HOLDOUT, VALIDATION
from dropforge.datasets.typed import texts_of
from dropforge.datasets.values import NUMBER_SHARE, parse_numbers, stripped, without_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dropforge.datasets.table import Table

ROLES = {
    "user": ("user", "userid", "username", "customer", "customerid", "member", "memberid", "reviewer", "reviewerid",
             "visitor", "visitorid", "account", "accountid", "uid", "iduser"),
    "item": ("item", "itemid", "movie", "movieid", "product", "productid", "book", "bookid", "isbn", "asin", "song",
             "songid", "track", "trackid", "artist", "artistid", "article", "articleid", "anime", "animeid", "game",
             "gameid", "recipe", "recipeid", "business", "businessid", "iid", "sku"),
    "rating": ("rating", "ratings", "score", "stars", "star", "overall", "bookrating", "starrating", "userrating"),
    "time": ("time", "timestamp", "date", "datetime", "ts", "unixtime", "unixreviewtime", "reviewtime", "createdat",
             "ratedat", "when"),
}  # fmt: skip
"""What the columns of a table of ratings are called."""

MOST_HELD = 20_000
FEWEST = 5
"""Ratings of a user, below which none is held out."""


@dataclass(frozen=True)
class RatingColumns:
    """Which column is what."""

    user: str
    item: str
    rating: str
    time: str | None


def find_ratings(frame: pl.DataFrame | Table, spec: Spec) -> RatingColumns | None:
    """The columns of a table of ratings, None when it is none by the rule.

    Raises:
        SpecFault: the spec wants recommendation and the columns cannot be told, or names columns that are not there.
    """
    check_wishes(frame.columns, spec)
    if spec.task not in (None, "recommendation"):
        return None
    names = [name for name in frame.columns if name not in spec.drop]
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in names}
    called = {role: [name for name in names if plain[name] in known] for role, known in ROLES.items()}
    if spec.target is not None:
        called = {role: [name for name in names if name != spec.target] for role, names in called.items()}
        called["rating"] = [spec.target]
    if spec.task == "recommendation":
        return _wished(names, called)
    once = all(len(called[role]) == 1 for role in ("user", "item", "rating")) and len(called["time"]) <= 1
    if not once or len(names) != sum(map(len, called.values())) or not _repeat(frame, called):
        return None
    return RatingColumns(called["user"][0], called["item"][0], called["rating"][0], next(iter(called["time"]), None))


def _repeat(frame: pl.DataFrame | Table, called: dict[str, list[str]]) -> bool:
    """Whether ratings are numbers and there are several of a user and of an item, as a rule."""
    numeric = read_labels(frame[called["rating"][0]]).numeric
    return numeric and all(2 * frame[called[role][0]].n_unique() <= frame.height for role in ("user", "item"))


def ids_of(series: pl.Series) -> NDArray[np.object_]:
    """Ids as texts [N], "" for missing."""
    return texts_of(series).to_numpy().astype(object)


def _wished(names: list[str], called: dict[str, list[str]]) -> RatingColumns:
    time = next(iter(called["time"]), None)
    rating = next(iter(called["rating"]), None)
    others = [name for name in names if name not in (time, rating)]
    user = next(iter(called["user"]), None) or next((name for name in others if name not in called["item"]), None)
    item = next((name for name in called["item"] if name != user), None)
    item = item or next((name for name in others if name != user), None)
    if rating is None or user is None or item is None:
        raise SpecFault(
            f"task: recommendation needs a user, an item and a rating, got the columns {names[:20]}; expected names "
            "such as user_id, item_id, rating (and timestamp): rename them, or name the rating with 'target:'"
        )
    return RatingColumns(user, item, rating, time)


def prepare_ratings(table: pl.DataFrame, options: Options) -> Dataset:
    """A table of ratings, ready to learn from; its `columns` are the user and the item, its target the rating.

    Raises:
        DataFault: too few ratings, users or items, or ratings that are all alike or no numbers.
        SpecFault: a wish does not fit the data.
    """
    spec = options.wishes()
    columns = find_ratings(table, spec)
    if columns is None:
        names = f"{table.columns[:20]}{' and more' if len(table.columns) > 20 else ''}"
        raise DataFault(f"no table of ratings: expected columns such as user_id, item_id, rating, got {names}")
    kept, values, counts = _clean(table, columns)
    parts = split_ratings(kept[columns.user], _hashes(kept, columns), _times(kept, columns))
    if not len(parts["holdout"]):
        raise DataFault(
            f"no user in {columns.user!r} has {FEWEST} ratings or more; expected some to hold out: drop more"
        )
    every = Rows({name: ids_of(kept[name]) for name in (columns.user, columns.item)}, values)
    rows = {name: every.take(index) for name, index in parts.items()}
    counts |= {name: len(part) for name, part in rows.items()}
    policy = find_policy(kept.select(columns.user, columns.item), spec)
    check_ids(policy)
    described = _described(table, columns, spec)
    kind = label_type(read_labels(kept[columns.rating]))
    labels = {"name": columns.rating, "task": "recommendation", "label_type": kind, "classes": []}
    read = (columns.user, columns.item)
    return Dataset(
        target=columns.rating,
        task="recommendation",
        label_type=kind,
        classes=(),
        columns=tuple(Column(name, "category") for name in read),
        ignored=(columns.rating, *(name for name in table.columns if name not in (*read, columns.rating))),
        masked=policy.masked,
        personal=policy.columns,
        counts=counts,
        profile=make_profile(
            rows=rows["train"],
            described=described,
            target=labels,
            counts=counts,
            policy=policy,
            remarks=remarks_on_ratings(described, counts, (*read, columns.rating), options),
        ),
        train=rows["train"],
        validation=rows["validation"],
        holdout=rows["holdout"],
    )


def _described(table: pl.DataFrame, columns: RatingColumns, spec: Spec) -> dict[str, Described]:
    columns_read = {}
    for name in table.columns:
        if name == columns.rating:
            continue
        why = None if name in (columns.user, columns.item) else leftout.NO_ROLE
        if name == columns.time:
            why = leftout.TIME_OF_RATINGS
        columns_read[name] = Described(name, "category", None, leftout.BY_SPEC if name in spec.drop else why)
    return columns_read


def _clean(table: pl.DataFrame, columns: RatingColumns) -> tuple[pl.DataFrame, NDArray[np.float64], dict[str, int]]:
    """Rows with a user, an item and a rating, one a pair, with their ratings, and what was left out."""
    labels = read_labels(table[columns.rating])
    if not labels.numeric:
        example = labels.values.drop_nulls().head(1).to_list()
        raise DataFault(f"{columns.rating!r} holds {example}; expected numbers as ratings: write them so")
    there = labels.values.is_not_null()
    for name in (columns.user, columns.item):
        there &= pl.Series(ids_of(table[name]) != "")
    rated = table.filter(there)
    kept = _last_of_pairs(rated, columns)
    counts = {"read": table.height, "duplicates": rated.height - kept.height, "without_target": int((~there).sum())}
    if kept.height < MIN_ROWS:
        raise DataFault(f"needs at least {MIN_ROWS} ratings, got {kept.height} of {table.height} rows: drop more rows")
    for name in (columns.user, columns.item):
        if kept[name].n_unique() < 2:
            raise DataFault(f"needs at least 2 different values in {name!r}, got 1: drop ratings of others too")
    values = read_labels(kept[columns.rating]).values.cast(pl.Float64).to_numpy()
    if values.min() == values.max():
        raise DataFault(
            f"every rating in {columns.rating!r} is {figure(float(values[0]))}; expected some that differ: drop others"
        )
    return kept, values, counts


def _last_of_pairs(rated: pl.DataFrame, columns: RatingColumns) -> pl.DataFrame:
    """The latest rating of every pair (by time, then by place in the file), in the order of the file."""
    times = _times(rated, columns)
    pairs = pl.DataFrame({
        "user": ids_of(rated[columns.user]),
        "item": ids_of(rated[columns.item]),
        "time": np.zeros(rated.height) if times is None else times,
        "row": np.arange(rated.height),
    })  # fmt: skip
    last = pairs.sort("time", "row").group_by("user", "item").agg(pl.col("row").last())
    return rated[last["row"].sort().to_list()]


def _times(frame: pl.DataFrame, columns: RatingColumns) -> NDArray[np.float64] | None:
    """The moments as numbers that grow with time, None where there is no such column; unreadable ones come first."""
    if columns.time is None:
        return None
    series = frame[columns.time]
    if not series.dtype.is_numeric():
        texts = without_missing(stripped(series))
        numbers = parse_numbers(texts)
        rule = date_rule_of(texts.drop_nulls().unique(), NUMBER_SHARE)
        if numbers.null_count() > texts.null_count() and rule is None:
            example = texts.drop_nulls().head(1).to_list()
            raise DataFault(
                f"time {columns.time!r} holds {example}; expected numbers or dates: write them alike, "
                "or leave the column out with 'drop:'"
            )
        series = numbers if rule is None else parse_dates(canonical_dates(texts, rule))
    return series.cast(pl.Float64).fill_null(-np.inf).fill_nan(-np.inf).to_numpy()


def _hashes(frame: pl.DataFrame, columns: RatingColumns) -> NDArray[np.uint64]:
    return row_hashes(frame.select(columns.user, columns.item))


def split_ratings(
    users: pl.Series, hashes: NDArray[np.uint64], times: NDArray[np.float64] | None
) -> dict[str, NDArray[np.int64]]:
    """Positions of the rows of `train`, `validation` and `holdout`.

    Args:
        users: whose rows these are, [N].
        hashes: of the rows, all different, [N].
        times: when, [N], or None for a split by hash.
    """
    codes = users.rank("dense").to_numpy().astype(np.int64) - 1 if users.dtype.is_numeric() else _codes(users)
    order = np.lexsort((hashes, unit(hashes) if times is None else times, codes))
    sizes = np.bincount(codes)
    counts = sizes[codes[order]]
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    left = counts - (np.arange(len(order)) - starts[codes[order]])
    held = left <= np.floor(HOLDOUT * counts)
    after = left <= np.floor(HOLDOUT * counts) + np.ceil(VALIDATION * counts)
    parts = np.where(held, 2, np.where(after, 1, 0))
    parts[counts < FEWEST] = 0
    parts[(parts == 2) & ~_chosen(users, codes, parts == 2, order)[codes[order]]] = 0
    return {name: order[parts == part] for name, part in (("train", 0), ("validation", 1), ("holdout", 2))}


def _codes(users: pl.Series) -> NDArray[np.int64]:
    return users.cast(pl.Categorical).to_physical().rank("dense").to_numpy().astype(np.int64) - 1


def _chosen(
    users: pl.Series, codes: NDArray[np.int64], held: NDArray[np.bool_], order: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether a user's latest rows are held out, [users]: users in the order of their hashes while there is room."""
    rows = np.bincount(codes[order][held], minlength=int(codes.max()) + 1)
    _, first = np.unique(codes, return_index=True)
    places = np.argsort(cell_hashes(users)[first], kind="stable")
    room = np.zeros(len(rows), dtype=bool)
    room[places] = np.cumsum(rows[places]) <= MOST_HELD
    return room


def role_names(columns: Sequence[Column]) -> tuple[str, str]:
    """User and item of a prepared table of ratings."""
    user, item = columns
    return user.name, item.name
