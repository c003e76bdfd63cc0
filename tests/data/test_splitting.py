"""The split by content knows a row's content alone; splits by group and by time keep groups and times together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropforge.contract.spec import Spec, SpecFault, SplitBy
from dropforge.datasets.choosing import choose_target
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.hashing import cell_hashes, row_hashes
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.splitgroups import Grouped, assign_groups
from dropforge.datasets.splittimes import assign_times
from dropforge.datasets.splitting import HELD, LEFT_OUT, TRAIN, VALIDATES, copies, split, split_as_told

ROW = st.tuples(st.text(max_size=5), st.integers(-(10**6), 10**6).map(str), st.sampled_from(["a", "b", ""]))


def table(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"t": pl.String, "n": pl.String, "c": pl.String}, orient="row")


def parts_of(rows: list[tuple[str, str, str]]) -> dict[int, str]:
    """Each row's hash to the part that it lies in."""
    hashes = row_hashes(table(rows))
    return {int(hashes[at]): part for part, index in split(hashes).items() for at in index}


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(ROW, min_size=2, max_size=40, unique=True), more=st.lists(ROW, max_size=10), seed=st.randoms())
def test_order_and_additions_move_no_row(rows, more, seed):
    before = parts_of(rows)
    shuffled = [*rows, *more]
    seed.shuffle(shuffled)
    after = parts_of(shuffled)
    assert {row: after[row] for row in before} == before


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=40))
def test_every_row_lies_in_one_part(rows):
    parts = split(row_hashes(table(rows)))
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(rows)))


def test_hashes_are_the_same_on_every_machine():
    data = pl.DataFrame({"a": ["x", "", " é "], "b": ["1.0", "-2e3", "007"], "c": [1.5, None, float("nan")]})
    assert [f"{value:016x}" for value in row_hashes(data)] == [
        "a4c26e925ec871ca",
        "f966027dfda75757",
        "74e0ceab4976104d",
    ]


def test_the_order_of_the_columns_and_the_spelling_of_numbers_change_nothing():
    text = pl.DataFrame({"a": ["1", "2.50", "NA"], "b": ["x", " y", ""]})
    typed = pl.DataFrame({"b": ["x", "y", None], "a": [1.0, 2.5, None]})
    assert row_hashes(text).tolist() == row_hashes(typed).tolist()


def test_names_and_values_count():
    one = pl.DataFrame({"a": ["1", "2"], "b": ["2", "1"]})
    assert len(set(row_hashes(one).tolist())) == 2
    assert row_hashes(one)[0] != row_hashes(one.rename({"a": "c"}))[0]


def test_large_whole_numbers_are_told_apart():
    large = 2**60
    assert len(set(cell_hashes(pl.Series([large, large + 1])).tolist())) == 2
    assert cell_hashes(pl.Series([large])).tolist() == cell_hashes(pl.Series([str(large)])).tolist()


def test_copies_are_counted_in_order():
    assert copies(np.array([7, 3, 7, 7, 3], np.uint64)).tolist() == [0, 0, 1, 2, 1]


def test_shares_are_about_64_16_20():
    parts = split(row_hashes(pl.DataFrame({"a": range(20_000)})))
    shares = {name: len(index) / 20_000 for name, index in parts.items()}
    assert abs(shares["train"] - 0.64) < 0.02
    assert abs(shares["validation"] - 0.16) < 0.02


def test_a_rare_class_stands_in_every_part():
    hashes = row_hashes(pl.DataFrame({"a": range(1000)}))
    codes = (np.arange(1000) < 5).astype(np.int64)
    assert {name: int(codes[index].sum()) for name, index in split(hashes, codes).items()} == {
        "holdout": 1, "validation": 1, "train": 3,
    }  # fmt: skip


def test_a_column_may_deal_the_rows() -> None:
    hashes = (np.arange(1000, dtype=np.float64) * (2.0**64 / 1000)).astype(np.uint64)
    told = pl.Series("part", ["train", "Test", " holdout", "train"] * 250)
    parts = split_as_told(told, hashes)
    assert set(parts["holdout"].tolist()) == {at for at in range(1000) if at % 4 in (1, 2)}
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(1000))
    assert 60 <= len(parts["validation"]) <= 140


@pytest.mark.parametrize(
    ("told", "reason"), [(["train", "maybe"], "'maybe'"), (["train"] * 2, "holds out 0 of 2"), (["test"] * 2, "2 of 2")]
)
def test_a_column_that_deals_them_wrongly_is_refused(told: list[str], reason: str) -> None:
    with pytest.raises(DataFault, match=reason):
        split_as_told(pl.Series("part", told), np.arange(2, dtype=np.uint64))


def test_the_dealing_column_is_no_input() -> None:
    rows = {"x": [at % 17 for at in range(200)], "y": [at * 7 % 13 for at in range(200)]}
    table = pl.DataFrame(rows).with_columns(part=pl.Series(["train"] * 150 + ["test"] * 50)).cast(pl.String)
    data = prepare_table(table, Options(spec=Spec(split="part", target="y", task="regression")))
    assert [each.name for each in data.columns] == ["x"]
    assert len(data.holdout) > 0


def of_sizes(sizes: list[int], seed: int = 0) -> Grouped:
    """Groups of these sizes, their values any hashes in ascending order."""
    hashes = np.sort(cell_hashes(pl.Series([f"{seed}/{place}" for place in range(len(sizes))])))
    return Grouped(np.repeat(np.arange(len(sizes)), sizes), hashes)


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(1, 12), min_size=20, max_size=400), classes=st.integers(1, 4))
def test_groups_lie_whole_in_one_part_and_one_fold(sizes, classes):
    groups = of_sizes(sizes)
    codes = (np.arange(len(groups.codes)) // 5) % classes
    assigned = assign_groups(groups, codes, "id")
    for values in (assigned.labels, assigned.folds):
        pairs = set(zip(groups.codes.tolist(), values.tolist(), strict=True))
        assert len(pairs) == len(sizes)
    shares = np.bincount(assigned.labels, minlength=3) / len(assigned.labels)
    assert 0.05 < shares[HELD] <= 0.4 and shares[VALIDATES] > 0
    learned = assigned.labels != HELD
    assert set(assigned.folds[learned].tolist()) == set(range(5))


@pytest.mark.parametrize("count", [60, 1000])
def test_hold_out_of_groups_is_a_fifth_of_the_rows_and_of_each_class(count: int) -> None:
    groups = of_sizes([7] * count)
    codes = (groups.codes % 10 == 0).astype(np.int64)
    assigned = assign_groups(groups, codes, "id")
    for code in (0, 1):
        assert abs((assigned.labels[codes == code] == HELD).mean() - 0.2) < 0.05
        shares = np.bincount(assigned.folds[(codes == code) & (assigned.labels != HELD)], minlength=5)
        assert shares.min() > 0


def test_each_part_has_its_share_of_a_rare_class() -> None:
    """Which no group has most of its rows in: two rows in each of ten groups of a hundred."""
    groups = of_sizes([12] * 100)
    codes = ((groups.codes % 10 == 3) & (np.arange(1200) % 12 < 2)).astype(np.int64)
    assigned = assign_groups(groups, codes, "id")
    assert np.bincount(assigned.labels[codes == 1], minlength=3).tolist() == [4, 4, 12]


def test_of_many_groups_none_moves_when_others_are_added() -> None:
    values = pl.Series([f"customer {place}" for place in range(900)])

    def parts(some: pl.Series) -> dict[int, int]:
        hashes = np.sort(cell_hashes(some))
        labels = assign_groups(Grouped(np.arange(len(some)), hashes), None, "id").labels
        return dict(zip(hashes.tolist(), labels.tolist(), strict=True))

    before, after = parts(values.head(600)), parts(values)
    assert {group: after[group] for group in before} == before


@pytest.mark.parametrize(
    ("sizes", "reason"), [([9] * 9, "expected at least 10"), ([900] + [1] * 5 + [0] * 5, "one value")]
)
def test_groups_that_cannot_be_split_are_refused(sizes: list[int], reason: str) -> None:
    with pytest.raises(SpecFault, match=reason):
        assign_groups(of_sizes(sizes), None, "site")


@settings(max_examples=50, deadline=None)
@given(more=st.lists(st.integers(0, 60), max_size=40), gap=st.integers(0, 5))
def test_later_parts_are_later_and_equal_times_stay_together(more, gap):
    times = [*range(61), *range(61), *more]
    rows = row_hashes(pl.DataFrame({"n": range(len(times))}))
    values = np.array(times, np.float64)
    assigned = assign_times(values, rows, gap, "day")
    held, validates, train = (values[assigned.labels == part] for part in (HELD, VALIDATES, TRAIN))
    assert train.max() < validates.min() - gap and validates.max() < held.min() - gap
    assert held.min() == assigned.start
    assert abs(len(held) / len(times) - 0.2) < 0.1
    assert gap or not (assigned.labels == LEFT_OUT).any()
    learned = np.isin(assigned.labels, (VALIDATES, TRAIN))
    blocks = [values[learned & (assigned.folds == fold)] for fold in range(int(assigned.folds[learned].max()) + 1)]
    assert all(one.max() < other.min() for one, other in zip(blocks[:-1], blocks[1:], strict=True))
    assert set(blocks[-1]) == set(validates)


def test_rows_without_a_time_are_learned_from() -> None:
    times = np.r_[np.arange(100.0), [np.nan] * 20]
    assigned = assign_times(times, row_hashes(pl.DataFrame({"n": range(120)})), 0, "day")
    assert set(assigned.labels[100:].tolist()) == {TRAIN}


@pytest.mark.parametrize(
    ("times", "gap", "reason"),
    [([1.0, 2.0, 3.0] * 40, 0, "3 different times"), ([np.nan] * 80 + list(range(20)), 0, "in 20% of the rows"),
     ([float(day) for day in range(100)], 90, "choose a shorter gap"),
     ([float(day) for day in range(20)] + [99.0] * 100, 0, "83% of the rows would be held out")],
)  # fmt: skip
def test_times_that_cannot_be_split_are_refused(times: list[float], gap: float, reason: str) -> None:
    with pytest.raises(SpecFault, match=reason):
        assign_times(np.array(times), row_hashes(pl.DataFrame({"n": range(len(times))})), gap, "day")


def visits() -> pl.DataFrame:
    """Twelve visits of each of 40 people in a year, the target any number."""
    rows = np.arange(480)
    days = np.datetime64("2024-01-01") + rows * 7 % 365
    return pl.DataFrame({
        "person": [f"p{row // 12}" for row in rows], "day": days.astype(str), "weight": rows * 37 % 101,
        "part": np.where(rows % 5 == 0, "test", "train"), "y": rows * 7919 % 1009,
    }).cast(pl.String)  # fmt: skip


def wished(split: object) -> Options:
    return Options(spec=Spec.read({"split": split, "target": "y", "task": "regression"}))


def test_the_spec_splits_by_group() -> None:
    data = prepare_table(visits(), wished({"group": "person"}))
    assert data.split == "The hold-out is all rows of 8 of the 40 values of 'person'."
    assert data.units is not None and data.folds is not None
    assert len(data.holdout) == len(data.units) == 96 and data.units.max() == 7
    assert len(data.folds) == len(data.train) + len(data.validation) and set(data.folds) == set(range(5))
    assert "person" not in data.train.columns  # the values of rows to predict are others
    assert any("`kinds: {person: category}`" in each for each in data.profile["told"])
    assert data.profile["split"]["by"] == "group" and not data.profile["split"]["found"]


def test_the_owner_may_keep_the_column_of_groups() -> None:
    spec = Spec(split=SplitBy(group="person"), target="y", task="regression", kinds={"person": "category"})
    data = prepare_table(visits(), Options(spec=spec))
    assert data.split_by == "group:person"
    parts = [set(rows.columns["person"]) for rows in (data.train, data.validation, data.holdout)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 40


def test_the_spec_splits_by_time_and_counts_the_gap() -> None:
    data = prepare_table(visits(), wished({"time": "day", "gap": "2w"}))
    assert "by 'day' (from 2024-10-" in data.split
    latest = {part: (min(days), max(days)) for part, days in
              (("train", data.train.columns["day"]), ("validation", data.validation.columns["day"]),
               ("holdout", data.holdout.columns["day"]))}  # fmt: skip
    for one, other in (("train", "validation"), ("validation", "holdout")):
        assert np.datetime64(latest[other][0]) - np.datetime64(latest[one][1]) > np.timedelta64(14, "D")
    kept = len(data.train) + len(data.validation) + len(data.holdout)
    assert data.counts["gap"] == 480 - kept > 20
    assert any(f"{data.counts['gap']} of 480 rows lie in the gaps of 2w" in each for each in data.profile["told"])


def test_a_masked_time_is_not_told() -> None:
    wishes = {"split": {"time": "day"}, "sensitive": ["day"], "target": "y", "task": "regression"}
    data = prepare_table(visits(), Options(spec=Spec.read(wishes)))
    assert data.split == "The hold-out is the latest 20% of the rows by 'day'."
    assert "2024" not in str([data.profile["split"], data.profile["told"]])


def test_numbers_may_be_times() -> None:
    data = prepare_table(visits(), wished({"time": "weight"}))
    assert min(data.holdout.columns["weight"]) > max(data.validation.columns["weight"])
    with pytest.raises(SpecFault, match="'7d' is a span of time, and 'weight' is a number"):
        prepare_table(visits(), wished({"time": "weight", "gap": "7d"}))


@pytest.mark.parametrize(
    ("split", "reason"),
    [
        ({"group": "persons"}, "split: no column 'persons' in the data; .* did you mean 'person'"),
        ({"time": "date"}, "split: no column 'date' in the data"),
        ({"time": "person"}, "expected a column of dates or numbers, got a category with values such as 'p0'"),
        ({"group": "part"}, "2 different values in 'part'; expected at least 10"),
        ({"group": "y"}, "split: names the target 'y'"),
        ({"group": "person", "time": "day"}, "group and time; expected exactly one"),
        ({"grup": "person"}, "unknown key 'grup'"),
        ({"time": "day", "gap": "7y"}, "expected a number with h, d or w behind it, such as 7d, got '7y'"),
        ({"time": "day", "gap": 7}, "split.gap: expected a text, got 7"),
        ({"group": "person", "gap": "7d"}, "expected it beside time alone"),
        ({"by": "columns"}, "split.by: expected rows, got 'columns'"),
        ({}, "no way to split"),
        (["part"], "expected a column's name"),
    ],
)
def test_a_split_that_cannot_be_met_is_refused_with_its_reason(split: object, reason: str) -> None:
    with pytest.raises(SpecFault, match=reason):
        prepare_table(visits(), wished(split))


def test_a_class_that_is_held_out_in_whole_is_refused() -> None:
    late = visits().with_columns(y=pl.Series(["new" if day > "2024-12-01" else "old" for day in visits()["day"]]))
    with pytest.raises(SpecFault, match="1 of the 2 classes would be held out in whole"):
        prepare_table(late, Options(spec=Spec.read({"split": {"time": "day"}, "target": "y"})))


def test_a_split_survives_being_stored() -> None:
    for way in ("part", {"group": "person"}, {"time": "day", "gap": "12h"}, {"by": "rows"}, None):
        spec = Spec.read({"split": way})
        assert Spec.from_json(spec.to_json()) == spec
    wish = Spec.read({"split": {"time": "day", "gap": "12h"}}).split
    assert isinstance(wish, SplitBy) and wish.gap_days == 0.5


def test_tasks_without_a_target_to_predict_refuse_a_split() -> None:
    with pytest.raises(SpecFault, match="split: rows of a clustering are split by their content alone"):
        prepare_table(visits(), Options(spec=Spec.read({"task": "clustering", "split": {"group": "person"}})))
    ratings = pl.DataFrame({"user": [f"u{n % 30}" for n in range(300)], "item": [f"i{n // 30}" for n in range(300)],
                            "rating": [str(n % 5) for n in range(300)]})  # fmt: skip
    with pytest.raises(SpecFault, match="split: a recommender holds out the latest ratings"):
        prepare_table(ratings, Options(spec=Spec.read({"split": {"group": "user"}})))


def test_the_column_that_splits_is_never_the_target() -> None:
    table = visits().select("weight", "person", "part")
    assert choose_target(table, Spec(split="part")) == "person"
