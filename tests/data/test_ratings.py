"""Tables of ratings: found by their columns, split by time, and what is wrong with others."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets import ratings
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.ratings import RatingColumns, find_ratings


def table(names: tuple[str, ...] = ("user_id", "item_id", "rating", "timestamp"), rows: int = 400) -> pl.DataFrame:
    """Twenty users rate twenty items each, one after the other; everything as text, as a CSV is read."""
    at = np.arange(rows)
    values = [1000 + at % 20, at // 20 * 3, at * 7 % 5 + 1, 880_000_000 + at * 60, at % 2]
    return pl.DataFrame({name: [str(each) for each in part] for name, part in zip(names, values, strict=False)})


@pytest.mark.parametrize(
    "names",
    [("user_id", "item_id", "rating", "timestamp"), ("userId", "movieId", "Rating"), ("Customer", "ProductID", "score"),
     ("reviewerID", "asin", "overall", "unixReviewTime")],
)  # fmt: skip
def test_ratings_are_known_by_their_names(names: tuple[str, ...]) -> None:
    assert find_ratings(table(names), Spec()) == RatingColumns(*names[:3], names[3] if len(names) > 3 else None)


@pytest.mark.parametrize(
    ("names", "spec"),
    [
        (("user_id", "item_id", "rating", "timestamp", "discount"), Spec()),
        (("user_id", "price", "rating"), Spec()),
        (("user_id", "item_id", "rating"), Spec(task="regression")),
        (("user_id", "item_id", "rating"), Spec(target="item_id")),
    ],
)
def test_other_tables_are_not_guessed(names: tuple[str, ...], spec: Spec) -> None:
    assert find_ratings(table(names), spec) is None


def test_one_rating_a_user_is_a_table_of_opinions() -> None:
    once = table().with_columns(user_id=pl.Series([f"u{at}" for at in range(400)]))
    assert find_ratings(once, Spec()) is None


def test_the_spec_decides_and_names_the_rating() -> None:
    odd = table(("who", "what", "points", "when", "channel"))
    assert find_ratings(odd, Spec(task="recommendation", target="points")) == RatingColumns(
        "who", "what", "points", "when"
    )
    with pytest.raises(SpecFault, match="needs a user, an item and a rating, got the columns"):
        find_ratings(odd, Spec(task="recommendation"))


def test_the_latest_of_every_user_are_held_out() -> None:
    given = table()
    found = prepare_table(given, Options())
    assert (found.task, found.target, found.label_type) == ("recommendation", "rating", "integer")
    assert [(each.name, each.kind) for each in found.columns] == [("user_id", "category"), ("item_id", "category")]
    assert found.ignored == ("rating", "timestamp")
    assert found.counts == {
        "read": 400, "duplicates": 0, "without_target": 0, "train": 240, "validation": 80, "holdout": 80,
    }  # fmt: skip
    place = {name: part.columns["item_id"].astype(int) // 3 for name, part in
             (("train", found.train), ("validation", found.validation), ("holdout", found.holdout))}  # fmt: skip
    assert place["train"].max() < place["validation"].min() <= place["validation"].max() < place["holdout"].min()
    for part in (found.train, found.validation, found.holdout):
        assert len(set(part.columns["user_id"])) == 20
    assert find_ratings(given.reverse(), Spec()) is not None
    again = prepare_table(given.reverse(), Options())
    assert sorted(zip(*again.holdout.columns.values(), strict=True)) == sorted(
        zip(*found.holdout.columns.values(), strict=True)
    )


def test_dates_are_times_and_what_is_none_is_named() -> None:
    days = [f"2024-{1 + at // 20 % 12:02}-{1 + at // 240:02}" for at in range(400)]
    dated = prepare_table(table().with_columns(timestamp=pl.Series(days)), Options())
    assert dated.counts["holdout"] == 80
    with pytest.raises(DataFault, match="time 'timestamp' holds .*; expected numbers or dates"):
        prepare_table(table().with_columns(timestamp=pl.Series(["soon"] * 400)), Options())


def test_without_a_time_the_split_is_by_content() -> None:
    found = prepare_table(table(("user", "item", "rating")), Options())
    again = prepare_table(table(("user", "item", "rating")).sample(fraction=1, shuffle=True, seed=1), Options())
    assert sorted(zip(*found.holdout.columns.values(), strict=True)) == sorted(
        zip(*again.holdout.columns.values(), strict=True)
    )
    assert 1 < len(set(found.holdout.columns["item"]))


def test_of_several_ratings_of_a_pair_the_latest_counts() -> None:
    more = table().head(20).with_columns(timestamp=pl.lit("890000000"), rating=pl.lit("9"))
    found = prepare_table(pl.concat([more, table()]), Options())
    assert found.counts["duplicates"] == 20
    assert sum((part.target == 9).sum() for part in (found.train, found.validation, found.holdout)) == 20


def test_the_hold_out_is_of_whole_users_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "MOST_HELD", 10)
    found = prepare_table(table(), Options())
    assert found.counts["holdout"] == 8
    assert len(set(found.holdout.columns["user_id"])) == 2
    assert found.counts["train"] + found.counts["validation"] == 392


def test_missing_ids_and_ratings_are_left_out() -> None:
    holes = table().with_columns(
        item_id=pl.Series(["NA", *table()["item_id"][1:]]), rating=pl.Series([*table()["rating"][:-1], ""])
    )
    assert prepare_table(holes, Options()).counts["without_target"] == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.head(40), "needs at least 50 ratings, got 40"),
        (lambda t: t.with_columns(rating=pl.lit("3")), "every rating in 'rating' is 3"),
        (lambda t: t.with_columns(rating=pl.lit("good")), "holds .'good'.; expected numbers as ratings"),
        (lambda t: t.with_columns(user_id=pl.lit("1"), item_id=pl.Series([str(at) for at in range(400)])),
         "needs at least 2 different values in 'user_id'"),
        (lambda t: t.head(80), "no user in 'user_id' has 5 ratings"),
    ],
)  # fmt: skip
def test_ratings_that_cannot_be_learned_from(change, reason) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataFault, match=reason):
        prepare_table(change(table()), Options(task="recommendation"))
