"""The rules of the verdict over plain values: what a recommender, a hold-out of one class and equal scores come to."""

from __future__ import annotations

from typing import Any

import pytest

from dropforge.contract.results import METRICS
from dropforge.contract.scores import Gain, Interval
from dropforge.contract.spec import Replace
from dropforge.metrics.evaluation import Comparison
from lambdas.pipeline.judge.champion import ChampionResult
from lambdas.pipeline.judge.evidence import EvidenceFault, Holdout
from lambdas.pipeline.judge.verdict import Evidence, verdict


def gains(task: str, ours: dict[str, float], theirs: dict[str, float], half: float) -> dict[str, Gain]:
    """Gains with intervals of this half-width."""
    signs = {name: 1.0 if METRICS[task][name] == "higher" else -1.0 for name in ours}
    values = {name: signs[name] * (ours[name] - theirs[name]) for name in ours.keys() & theirs.keys()}
    return {name: Gain(value, Interval(value - half, value + half)) for name, value in values.items()}


def evidence(
    task: str, metric: str, ours: dict[str, float], trivial: dict[str, float], live: dict[str, float] | None = None,
    half: float = 0.001, **more: Any,
) -> Evidence:  # fmt: skip
    comparison = Comparison(ours, {}, trivial, {}, gains(task, ours, trivial, half))
    champion = ChampionResult() if live is None else ChampionResult("4", live, gains(task, ours, live, half))
    return Evidence(metric=metric, task=task, sha256="0" * 64, parity=0.0, rows=100, comparison=comparison,
                    champion=champion, **more)  # fmt: skip


POPULAR = {"rmse": 1.12, "mae": 0.94, "ndcg@10": 0.0181, "recall@10": 0.02}
LISTS = {"rmse": 0.95, "mae": 0.75, "ndcg@10": 0.09, "recall@10": 0.08}


def test_a_recommender_of_good_ratings_and_worse_lists_is_refused() -> None:
    found = verdict(evidence("recommendation", "rmse", {**LISTS, "ndcg@10": 0.0078}, POPULAR))
    assert found.outcome == "refused"
    assert "worse than the trivial baseline in ndcg@10: ndcg@10 0.0078 against 0.0181" in found.reasons[0]
    accepted = verdict(evidence("recommendation", "rmse", {**LISTS, "ndcg@10": 0.0078}, POPULAR, unproven=True))
    assert accepted.outcome == "approved" and "ndcg@10" in accepted.notes[0]


def test_a_recommender_of_good_lists_and_worse_ratings_is_refused_when_lists_decide() -> None:
    found = verdict(evidence("recommendation", "ndcg@10", {**LISTS, "rmse": 1.2}, POPULAR))
    assert found.outcome == "refused" and "worse than the trivial baseline in rmse" in found.reasons[0]


def test_a_recommender_whose_lists_are_surely_worse_than_the_live_ones_is_refused() -> None:
    worse = evidence("recommendation", "rmse", LISTS, POPULAR, {**LISTS, "ndcg@10": 0.12})
    assert "worse than the live version 4: ndcg@10" in verdict(worse).reasons[0]
    perhaps = evidence("recommendation", "rmse", LISTS, POPULAR, {**LISTS, "ndcg@10": 0.092}, half=0.01)
    assert verdict(perhaps).outcome == "approved"


def test_a_recommender_that_is_better_in_all_is_approved() -> None:
    assert verdict(evidence("recommendation", "rmse", LISTS, POPULAR, POPULAR)).outcome == "approved"


@pytest.mark.parametrize("unproven", [False, True])
def test_a_hold_out_without_the_deciding_score_proves_nothing(unproven: bool) -> None:
    ours, trivial = {"logloss": 0.1, "accuracy": 1.0, "f1": 1.0}, {"logloss": 0.7, "accuracy": 0.5, "f1": 0.6}
    found = verdict(evidence("binary", "auc", ours, trivial, unproven=unproven))
    assert found.outcome == ("approved" if unproven else "refused")
    assert "auc cannot be compared with the trivial baseline on 100 hold-out rows" in (*found.reasons, *found.notes)[0]


@pytest.mark.parametrize(("live", "outcome"), [(0.5, "approved"), (0.499, "refused"), (0.501, "approved")])
def test_as_good_as_the_live_one_may_serve_and_worse_may_not(live: float, outcome: str) -> None:
    found = verdict(evidence("regression", "rmse", {"rmse": 0.5}, {"rmse": 1.0}, {"rmse": live}))
    assert found.outcome == outcome
    wished = evidence("regression", "rmse", {"rmse": 0.5}, {"rmse": 1.0}, {"rmse": live}, replace=Replace(worse=True))
    assert verdict(wished).outcome == "approved"


def test_a_live_version_without_the_deciding_score_is_not_compared() -> None:
    found = verdict(evidence("binary", "auc", {"auc": 0.9}, {"auc": 0.5}, {"logloss": 0.4}))
    assert found.outcome == "refused" and "there is no auc on these rows" in found.reasons[0]


def test_files_of_an_older_trainer_say_what_to_do() -> None:
    with pytest.raises(EvidenceFault, match="older trainers did not write it; drop the data again"):
        Holdout.read(b"", None)
