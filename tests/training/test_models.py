"""The families on real data: closed form against gradient descent and numpy, features, target scales, determinism."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import torch

from dropforge.contract.spec import Spec
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare_table
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.encoding import Encoder, Table
from training_container.models.bagging import answer
from training_container.models.catboost import CatBoost
from training_container.models.data import assign_folds
from training_container.models.features import Piecewise, RawNumbers, Standardised, plain_features
from training_container.models.forest import TreeInputs
from training_container.models.gradient_descent import GradientDescent, cost, descend
from training_container.models.lightgbm import LightGBM
from training_container.models.linear import Moments, Ridge, Softmax, solve
from training_container.models.network import Settings
from training_container.models.neural import Neural
from training_container.models.packed import PackedEmbedding, PackedPeriodic
from training_container.models.predictor import predict
from training_container.models.scales import RegressionTail, TargetScale, target_scales
from training_container.tasks.table.selection import pose

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Set

    from training_container.progress import Progress

FORESTS = (LightGBM(), LightGBM.extra(), LightGBM.oblique(), CatBoost(settings={"iterations": 100}),
           replace(CatBoost.oblique(), settings={"iterations": 60, "rsm": 0.4}))  # fmt: skip
QUICK = Settings(epochs=4, width=32, bins=8)
SMALL = Settings(epochs=20, width=64, bins=8, rate=1e-2, average=0.9)
NETS = (Neural(SMALL), Neural(replace(SMALL, waves=8), "neural-periodic"))


def numbers(*rows: list[float]) -> Table:
    values = torch.tensor(rows, dtype=torch.float32)
    return Table(
        values, torch.zeros((len(rows), 0), dtype=torch.long), torch.zeros((len(rows), 0, 7), dtype=torch.long)
    )


@pytest.fixture(scope="module")
def houses(posed: Callable[[str], Set]) -> tuple[torch.Tensor, torch.Tensor, Moments]:
    """Features [N, F] and standardised target [N] of real houses, and their moments."""
    problem = posed("houses").problem
    features = plain_features(problem.rows, problem.sizes)
    scale = TargetScale.learn(problem.target, log=False)
    target = torch.from_numpy(scale.encode(problem.target))
    return features(problem.rows.groups).double(), target, Moments.gather(features, problem.rows, target)


def test_closed_form_is_least_squares(houses: tuple[torch.Tensor, torch.Tensor, Moments]) -> None:
    dense, target, moments = houses
    (theta,) = solve(moments, (0.0,))
    with_one = np.column_stack([dense.numpy(), np.ones(len(dense))])
    expected = np.linalg.lstsq(with_one, target.numpy(), rcond=None)[0][:-1]
    np.testing.assert_allclose(theta.numpy(), expected, rtol=1e-6, atol=1e-8)


def test_gradient_descent_agrees_with_the_closed_form(houses: tuple[torch.Tensor, torch.Tensor, Moments]) -> None:
    moments = houses[2]
    theta, history = descend(moments, iterations=20_000)
    (exact,) = solve(moments, (0.0,))
    assert history[-1] == pytest.approx(cost(moments, exact), rel=1e-6)
    np.testing.assert_allclose(theta.numpy(), exact.numpy(), atol=2e-3)


def test_cost_is_the_textbooks_and_never_rises(houses: tuple[torch.Tensor, torch.Tensor, Moments]) -> None:
    dense, target, moments = houses
    theta, history = descend(moments, iterations=300)
    error = (dense - moments.mean) @ theta - (target - target.mean())
    assert history[-1] == pytest.approx(float((error**2).sum() / (2 * len(error))), rel=1e-9)
    assert all(later <= before + 1e-12 for before, later in zip(history, history[1:], strict=False))


def test_a_step_goes_down_the_gradient_of_the_cost(houses: tuple[torch.Tensor, torch.Tensor, Moments]) -> None:
    dense, target, moments = houses
    theta = torch.zeros(dense.shape[1], dtype=torch.float64, requires_grad=True)
    value = (((dense - moments.mean) @ theta - (target - target.mean())) ** 2).mean() / 2
    (gradient,) = torch.autograd.grad(value, theta)
    stepped, _ = descend(moments, iterations=1, rate=0.1)
    np.testing.assert_allclose(stepped.numpy(), (-0.1 * gradient).numpy(), rtol=1e-9)


def test_the_two_ways_to_a_linear_model_answer_alike(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem = posed("cars").problem
    closed = Ridge().fit(problem, Budget(1), quiet)
    stepped = GradientDescent().fit(problem, Budget(1), quiet)
    if not closed.settings["log_target"]:
        apart = predict(closed.predictor, problem.rows) - predict(stepped.predictor, problem.rows)
        assert np.abs(apart).mean() < 0.05 * problem.target.std()
    assert stepped.curves["J"][-1] < stepped.curves["J"][0] / 2


@pytest.mark.long
def test_every_family_beats_the_baseline_on_real_data(posed: Callable[[str], Set], quiet: Progress) -> None:
    for name in ("cars", "penguins", "income"):
        problem = posed(name).problem
        for family in (Ridge(), GradientDescent(), Softmax(), *FORESTS, *NETS):
            if problem.task in family.tasks:
                fitted = family.fit(problem, Budget(1), quiet)
                assert problem.better(fitted.validation, trivial(posed(name))), (name, family.name)


def trivial(given: Set) -> dict[str, float]:
    problem = given.problem
    if problem.task == "regression":
        answers = np.full(len(problem.target), problem.target.mean())
    else:
        answers = np.tile(np.bincount(problem.target) / len(problem.target), (len(problem.target), 1))
    return problem.score(answers)


def test_an_out_of_fold_answer_is_that_of_the_folds_own_model(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem = posed("cars").problem
    for family in (CatBoost(settings={"iterations": 30}), LightGBM.oblique()):
        fitted = family.fit(problem, Budget(1), quiet)
        (forest,) = fitted.predictor.forests
        dense = forest.inputs.dense(problem.rows)
        for fold, (_, held) in enumerate(problem.folds):
            own = dense[np.ix_(held, forest.columns(fold))]
            tail = RegressionTail(problem.scale)
            assert np.array_equal(answer(forest.boosters[fold], own, tail), fitted.answers[held])


def test_what_a_fold_learns_never_sees_its_own_targets(posed: Callable[[str], Set]) -> None:
    """Ranks and pairs of a fold stay as they are when the targets that it is asked for are turned around."""
    problem = posed("income").problem
    held = problem.fold == 2
    turned = replace(problem, target=np.where(held, 1 - problem.target, problem.target))
    one, other = TreeInputs(problem), TreeInputs(turned)
    assert torch.equal(one.ranks[2], other.ranks[2])
    assert not torch.equal(one.ranks[1], other.ranks[1])
    own = slice(2 * one.pairs.width, 3 * one.pairs.width)
    assert torch.equal(one.pairs.first[own], other.pairs.first[own])


def test_folds_share_every_class_and_follow_from_the_order_alone() -> None:
    target = np.repeat([0, 1, 2], [50, 7, 5])
    fold = assign_folds(target, 3)
    assert all(set(fold[target == code]) == set(range(5)) for code in range(3))
    assert np.array_equal(fold, assign_folds(target, 3))
    assert np.bincount(assign_folds(np.arange(52.0), 0)).tolist() == [11, 11, 10, 10, 10]


def test_the_same_seed_gives_the_same_weights(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem = posed("penguins").problem
    one, other = (Neural(QUICK).fit(problem, Budget(1), quiet).predictor.state_dict() for _ in range(2))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_waves_are_each_ensembles_own_cosines() -> None:
    """Against the formula, number by number; the frequencies begin as wide as told, in waves a unit."""
    torch.manual_seed(0)
    block = PackedPeriodic(3, 4, 200, 0.1)
    assert float(block.frequency.detach().std()) == pytest.approx(2 * math.pi * 0.1, rel=0.1)
    numbers = torch.randn(3, 5, 4)
    found = block(numbers)
    assert found.shape == (3, 5, block.width)
    for ensemble, row, column in ((0, 0, 0), (2, 4, 3), (1, 2, 1)):
        waves = torch.cos(numbers[ensemble, row, column] * block.frequency[ensemble, 0, column]
                          + block.phase[ensemble, 0, column])  # fmt: skip
        expected = waves @ block.mixture[ensemble, column] + block.bias[ensemble, column, 0]
        own = found[ensemble, row, column * block.MADE : (column + 1) * block.MADE]
        torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-5)


def test_a_spent_budget_still_gives_a_model(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem = posed("penguins").problem
    fitted = Neural().fit(problem, Budget(1e-9), quiet)
    assert fitted.settings["epochs"] == 1
    assert Softmax().fit(problem, Budget(1e-9), quiet).settings["penalty"] > 0


class Evaluations(Budget):
    """A budget of a number of looks at it."""

    def __init__(self, looks: int) -> None:
        super().__init__(60.0)
        self.looks = looks

    @property
    def left(self) -> float:
        self.looks -= 1
        return float(max(self.looks, 0))


@pytest.mark.long
def test_logistic_regression_is_sound_wherever_its_budget_ends(quiet: Progress) -> None:
    # Where there is nothing to learn, line searches are long; one that ended early used to leave weights that are NaN.
    chance = np.random.default_rng(17)
    columns = chance.normal(size=(200_000, 2))
    classes = (np.log([0.4, 0.3, 0.2, 0.1]) + chance.gumbel(size=(200_000, 4))).argmax(axis=1)
    table = pl.DataFrame({"a": columns[:, 0], "b": columns[:, 1], "target": np.array(list("wxyz"))[classes]})
    dataset = prepare_table(table.cast(pl.String), Options(spec=Spec(target="target")))
    encoder = Encoder.learn(dataset.columns, dataset.learning.columns)
    problem = pose(dataset, encoder, "logloss", 0, Checkpoints())
    for looks in range(1, 13):
        fitted = Softmax().fit(problem, Evaluations(looks), quiet)
        assert fitted.validation["logloss"] < math.log(4) + 1e-6


def test_missing_and_outlying_numbers() -> None:
    rows = [[float(at), float("nan") if at % 2 else 5.0] for at in range(100)]
    block = Standardised(RawNumbers(numbers(*rows)), numbers(*rows))
    found = block(numbers([float("nan"), float("nan")], [1e30, 5.0], [99.0, 5.0]).groups)
    assert found.shape == (3, 3)  # two numbers, and whether the second was missing
    assert found[0, 0] == pytest.approx(0.0, abs=0.05)  # the median
    assert found[1, 0] == found[2, 0]  # clipped
    assert found[:, 2].tolist() == [1.0, 0.0, 0.0]


def test_a_column_of_nothing_is_harmless() -> None:
    table = numbers(*[[float("nan")]] * 5)
    assert Standardised(RawNumbers(table), table)(table.groups).isfinite().all()
    assert Piecewise(RawNumbers(table), table, 4).width == 0


def test_piecewise_encoding_fills_bins_in_order() -> None:
    table = numbers(*[[float(at)] for at in range(9)])
    block = Piecewise(RawNumbers(table), table, 4)
    found = block(numbers([0.0], [3.0], [8.0], [-5.0], [float("nan")]).groups)
    assert found.tolist() == [[0, 0, 0, 0], [1, 0.5, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]]


def test_codes_that_training_never_saw_get_the_mean_vector() -> None:
    block = PackedEmbedding(2, (3,))
    block.settle(torch.tensor([[0], [0], [2]]))
    (weight,) = block.parameters()
    torch.testing.assert_close(weight[:, 1], (2 * weight[:, 0] + weight[:, 2]) / 3)


def test_a_leaning_target_is_tried_on_its_logarithm() -> None:
    prices = np.exp(np.linspace(0, 8, 500))
    assert [scale.log for scale in target_scales(prices)] == [False, True]
    assert [scale.log for scale in target_scales(prices - 10)] == [False]  # below zero there is none
    assert [scale.log for scale in target_scales(np.arange(500.0))] == [False]
    assert [scale.log for scale in target_scales(prices / 1e6)] == [False]  # log1p bends nothing there


def test_rows_that_were_copied_under_other_ids_share_a_fold() -> None:
    drawn = np.random.default_rng(0)
    frame = pl.DataFrame({f"x{at}": drawn.normal(size=200).round(4) for at in range(3)})
    frame = frame.with_columns(
        pl.Series("kind", drawn.choice(["a", "b", ""], 200)), pl.Series("won", drawn.choice(["no", "yes"], 200))
    )
    copied = pl.concat([frame] * 3).sample(fraction=1.0, shuffle=True, seed=1).with_row_index("id")
    dataset = prepare_table(copied, Options(spec=Spec(target="won")))
    encoder = Encoder.learn(dataset.columns, dataset.learning.columns)
    problem = pose(dataset, encoder, "auc", 0, Checkpoints())
    rows = [tuple(row) for row in np.c_[problem.rows.numbers.numpy(), problem.target].tolist()]
    folds: dict[tuple[float, ...], set[int]] = {}
    for row, fold in zip(rows, problem.fold.tolist(), strict=True):
        folds.setdefault(row, set()).add(fold)
    assert len(rows) == 3 * len(folds) and all(len(each) == 1 for each in folds.values())
    assert np.bincount(problem.fold).min() > 0.8 * len(rows) / 5


@pytest.mark.parametrize("log", [False, True])
def test_the_tail_takes_back_what_the_scale_did(log: bool) -> None:
    target = np.exp(np.linspace(0, 5, 50))
    scale = TargetScale.learn(target, log=log)
    back = RegressionTail(scale)(torch.from_numpy(scale.encode(target)).float()[:, None])
    np.testing.assert_allclose(back[:, 0].numpy(), target, rtol=1e-4)
    wild = RegressionTail(scale)(torch.tensor([[-1e9], [1e9]]))
    assert wild.min() >= 0
    assert wild.max() <= target.max() * 1.11
