"""Intervals, groups, fairness, calibration and importances against what is known: other libraries, and simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fairlearn import metrics as fair
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from dropforge.contract.results import METRICS, PRIMARY, Metrics
from dropforge.datasets.dataset import Groups
from dropforge.metrics import scores as metrics
from dropforge.metrics.evaluation import compare, of_table
from dropforge.metrics.intervals import intervals
from dropforge.metrics.resampling import Resamples, wilson
from dropforge.metrics.weighted import figures_of
from training_container.scoring import groups as grouping
from training_container.scoring.calibration import calibration
from training_container.scoring.groups import score_groups
from training_container.scoring.importance import MOST_CALLS, importances
from training_container.scoring.notes import notes, rare_classes

TASKS = {"regression": 0, "binary": 2, "multiclass": 4}


def made(task: str, rows: int, seed: int = 0, skill: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, a model's answers with many ties among them, and the baseline's."""
    chance, classes = np.random.default_rng(seed), TASKS[task]
    if not classes:
        truth = chance.normal(1e6, 1e5, rows)
        return truth, truth + chance.normal(0, 5e4, rows), np.full(rows, truth.mean())
    truth = np.r_[np.arange(classes), chance.integers(0, classes, rows - classes)]
    odds = chance.normal(size=(rows, classes))
    odds[np.arange(rows), truth] += skill
    answers = np.round(np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True), 2) + 0.01
    answers /= answers.sum(axis=1, keepdims=True)
    return truth, answers, np.tile(np.bincount(truth) / rows, (rows, 1))


@pytest.mark.parametrize("task", TASKS)
def test_drawing_every_row_once_gives_the_metrics(task: Any) -> None:
    truth, answers, _ = made(task, 300)
    found = figures_of(task, truth, answers)(np.ones((2, 300), np.float32))
    expected = metrics.scores(task, truth, answers)
    assert set(found) == set(METRICS[task])
    for name, values in found.items():
        assert values == pytest.approx([expected[name]] * 2, rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_a_resample_scores_as_its_rows_would(task: Any) -> None:
    truth, answers, _ = made(task, 200)
    weights = next(Resamples(200, 3).weights())
    assert (weights.sum(axis=1) == 200).all()
    found = figures_of(task, truth, answers)(weights)
    for at in (0, 7, 31):
        drawn = np.repeat(np.arange(200), weights[at].astype(int))
        expected = metrics.scores(task, truth[drawn], answers[drawn])
        assert {name: values[at] for name, values in found.items()} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_intervals_cover_the_truth_about_as_often_as_they_say(task: Any) -> None:
    name = PRIMARY[task]
    many = made(task, 60_000, seed=99)
    truth, hits, tries = metrics.scores(task, *many[:2])[name], 0, 150
    for seed in range(tries):
        right, answers, _ = made(task, 250, seed=1000 + seed)
        found = intervals(task, right, answers, metrics.scores(task, right, answers), seed)[name]
        hits += found.low <= truth <= found.high
    assert 0.88 <= hits / tries <= 0.995


@pytest.mark.parametrize("task", TASKS)
def test_every_score_of_a_good_model_has_an_interval_and_a_sure_gain(task: Any) -> None:
    truth, answers, trivial = made(task, 20_000)
    found = compare(of_table(task, truth, answers), of_table(task, truth, trivial), 0)
    assert set(found.intervals) == set(found.gains) == set(METRICS[task])
    assert all(each.is_sure for each in found.gains.values())


def test_more_rows_than_are_resampled_give_narrower_intervals_around_the_score() -> None:
    truth, answers, _ = made("binary", 80_000)
    scores = metrics.scores("binary", truth, answers)
    found = intervals("binary", truth, answers, scores, 0)["accuracy"]
    half = 1.96 * np.sqrt(scores["accuracy"] * (1 - scores["accuracy"]) / 80_000)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.15)
    assert found.low < scores["accuracy"] < found.high


def test_wilsons_interval_is_the_known_one() -> None:
    found = wilson(0, 10)  # as tabulated: 0 to 0.2775
    assert (found.low, found.high) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert wilson(10, 10).high == 1.0


def test_groups_are_merged_named_and_compared_as_fairlearn_does() -> None:
    truth, answers, _ = made("binary", 600, skill=0.8)
    labels = np.array(["a"] * 300 + ["b"] * 200 + ["c"] * 60 + ["rare"] * 20 + ["missing"] * 20, dtype=object)
    found = score_groups("binary", truth, answers, "kind", Groups(labels), masked=False, seed=0)
    assert {each.name: each.rows for each in found.groups} == {"a": 300, "b": 200, "c": 60, "other": 20, "missing": 20}
    assert [each.name for each in found.groups] == ["a", "b", "c", "other", "missing"]
    large, guessed = slice(0, 560), answers.argmax(axis=1)
    given = {"sensitive_features": labels[large].astype(str)}
    assert found.fairness == pytest.approx({
        "demographic_parity_difference": fair.demographic_parity_difference(truth[large], guessed[large], **given),
        "demographic_parity_ratio": fair.demographic_parity_ratio(truth[large], guessed[large], **given),
        "equalized_odds_difference": fair.equalized_odds_difference(truth[large], guessed[large], **given),
    })  # fmt: skip
    first = found.groups[0]
    assert first.scores["auc"] == pytest.approx(reference.roc_auc_score(truth[:300], answers[:300, 1]))
    assert first.intervals["auc"].low < first.scores["auc"] < first.intervals["auc"].high
    assert first.answer == pytest.approx(guessed[:300].mean())


def test_a_group_that_is_always_answered_too_high_stands_out() -> None:
    truth, answers, _ = made("regression", 400)
    labels = np.array(["up to 5"] * 200 + ["over 5"] * 200, dtype=object)
    answers = answers + np.where(labels == "over 5", 7e4, 0)
    found = score_groups(
        "regression", truth, answers, "size", Groups(labels, ("up to 5", "over 5")), masked=False, seed=0
    )
    apart = (answers - truth)[200:].mean() - (answers - truth)[:200].mean()
    assert found.fairness["mean_error_difference"] == pytest.approx(apart)
    assert [each.name for each in found.groups] == ["up to 5", "over 5"]


def test_of_more_classes_the_worst_is_told() -> None:
    truth, answers, _ = made("multiclass", 400)
    labels = np.array(["x", "y"] * 200, dtype=object)
    answers[labels == "x"] = [0.1, 0.1, 0.1, 0.7]
    found = score_groups("multiclass", truth, answers, "kind", Groups(labels), masked=False, seed=0).fairness
    share = float((answers[labels == "y"].argmax(axis=1) == 3).mean())
    assert found["demographic_parity_difference"] == pytest.approx(1 - share)
    assert found["demographic_parity_ratio"] == 0.0


def test_masked_groups_are_numbered_not_named() -> None:
    truth, answers, _ = made("binary", 300)
    labels = np.array(["Anna"] * 100 + ["Bob"] * 200, dtype=object)
    found = score_groups("binary", truth, answers, "name", Groups(labels), masked=True, seed=0)
    assert [(each.name, each.rows) for each in found.groups] == [("group 1", 200), ("group 2", 100)]


def test_too_small_groups_are_not_compared() -> None:
    truth, answers, _ = made("binary", 60)
    labels = np.array(["a"] * 40 + ["b"] * 20, dtype=object)
    found = score_groups("binary", truth, answers, "kind", Groups(labels), masked=False, seed=0)
    assert found.fairness == {}
    assert {each.name for each in found.groups} == {"a", grouping.OTHER_GROUP}


def honest_answers(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    said = chance.random(rows)
    return (chance.random(rows) < said).astype(int), np.stack([1 - said, said], axis=1)


def test_a_calibrated_model_is_called_so_and_another_is_not() -> None:
    called = [bool(calibration(*honest_answers(1500, seed), seed).calibrated) for seed in range(60)]
    assert 0.85 <= np.mean(called) <= 1.0
    truth, answers = honest_answers(1500, 1)
    sharp = answers**3 / (answers**3).sum(axis=1, keepdims=True)
    found = calibration(truth, sharp, 0)
    assert found.calibrated is False
    assert found.error > found.by_chance
    assert found.error_interval.low <= found.error <= found.error_interval.high


def test_calibration_is_scikit_learns() -> None:
    truth, answers = honest_answers(1000, 5)
    found = calibration(truth, answers, 0)
    came, said = calibration_curve(truth, answers[:, 1], n_bins=10, strategy="quantile")
    assert [each.came for each in found.table] == pytest.approx(came)
    assert [each.said for each in found.table] == pytest.approx(said)
    assert found.brier == pytest.approx(reference.brier_score_loss(truth, answers[:, 1]))
    assert found.error == pytest.approx(float(np.mean(np.abs(came - said))))
    assert sum(each.rows for each in found.table) == 1000


def test_few_rows_say_nothing_of_calibration() -> None:
    assert calibration(*honest_answers(60, 0), 0).calibrated is None
    truth, answers, _ = made("multiclass", 500)
    onehot = np.eye(4)[truth]
    assert calibration(truth, answers, 0).brier == pytest.approx(float(((answers - onehot) ** 2).sum(axis=1).mean()))


@pytest.mark.parametrize("rows", [500, 9_000])
def test_importances_find_the_columns_that_answer(rows: int) -> None:
    chance = np.random.default_rng(0)
    columns = {name: chance.normal(size=rows) for name in ("much", "little", "nothing")}
    columns["text"] = np.where(chance.random(rows) < 0.5, "on", "off").astype(object)
    asked = []

    def answer(given: dict[str, np.ndarray]) -> np.ndarray:
        asked.append(len(given["much"]))
        return 3 * given["much"] + 0.5 * given["little"] + np.where(given["text"] == "on", 1.0, -1.0)

    truth = answer(columns) + chance.normal(0, 0.5, rows)
    asked.clear()
    found = importances("regression", "rmse", columns, truth, answer, 0)
    assert [each.column for each in found] == ["much", "text", "little", "nothing"]
    assert found[-1].fall == 0
    assert all(each.interval.low > 0 for each in found[:3])
    assert all(each.interval.low <= each.fall <= each.interval.high for each in found)
    assert sum(asked) <= 11_000


def test_many_columns_are_all_measured_on_fewer_rows() -> None:
    chance, asked = np.random.default_rng(0), [0]
    columns = {f"c{at}": chance.normal(size=3_000) for at in range(300)}

    def answer(given: dict[str, np.ndarray]) -> np.ndarray:
        asked[0] += len(given["c0"])
        return given["c7"]

    found = importances("regression", "mae", columns, columns["c7"] + 0.1, answer, 0)
    assert (len(found), found[0].column) == (300, "c7")
    assert asked[0] == 200 * (1 + 300)


def test_of_very_many_columns_those_that_matter_are_measured() -> None:
    """The number of answers has a bound, and no column that the answers depend on is lost among 2,000."""
    chance, asked = np.random.default_rng(0), [0]
    columns = {f"c{at}": chance.normal(size=300) for at in range(2_000)}
    heavy = [f"c{at}" for at in (*range(3, 2_000, 97), 1_998, 1_999)]

    def answer(given: dict[str, np.ndarray]) -> np.ndarray:
        asked[0] += len(given["c0"])
        return sum(given[name] * (at + 5) for at, name in enumerate(heavy)) + 0.01 * given["c0"]

    found = importances("regression", "rmse", columns, answer(columns), answer, 0)
    assert {each.column for each in found[: len(heavy)]} == set(heavy)
    assert found[0].column in heavy[-4:]
    assert all(each.interval.low > 0 for each in found[: len(heavy)])
    assert asked[0] <= 300 + 200 * (MOST_CALLS + 3)


def told(task: Any, truth: np.ndarray, answers: np.ndarray, trivial: np.ndarray) -> Metrics:
    found = compare(of_table(task, truth, answers), of_table(task, truth, trivial), 0)
    name = PRIMARY[task]
    return Metrics(task, name, METRICS[task][name], "m", found.scores, {}, found.other, (), {"holdout": len(truth)},
                   found.intervals, found.other_intervals, found.gains)  # fmt: skip


def test_notes_say_what_is_too_small_and_nothing_where_all_is_well() -> None:
    truth, answers, trivial = made("binary", 1_000)
    assert notes(told("binary", truth, answers, trivial), truth, answers, ("no", "yes")) == ()
    truth, answers, trivial = made("binary", 80, seed=3, skill=0.0)
    found = notes(told("binary", truth, answers, trivial), truth, answers, ("no", "yes"))
    assert "includes 0" in found[0] and "Drop more rows" in found[0]
    assert "Only 80 hold-out rows" in found[1]


def test_notes_name_rare_classes_and_answers_too_good_to_be_true() -> None:
    truth, _, trivial = made("multiclass", 400)
    truth[truth == 2] = 1
    truth[:5] = 2
    right = np.eye(4)[truth] * 0.96 + 0.01
    found = notes(told("multiclass", truth, right, trivial), truth, right, ("a", "b", "c", "d"))
    assert any("“c” (5)" in note for note in found)
    assert any("Not one of 400 hold-out rows was answered wrong" in note for note in found)


def test_classes_left_out_are_named_unless_the_target_is_masked() -> None:
    left_out = {f"kind {at}": 1 + at % 4 for at in range(7)}
    assert rare_classes({}, are_named=True) == ()
    named = rare_classes(left_out, are_named=True)[0]
    assert named.startswith(
        "16 rows of “kind 3” (4), “kind 2” (3), “kind 6” (3), “kind 1” (2), “kind 5” (2) and 2 more left"
    )
    assert rare_classes(left_out, are_named=False)[0].startswith("16 rows of 7 classes left out")
    assert rare_classes({"one": 1}, are_named=True)[0].startswith("1 row of “one” (1) left out")


def test_notes_name_groups_that_cannot_be_compared() -> None:
    truth, answers, trivial = made("binary", 300)
    labels = np.array(["a"] * 290 + ["b"] * 10, dtype=object)
    by = score_groups("binary", truth, answers, "kind", Groups(labels), masked=False, seed=0)
    found = notes(replace(told("binary", truth, answers, trivial), groups=(by,)), truth, answers, ("no", "yes"))
    assert any("Groups of “kind” cannot be compared" in note for note in found)
