"""What neighbours have, on the homes of California: found where a map is, cross-fitted, and as the graph reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from training_container.budget import Budget
from training_container.models.forest import TreeInputs
from training_container.models.grid import Grid
from training_container.models.lightgbm import LightGBM
from training_container.models.neighbours import LEAST, Neighbours, learned, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.training.conftest import Set
    from training_container.progress import Progress


@pytest.fixture(scope="module")
def homes(posed: Callable[[str], Set]) -> Set:
    """The first homes of the data set."""
    return posed("houses")


@pytest.fixture(scope="module")
def place(homes: Set) -> np.ndarray:
    """Longitude and latitude of each home, float32 [N, 2]."""
    names = [column.name for column in homes.dataset.columns if column.kind == "number"]
    dense = homes.problem.tree_inputs.dense(homes.problem.rows)
    return dense[:, [names.index("Latitude"), names.index("Longitude")]]


def test_every_fold_finds_the_map_and_no_other_columns(homes: Set, place: np.ndarray) -> None:
    inputs = homes.problem.tree_inputs
    assert inputs.neighbours.width == 1
    dense = inputs.dense(homes.problem.rows)
    for pair in inputs.neighbours.places.view(-1, 2).numpy():
        assert np.array_equal(dense[:, pair], place)


def test_tables_of_penguins_and_cars_would_not_pay(posed: Callable[[str], Set]) -> None:
    assert [posed(name).problem.tree_inputs.neighbours.width for name in ("penguins", "cars")] == [0, 0]


@pytest.mark.long
def test_neighbours_make_trees_better(homes: Set, quiet: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    with_map = LightGBM().fit(homes.problem, Budget(1), quiet).validation["rmse"]
    monkeypatch.setattr("training_container.models.neighbours.LEAST", 1.0)
    alone = replace(homes.problem)  # works out anew what families share
    assert alone.tree_inputs.neighbours.width == 0
    assert with_map < 0.98 * LightGBM().fit(alone, Budget(1), quiet).validation["rmse"]


def test_a_row_learns_from_a_table_that_was_made_without_it(homes: Set, place: np.ndarray) -> None:
    target = homes.problem.target[:, np.newaxis]
    before = learned(place, target)
    for row in (0, 7, 500):
        other = target.copy()
        other[row] += 100
        after = learned(place, other)
        assert after.own[row] == before.own[row]
        assert np.abs(after.own - before.own).max() > 1
        assert not np.array_equal(after.table, before.table)


def test_a_fold_never_sees_the_targets_that_it_is_asked_for(homes: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training_container.models.neighbours.LEAST", 0.0)
    problem, held, target = homes.problem, homes.problem.fold == 2, homes.problem.target.copy()
    target[held] = target[held][::-1]
    turned = TreeInputs(replace(problem, target=target))
    one, other = (each.dense(problem.rows)[:, -3] for each in (problem.tree_inputs, turned))  # of fold 2 of 5
    assert one == pytest.approx(other, rel=1e-5)
    two, more = (each.dense(problem.rows)[:, -2] for each in (problem.tree_inputs, turned))  # which learns from them
    assert np.abs(two - more).max() > 0.1


def test_models_learn_from_the_cross_fitted_and_answer_by_the_table(homes: Set) -> None:
    problem, inputs = homes.problem, homes.problem.tree_inputs
    learn, held = problem.folds[0]
    learning, asked = inputs.learning(problem)[:, -5], inputs.dense(problem.rows)[:, -5]
    assert np.array_equal(learning[held], asked[held])
    assert np.array_equal(learning[learn], inputs.neighbours.own[0][:, 0])
    assert (learning[learn] != asked[learn]).mean() > 0.9


def test_the_module_reads_the_cell_of_each_row(place: np.ndarray, homes: Set) -> None:
    made = learned(place, homes.problem.target[:, np.newaxis])
    module = Neighbours.__new__(Neighbours)
    torch.nn.Module.__init__(module)
    module._keep([np.array([0, 1])], [made])
    far = np.array([[-1e6, 1e6], [1e6, -1e6]], np.float32)  # off the map: the cell at its end
    asked = np.concatenate([place, far, np.array([[np.nan, 0.0]], np.float32)])
    found = module(torch.from_numpy(asked)).numpy()
    assert np.array_equal(found[:-1], made.table[made.grid.cells(asked[:-1].astype(np.float64))])
    assert np.isnan(found[-1]).all()


def test_a_cell_has_the_mean_of_the_nearest() -> None:
    points = np.random.default_rng(0).normal(size=(400, 2))
    grid = Grid.over(points, 20)
    wanted = np.column_stack([points[:, 0], np.ones(400)])
    table = grid.table(points, wanted, np.arange(grid.size))
    assert table.shape == (grid.size, 2) and table[:, 1] == pytest.approx(1)
    own = grid.cells(points)
    assert np.corrcoef(table[own, 0], points[:, 0])[0, 1] > 0.9
    assert points[:, 0].min() <= table[:, 0].min() and table[:, 0].max() <= points[:, 0].max()


def test_few_values_gaps_and_heaps_tell_nothing() -> None:
    draw = np.random.default_rng(0)
    left = draw.normal(size=(500, 1))
    codes = draw.integers(0, 5, (500, 2)).astype(np.float32)
    gaps = np.full((500, 2), np.nan, np.float32)
    heap = np.concatenate([np.zeros((400, 2)), draw.normal(size=(100, 2))]).astype(np.float32)
    assert told(codes, left) == told(heap[:, :1].repeat(2, 1) * 0, left) == 0.0
    assert told(heap, left) < LEAST
    assert told(np.concatenate([gaps, codes]), np.concatenate([left, left])) == 0.0
    assert told(gaps, left) == 0.0
