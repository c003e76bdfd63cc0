"""The split knows a row's content alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.hashing import cell_hashes, row_hashes
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.splitting import copies, split, split_as_told

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
