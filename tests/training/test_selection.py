"""Weights, temperature and guard of the ensemble, tuning, budgets, and what a killed job goes on from."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from dropforge.metrics import scores as metrics
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.models import lightgbm as lightgbm_family
from training_container.models.catboost import CatBoost
from training_container.models.family import Fitted
from training_container.models.lightgbm import LightGBM
from training_container.models.linear import Ridge, Softmax
from training_container.models.network import Settings
from training_container.models.neural import Neural
from training_container.models.packed_training import Trainer
from training_container.models.predictor import at_temperature, predict
from training_container.models.racing import UNJUDGED_EPOCHS
from training_container.tasks.table.ensemble import calibrated, ensemble, greedy, guarded, weighed_by
from training_container.tasks.table.refitting import refit
from training_container.tasks.table.selection import study
from training_container.tasks.table.tuning import tune

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Set

    from training_container.models.bagging import Grown, Part
    from training_container.models.family import Family
    from training_container.progress import Progress

QUICK = Settings(epochs=6, width=24, bins=8)


def test_weights_are_never_worse_than_the_best_member(posed: Callable[[str], Set], quiet: Progress) -> None:
    for name in ("cars", "penguins", "income"):
        problem = posed(name).problem
        families: list[Family] = [LightGBM(), Neural(QUICK), Softmax() if problem.classes else Ridge()]
        fitted = {family.name: family.fit(problem, Budget(1), quiet) for family in families}
        made = ensemble(problem, fitted)
        assert sum(made.settings["weights"].values()) == pytest.approx(1, abs=1e-3)
        if problem.classes:  # of a regression the members are guarded first
            weights = greedy(problem, [each.answers for each in fitted.values()])
            mean = sum(weight * each.answers for weight, each in zip(weights, fitted.values(), strict=True))
            least = min(each.validation[weighed_by(problem)] for each in fitted.values())
            assert problem.score(mean)[weighed_by(problem)] <= least  # log loss
        seen = predict(made.predictor, problem.rows)
        assert problem.score(seen)[problem.metric] != pytest.approx(made.validation[problem.metric])  # rows it has seen


def test_greedy_finds_the_mean_of_errors_that_cancel(posed: Callable[[str], Set]) -> None:
    problem = posed("cars").problem
    noise = np.random.default_rng(0).normal(0, 2, len(problem.target))
    weights = greedy(problem, [problem.target + noise, problem.target - noise, problem.target + 50])
    assert weights == pytest.approx([0.5, 0.5, 0], abs=0.03)


def test_overconfident_probabilities_are_softened() -> None:
    draw = np.random.default_rng(1)
    said = draw.uniform(0.05, 0.95, 4000)
    truth = (draw.uniform(size=4000) < said).astype(np.int64)
    honest = np.column_stack([1 - said, said])
    sharp = at_temperature(torch.from_numpy(honest), 0.5).numpy()
    assert calibrated(truth, sharp) == pytest.approx(2.0, rel=0.1)
    assert calibrated(truth, honest) == pytest.approx(1.0, rel=0.1)
    softened = at_temperature(torch.from_numpy(sharp), 2.0).numpy()
    assert metrics.logloss(truth, softened) < metrics.logloss(truth, sharp)


def test_a_linear_model_is_drawn_back_where_trees_cannot_follow(posed: Callable[[str], Set], quiet: Progress) -> None:
    given = posed("houses")
    problem = given.problem
    members = {"linear": Ridge().fit(problem, Budget(1), quiet), "lightgbm": LightGBM().fit(problem, Budget(1), quiet)}
    safe = guarded(problem, members)
    row = {name: values[:1].copy() for name, values in given.dataset.holdout.columns.items()}
    row["MedInc"][:] = 1e6
    table = given.encoder.encode(row)
    wild, tame, trees = (
        predict(each.predictor, table)[0] for each in (members["linear"], safe["linear"], safe["lightgbm"])
    )
    assert abs(tame - trees) < abs(wild - trees)
    apart = safe["linear"].answers != members["linear"].answers
    assert 0 < apart.mean() <= 0.02  # it hardly ever binds where there is training data


def test_a_forest_that_answers_nothing_in_a_row_draws_nothing_to_infinity(
    posed: Callable[[str], Set], quiet: Progress
) -> None:
    problem = posed("houses").problem
    members = {"linear": Ridge().fit(problem, Budget(1), quiet), "lightgbm": LightGBM().fit(problem, Budget(1), quiet)}
    for name in members:
        members[name].answers[7] = 0
    safe = guarded(problem, members)
    assert np.isfinite(safe["linear"].answers).all() and safe["linear"].answers[7] == 0


@pytest.mark.parametrize("search", ["tpe", "random", "grid"])
def test_tuning_searches_the_best_family(posed: Callable[[str], Set], quiet: Progress, search: str) -> None:
    problem = posed("penguins").problem
    families: dict[str, Family] = {"linear": Softmax(), "lightgbm": LightGBM()}
    start = time.monotonic()
    ((name, fitted, seconds),) = tune(
        problem, [("linear", 0.1), ("lightgbm", 0.2)], families, search, Budget(0.1), quiet
    )  # type: ignore[arg-type]
    assert time.monotonic() - start < 12
    assert (name, fitted.settings.keys() >= {"num_leaves", "learning_rate"}) == ("lightgbm-tuned", True)
    assert seconds > 0
    assert tune(problem, [("lightgbm", 0.2)], families, "none", Budget(0.1), quiet) == []


def test_the_best_family_is_tuned_that_there_is_time_for(posed: Callable[[str], Set], quiet: Progress) -> None:
    families: dict[str, Family] = {"neural": Neural(QUICK), "lightgbm": LightGBM()}
    ranked = [("neural", 100.0), ("lightgbm", 0.2)]
    ((name, _, _),) = tune(posed("penguins").problem, ranked, families, "random", Budget(0.05), quiet)
    assert name == "lightgbm-tuned"


def test_a_flavour_that_is_far_behind_is_given_up(posed: Callable[[str], Set], quiet: Progress) -> None:
    """One that learns nothing in its time is behind after the first folds; one that differs by chance is not."""
    dataset, seen = posed("cars").dataset, []

    class Stub(LightGBM):
        def grow(self, part: Part, budget: Budget, progress: Progress) -> Grown:
            seen.append(part.name)
            return super().grow(part, budget, progress)

    slow = Stub("slow", {"learning_rate": 1e-6}, rival="lightgbm")
    near = LightGBM("near", {"seed": 1}, rival="lightgbm")
    families = ((LightGBM(), 0.3), (slow, 0.3), (near, 0.3))
    done = study(dataset, metric=None, budget=Budget(0.5), seed=0, progress=quiet, search="none", families=families)
    assert [trial.name for trial in done.trials] == ["lightgbm", "near"]
    assert 0 < len([name for name in seen if name.startswith("slow")]) < 5


@pytest.mark.parametrize("rate", [1e-7, 3e-3])
def test_a_flavour_of_the_networks_is_given_up_by_its_first_epochs(
    posed: Callable[[str], Set], quiet: Progress, rate: float
) -> None:
    plain, epochs = Neural(replace(QUICK, epochs=30)), []
    other = Neural(replace(QUICK, epochs=30, patience=30, waves=8, rate=rate), "other", rival="neural")
    epoch = Trainer._epoch

    def counted(self: Trainer, budget: Budget) -> None:
        epochs.append(self.name)
        epoch(self, budget)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Trainer, "_epoch", counted)
        done = study(posed("cars").dataset, metric=None, budget=Budget(1), seed=0, progress=quiet, search="none",
                     families=((plain, 0.5), (other, 0.9)))  # fmt: skip
    assert ("other" in {trial.name for trial in done.trials}) == (rate == 3e-3)
    assert epochs.count("other") == (UNJUDGED_EPOCHS + 1 if rate == 1e-7 else 30)


def test_waves_are_tried_where_networks_are_near_the_best(posed: Callable[[str], Set]) -> None:
    problem = posed("cars").problem
    best = Fitted(None, problem.target + 1.0, {})  # type: ignore[arg-type]  # no model is asked
    for error, tried in ((1.1, True), (1.2, False)):
        fitted = {"lightgbm": best, "neural": replace(best, answers=problem.target + error)}
        assert Neural.periodic().worthwhile(problem, Budget(60), fitted) is tried
    assert not Neural.periodic().worthwhile(problem, Budget(60), {"lightgbm": best})
    rows = replace(problem.rows, numbers=problem.rows.numbers[:, :0], dates=problem.rows.dates[:, :0])
    codes = replace(problem, rows=rows)
    assert not Neural.periodic().worthwhile(codes, Budget(60), {"neural": best})  # nothing that could be waves
    assert not Neural.periodic().worthwhile(problem, Budget(0), {"neural": best})


def test_catboost_reads_pairs_where_they_have_paid(posed: Callable[[str], Set]) -> None:
    problem = posed("cars").problem
    made = Fitted(None, problem.target, {"rmse": 2.0})  # type: ignore[arg-type]  # no model is asked
    for paired, pays in ((1.98, True), (1.995, False), (2.1, False)):
        fitted = {"lightgbm": made, "lightgbm-oblique": replace(made, validation={"rmse": paired})}
        assert CatBoost.oblique().worthwhile(problem, Budget(1), fitted) is pays
        assert CatBoost().worthwhile(problem, Budget(1), fitted) is not pays
    assert CatBoost().worthwhile(problem, Budget(1), {}) and not CatBoost.oblique().worthwhile(problem, Budget(1), {})


@pytest.mark.parametrize("family", [LightGBM(), CatBoost(), Neural(QUICK)], ids=lambda each: each.name)
def test_a_second_seed_makes_a_mean(posed: Callable[[str], Set], quiet: Progress, family: Family) -> None:
    problem = posed("cars").problem
    first = family.fit(problem, Budget(1), quiet)
    both = refit(problem, family, first, Budget(1), quiet)
    assert both.settings["seeds"] == [problem.seed, problem.seed + 1]
    second = both.answers * 2 - first.answers
    assert np.abs(second - first.answers).max() > 0  # chance made another one
    rows = problem.rows.take(slice(0, 50))
    apart = [predict(each.predictor, rows) for each in (first, both)]
    assert np.abs(apart[0] - apart[1]).max() > 0
    assert len({forest.name for forest in both.predictor.forests}) == 2 * len(first.predictor.forests)
    scores = [problem.score(each)["rmse"] for each in (first.answers, second, both.answers)]
    assert scores[2] < max(scores[:2])


def test_a_second_fit_that_is_cut_does_not_pull_down_the_first(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem = posed("cars").problem
    first = LightGBM().fit(problem, Budget(1), quiet)
    assert refit(problem, LightGBM(), first, Budget(0.0), quiet) is first  # one round a fold


def test_what_the_ensemble_leans_on_is_fitted_again(posed: Callable[[str], Set], quiet: Progress) -> None:
    dataset, families = posed("cars").dataset, [(Ridge(), 0.1), (LightGBM(), 0.3)]
    done = study(dataset, metric=None, budget=Budget(1), seed=3, progress=quiet, search="none", families=families)
    seeds = {trial.name: trial.fitted.settings.get("seeds") for trial in done.trials}
    assert seeds == {"linear": None, "lightgbm": [3, 4]}  # a linear model leaves nothing to chance
    done = study(dataset, metric=None, budget=Budget(0.0), seed=3, progress=quiet, search="none", families=families)
    assert [trial.fitted.settings.get("seeds") for trial in done.trials] == [None]


@pytest.mark.long
def test_a_budget_is_kept_and_its_first_tenth_leaves_a_model(posed: Callable[[str], Set], quiet: Progress) -> None:
    budget = Budget(0.3)
    done = study(posed("houses").dataset, metric=None, budget=budget, seed=0, progress=quiet)
    assert budget.spent < 0.3 * 60 * 1.1 + 2  # seconds: an epoch or a wave that had begun
    assert done.trials[0].name == "linear"
    assert done.trials[0].seconds < 0.1 * 0.3 * 60


def test_a_cut_budget_ends_all_its_parts() -> None:
    whole = Budget(5)
    part = whole.part(0.5).part(0.5)
    assert 70 < part.left <= 75
    whole.cut()
    assert (whole.left, part.left) == (0.0, 0.0)


class Killed(BaseException):
    """What stands for a kill."""


@pytest.mark.parametrize("family", [LightGBM(), CatBoost(settings={"iterations": 120}), Neural(QUICK)])
def test_a_killed_job_goes_on_and_ends_alike(
    posed: Callable[[str], Set], quiet: Progress, tmp_path: Path, family: Family
) -> None:
    """The parts that were done are not done again, and the answers are those of a job that nobody killed."""
    problem = replace(posed("penguins").problem, checkpoints=Checkpoints.open(tmp_path, {"run": "r"}))
    whole = family.fit(replace(problem, checkpoints=Checkpoints()), Budget(1), quiet)
    with pytest.raises(Killed):
        family.fit(problem, Budget(1), quiet, after=_kill_at(3))  # type: ignore[call-arg]
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.done")}
    resumed = family.fit(problem, Budget(1), quiet)
    np.testing.assert_allclose(resumed.answers, whole.answers, atol=1e-6)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert kept or isinstance(family, Neural)


def _kill_at(step: int) -> Callable[[int, float], None]:
    def after(at: int, _: float) -> None:
        if at >= step:
            raise Killed

    return after


def test_lightgbm_goes_on_within_a_fold(
    posed: Callable[[str], Set], quiet: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fold killed in its middle is continued from its last save and ends within noise of the whole."""
    problem = replace(posed("cars").problem, checkpoints=Checkpoints.open(tmp_path, {"run": "r"}))
    whole = LightGBM().fit(replace(problem, checkpoints=Checkpoints()), Budget(1), quiet)
    monkeypatch.setattr("training_container.checkpoints.SAVE_SECONDS", 0.0)
    monitor = lightgbm_family.TrainingMonitor.__call__

    def killed(self: lightgbm_family.TrainingMonitor, env: object) -> None:
        monitor(self, env)  # type: ignore[arg-type]
        if env.iteration == 30:  # type: ignore[attr-defined]
            raise Killed

    monkeypatch.setattr(lightgbm_family.TrainingMonitor, "__call__", killed)
    with pytest.raises(Killed):
        LightGBM().fit(problem, Budget(1), quiet)
    assert list(tmp_path.rglob("*.begun"))
    monkeypatch.setattr(lightgbm_family.TrainingMonitor, "__call__", monitor)
    resumed = LightGBM().fit(problem, Budget(1), quiet)
    assert resumed.validation["rmse"] == pytest.approx(whole.validation["rmse"], rel=0.05)
    assert not list(tmp_path.rglob("*.begun"))


def test_checkpoints_of_another_job_are_removed(tmp_path: Path) -> None:
    first = Checkpoints.open(tmp_path, {"run": "a"})
    first.keep("x/y", b"1")
    assert Checkpoints.open(tmp_path, {"run": "a"}).read("x/y") == b"1"
    assert Checkpoints.open(tmp_path, {"run": "b"}).read("x/y") is None
    assert Checkpoints().read("x/y") is None


def test_the_holdout_decides_nothing(posed: Callable[[str], Set], quiet: Progress) -> None:
    given = posed("penguins").dataset
    turned = replace(given, holdout=replace(given.holdout, target=given.holdout.target[::-1].copy()))
    families: list[tuple[Family, float]] = [(Softmax(), 1.0), (LightGBM(), 1.0)]
    one, other = (
        study(each, metric=None, budget=Budget(1), seed=0, progress=quiet, families=families, search="none")
        for each in (given, turned)
    )
    assert np.array_equal(one.chosen.fitted.answers, other.chosen.fitted.answers)
    assert one.chosen.fitted.settings == other.chosen.fitted.settings
