"""Ranks of categories with few rows: made without the row that reads them where they would tell its own target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare
from tests.training.conftest import Set, _pose
from training_container.budget import Budget
from training_container.models import forest
from training_container.models.lightgbm import LightGBM
from training_container.models.ranks import means, order, without_own

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training_container.progress import Progress

CLERKS = 300
"""Who wrote a home down: says nothing of its price. Some eight homes each."""


@pytest.fixture(scope="module")
def written(csv: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Set:
    """Homes, and who wrote them down."""
    homes = pl.read_csv(csv("houses"))
    clerks = np.random.default_rng(0).integers(0, CLERKS, homes.height)
    path = tmp_path_factory.mktemp("written") / "houses.csv"
    homes.with_columns(pl.Series("clerk", [f"c{each}" for each in clerks])).write_csv(path)
    return _pose(prepare([path], Options(target="MedHouseVal")))


def test_ranks_of_few_rows_that_tell_their_own_targets_are_crossed(written: Set) -> None:
    target = written.problem.target.reshape(-1, 1)
    codes, (size,) = written.problem.rows.codes.numpy()[:, 0], written.problem.sizes
    plain = order(codes, target, size)[codes]
    crossed = without_own(codes, target, size)
    assert crossed is not None
    assert np.corrcoef(plain, target[:, 0])[0, 1] > 0.2 > 0.1 > np.corrcoef(crossed, target[:, 0])[0, 1]
    assert crossed.min() >= 0 and crossed.max() <= size


def test_plain_ranks_stay_where_they_tell_something_or_categories_are_large(written: Set) -> None:
    target = written.problem.target.reshape(-1, 1)
    codes, (size,) = written.problem.rows.codes.numpy()[:, 0], written.problem.sizes
    street = np.argsort(np.argsort(target[:, 0])) * CLERKS // len(target)  # who lives there pays alike
    assert without_own(street, target, CLERKS) is None
    assert without_own(codes % 20, target, 20) is None
    assert without_own(codes, np.eye(3)[codes % 3], size) is None


def test_a_mean_is_drawn_to_the_middle() -> None:
    np.testing.assert_allclose(
        means(np.array([0, 0, 1]), np.array([[1.0], [1.0], [4.0]]), 3), [[22 / 12], [24 / 11], [2]]
    )


def test_only_the_rows_that_a_fold_learns_from_read_crossed_ranks(written: Set) -> None:
    inputs = written.problem.tree_inputs
    asked, learned = inputs.dense(written.problem.rows), inputs.learning(written.problem)
    for fold, (learn, held) in enumerate(written.problem.folds):
        own = inputs.columns(fold, pairs=True)
        np.testing.assert_array_equal(learned[np.ix_(held, own)], asked[np.ix_(held, own)])
        rank = inputs.given(fold)[-1]
        assert (learned[learn, rank] != asked[learn, rank]).mean() > 0.5
        numbers = np.arange(inputs.numbers)
        np.testing.assert_array_equal(learned[np.ix_(learn, numbers)], asked[np.ix_(learn, numbers)])


@pytest.mark.long
def test_trees_do_not_fall_for_a_column_that_says_nothing(
    written: Set, quiet: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossed = LightGBM().fit(written.problem, Budget(1), quiet).validation["rmse"]
    monkeypatch.setattr(forest, "without_own", lambda *_: None)
    plain = replace(written.problem)  # works out anew what families share
    assert crossed < 0.985 * LightGBM().fit(plain, Budget(1), quiet).validation["rmse"]
