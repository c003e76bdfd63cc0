"""Recommenders and clusterings that were killed go on and end alike; a stop leaves a model; budgets are kept."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from sklearn import datasets

from dropforge.contract.results import Metrics
from training_container import budget as budgets
from training_container import trainer
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.tasks.clustering import fitting as clusters
from training_container.tasks.clustering.fitting import Points
from training_container.tasks.recommendation import blend, parts, ranker
from training_container.tasks.recommendation.factors import SAMPLING_ROUNDS, Chain
from training_container.tasks.recommendation.ratings import Ratings

from .opinions import ITEMS, USERS, opinions

if TYPE_CHECKING:
    from pathlib import Path

    from training_container.progress import Progress
    from training_container.tasks.recommendation.blend import Blended


class Killed(BaseException):
    """What stands for a kill."""


@dataclass
class Clock:
    """Stands for the module `time`: it goes on only where a test says so."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of every budget."""
    made = Clock()
    monkeypatch.setattr(budgets, "time", made)
    return made


@pytest.fixture(scope="module")
def ratings() -> tuple[Ratings, Ratings]:
    """Known ratings, and a sixth held back."""
    frame = opinions()
    users = torch.tensor([int(text[1:]) for text in frame["user_id"]])
    items = torch.from_numpy(frame["item_id"].to_numpy() - 100)
    whole = Ratings(users, items, torch.from_numpy(frame["rating"].to_numpy().astype(float)), USERS, ITEMS)
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(0))
    return whole.take(order[220:]), whole.take(order[:220])


def fit(ratings: tuple[Ratings, Ratings], budget: Budget, quiet: Progress, folder: Path | None = None) -> Blended:
    kept = Checkpoints() if folder is None else Checkpoints.open(folder, {"run": "r"})
    return blend.fit(*ratings, seed=0, budget=budget, progress=quiet, checkpoints=kept)


def costs(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, clock: Clock, seconds: float) -> list[float]:
    """From now on each call of `owner.name` takes this long; when each began."""
    plain, began = getattr(owner, name), []

    def timed(*given: object, **named: object) -> object:
        began.append(clock.now)
        clock.now += seconds
        return plain(*given, **named)

    monkeypatch.setattr(owner, name, timed)
    return began


@pytest.mark.parametrize(("minutes", "each"), [(10.0, 5.0), (2.0, 1.1)])
def test_a_recommender_keeps_its_budget(
    ratings: tuple[Ratings, Ratings],
    quiet: Progress,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    minutes: float,
    each: float,
) -> None:
    """A slow round, a slow ranking: what is spent is within 10 % of the budget where the work would take longer."""
    rounds = costs(monkeypatch, Chain, "draw", clock, each)
    implicit = costs(monkeypatch, parts, "implicit", clock, 3 * each)
    costs(monkeypatch, parts, "neighbours", clock, 2 * each)
    budget, chosen = Budget(minutes), []
    choose = ranker.choose_ranker

    def choosing(*given: object) -> object:
        chosen.append(clock.now)
        found = choose(*given)  # type: ignore[arg-type]
        chosen.append(clock.now)
        return found

    monkeypatch.setattr(blend, "choose_ranker", choosing)
    fit(ratings, budget, quiet)
    whole = 60 * minutes
    assert len(rounds) < 6 * SAMPLING_ROUNDS and len(implicit) > 3
    assert 0.9 * whole <= budget.spent <= 1.1 * whole
    assert chosen[0] == pytest.approx(blend.FIRST_FIT * whole, rel=0.1)
    assert chosen[1] - chosen[0] <= blend.RANKING * (whole - chosen[0]) + 3 * each
    assert rounds[3] < 0.1 * whole


def test_a_killed_recommender_goes_on_to_the_bit(ratings: tuple[Ratings, Ratings], quiet: Progress, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Killed in each of its phases: no round is drawn twice but for what came after the last save."""
    monkeypatch.setattr("training_container.tasks.recommendation.factors.SAMPLING_ROUNDS", 12)
    monkeypatch.setattr("training_container.checkpoints.SAVE_SECONDS", 0.0)
    whole = fit(ratings, Budget(5), quiet)
    draw, drawn = Chain.draw, []

    def killing(self: Chain) -> None:
        drawn.append(self.rounds)
        if len(drawn) in (7, 30, 60):
            raise Killed
        draw(self)

    monkeypatch.setattr(Chain, "draw", killing)
    for _ in range(3):
        with pytest.raises(Killed):
            fit(ratings, Budget(5), quiet, tmp_path)
    resumed = fit(ratings, Budget(5), quiet, tmp_path)
    assert len(drawn) == 6 * 12 + 3
    assert torch.equal(resumed.model.tastes.users, whole.model.tastes.users)
    assert torch.equal(resumed.model.ranks.items, whole.model.ranks.items)
    assert (resumed.weights, resumed.validation, resumed.curves) == (whole.weights, whole.validation, whole.curves)


@pytest.mark.parametrize("at", [12, 30, 80])
def test_a_stop_leaves_the_recommender_of_what_was_drawn(ratings: tuple[Ratings, Ratings], quiet: Progress, at: int,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """In the first chain, and while all ratings are learned from: it beats the biases, and shows nothing again."""
    monkeypatch.setattr("training_container.tasks.recommendation.factors.SAMPLING_ROUNDS", 20)
    known, held = ratings
    budget, draw, drawn = Budget(5), Chain.draw, []

    def stopping(self: Chain) -> None:
        drawn.append(self.rounds)
        if len(drawn) == at:
            budget.cut()
        draw(self)

    monkeypatch.setattr(Chain, "draw", stopping)
    found = fit(ratings, budget, quiet)
    assert len(drawn) == at
    assert "stopped" in found.settings
    errors = float((found.model.ratings(held.users, held.items) - held.values).square().mean().sqrt())
    assert errors < found.validation["biases"]["rmse"]
    assert len(found.model.known) == len(known) + len(held)


def test_a_job_is_killed_goes_on_and_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole trainer: the first try leaves checkpoints, the second a model, and checkpoints since it was stopped."""
    monkeypatch.setattr("training_container.tasks.recommendation.factors.SAMPLING_ROUNDS", 12)
    opinions().write_csv(tmp_path / "films.csv")
    folders = {"--data": "films.csv", "--out": "out", "--checkpoints": "kept"}
    given = [word for name, folder in folders.items() for word in (name, str(tmp_path / folder))]
    draw, drawn = Chain.draw, []

    def struck(self: Chain) -> None:
        drawn.append(self.rounds)
        if len(drawn) == 20:
            raise Killed
        if len(drawn) == 40:
            signal.raise_signal(signal.SIGTERM)
        draw(self)

    monkeypatch.setattr(Chain, "draw", struck)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(Killed):
            trainer.main(given)
        assert (tmp_path / "kept" / "first" / "factors-1.done").is_file() and not (tmp_path / "out").exists()
        assert trainer.main(given) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(drawn) == 40
    found = Metrics.from_json(json.loads((tmp_path / "out" / "metrics.json").read_text()))
    blend_of = next(each for each in found.candidates if each.name == "blend")
    assert "stopped" in blend_of.settings and found.gains["rmse"].is_sure
    assert (tmp_path / "kept" / "first" / "factors-1.done").is_file()


@pytest.fixture(scope="module")
def wine() -> np.ndarray:
    found = datasets.load_wine().data
    return ((found - found.mean(0)) / found.std(0))[np.random.default_rng(0).permutation(len(found))].astype(np.float32)


def given(wine: np.ndarray, folder: Path | None = None) -> Points:
    kept = Checkpoints() if folder is None else Checkpoints.open(folder, {"run": "r"})
    return Points(wine[:120], wine[120:], "silhouette", "higher", 0, kept)


def test_a_killed_clustering_goes_on_and_ends_alike(wine: np.ndarray, quiet: Progress, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(clusters, "MOST_CLUSTERS", 4)
    whole = clusters.search(given(wine), Budget(5), quiet)
    plain, fitted = clusters.fit, []

    def killing(way: str, count: int, *rest: object) -> object:
        fitted.append((way, count))
        if len(fitted) == 8:
            raise Killed
        return plain(way, count, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(clusters, "fit", killing)
    with pytest.raises(Killed):
        clusters.search(given(wine, tmp_path), Budget(5), quiet)
    resumed = clusters.search(given(wine, tmp_path), Budget(5), quiet)
    assert len(fitted) == len(set(fitted)) + 1 == 4 * 3 + 1
    points = torch.from_numpy(wine)
    assert torch.equal(resumed.chosen.members(points), whole.chosen.members(points))
    assert [(each.way, each.validation, each.bic) for each in resumed.best] == [
        (each.way, each.validation, each.bic) for each in whole.best
    ]
    np.testing.assert_equal(resumed.curves, whole.curves)


@pytest.mark.parametrize("each", [1.0, 40.0])
def test_a_clustering_keeps_its_budget(wine: np.ndarray, quiet: Progress, clock: Clock, monkeypatch: pytest.MonkeyPatch,
                                       each: float) -> None:  # fmt: skip
    """Ways share what there is; a fit that would not end in time is not begun."""
    fits = costs(monkeypatch, clusters, "fit", clock, each)
    budget = Budget(5.0)
    found = clusters.search(given(wine), budget, quiet)
    assert budget.spent <= 1.1 * 300
    assert len(fits) == (4 * 11 if each == 1 else 7)
    assert len(found.best) == 4


def test_a_stopped_clustering_has_the_best_so_far(wine: np.ndarray, quiet: Progress,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    budget, plain, fitted = Budget(5), clusters.fit, []

    def stopping(way: str, count: int, *rest: object) -> object:
        fitted.append(count)
        if count == 4:
            budget.cut()
        return plain(way, count, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(clusters, "fit", stopping)
    found = clusters.search(given(wine), budget, quiet)
    assert fitted == [2, 3, 4]
    assert (found.chosen.way, found.chosen.clusters) == ("kmeans", 3)
