"""Explanations add up, are right where the truth is known, and are the same whoever asks beside."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pytest

from dropforge.contract.schema import ImageInput
from dropforge.inference import explain
from dropforge.inference.explain import explanations
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.inference.model import Answers, ServedModel
from dropforge.inference.protocols.refusals import refusal_of
from dropforge.inference.rows import Rows, to_arrays
from tests.serving.little import Little, little

ASKED = {"explain": "true"}


def told(served: ServedModel, rows: list[dict[str, Any]], **query: str) -> tuple[list[dict[str, Any]], Answers]:
    """The explanations of rows, and the answers."""
    arrays = to_arrays(Rows({}, len(rows), records=rows), served.card)
    answers = served.predict(arrays)
    return explanations({**ASKED, **query}, served, arrays, answers)["explanations"], answers


def loaded(made: Little) -> ServedModel:
    return ServedModel.from_bytes(made.body, made.sha256)


def odd_rows(made: Little) -> list[dict[str, Any]]:
    """Ordinary rows, gaps everywhere, a category that is unknown, and numbers far out."""
    nothing = dict.fromkeys(made.columns)
    far = {"x0": 1e6, "x1": -1e6, "x2": 0.0, "x3": None, "colour": "red"}
    return [*made.rows(6), nothing, {**made.row(1), "colour": "never seen"}, far]


def test_base_and_contributions_add_up_to_the_answer(made: Little, served: ServedModel) -> None:
    found, answers = told(served, odd_rows(made))
    for at, each in enumerate(found):
        if answers.probabilities is None:
            answer, expected = answers.predictions[at], None
        else:
            answer, expected = float(answers.probabilities[at].max()), answers.predictions[at]
        assert each["class"] == expected
        assert each["base"] + sum(each["contributions"].values()) == pytest.approx(answer, rel=1e-6, abs=1e-9)
        assert list(each["contributions"]) == list(each["errors"]) == list(made.columns)
        assert all(error >= 0 for error in each["errors"].values())


def test_the_base_is_the_mean_answer_of_the_background(made: Little, served: ServedModel) -> None:
    expected = made.expected({name: list(values) for name, values in made.compared.items()}).reshape(
        len(made.compared["x0"]), -1
    )
    for place, name in enumerate(made.card.classes or [None]):
        found, _ = told(served, made.rows(1), **({} if name is None else {"class": name}))
        assert found[0]["base"] == pytest.approx(expected[:, place].mean(), rel=1e-5)


def test_a_linear_model_s_contributions_have_a_closed_form() -> None:
    """Weight times the distance from the background's mean (Lundberg & Lee 2017, corollary 1)."""
    made = little("regression")
    rows = made.rows(20)
    found, _ = told(loaded(made), rows)
    compared = {name: list(values) for name, values in made.compared.items()}
    for row, each in zip(rows, found, strict=True):
        for at, name in enumerate(made.columns):
            alone = {other: [0.0 if other != "colour" else "red"] for other in made.columns}

            def answer(value: Any, name: str = name, alone: dict[str, list[Any]] = alone) -> float:
                return float(made.expected({**alone, name: [value]})[0])

            mean = float(np.mean([answer(value) for value in compared[name]]))
            assert each["contributions"][name] == pytest.approx(answer(row[name]) - mean, rel=1e-4, abs=1e-3), at


def test_a_column_that_the_model_does_not_read_adds_nothing() -> None:
    made = little("multiclass")
    weights = made.weights.copy()
    weights[2] = 0.0
    found, _ = told(loaded(replace(made, weights=weights)), made.rows(10))
    assert {each["contributions"]["x2"] for each in found} == {0.0} == {each["errors"]["x2"] for each in found}
    assert all(each["contributions"]["x0"] != 0 for each in found)


def test_a_row_is_explained_alike_whoever_stands_beside_it(made: Little) -> None:
    rows = odd_rows(made)
    together, _ = told(loaded(made), rows)
    for at, row in enumerate(rows):
        (alone,), _ = told(loaded(made), [row])
        for part in ("contributions", "errors"):
            assert alone[part] == pytest.approx(together[at][part], rel=1e-5, abs=1e-7)


def exact(made: Little, row: dict[str, Any], place: int) -> np.ndarray:
    """Shapley values by their definition, over all coalitions, in numpy: [columns]."""
    names = list(made.columns)
    rows = len(made.compared["x0"])
    worth = {}
    for size in range(len(names) + 1):
        for chosen in combinations(range(len(names)), size):
            mixed = {
                name: [row[name]] * rows if at in chosen else list(made.compared[name]) for at, name in enumerate(names)
            }
            worth[chosen] = made.expected(mixed).reshape(rows, -1)[:, place].mean()
    found = np.zeros(len(names))
    for chosen, value in worth.items():
        for at in set(range(len(names))) - set(chosen):
            share = factorial(len(chosen)) * factorial(len(names) - len(chosen) - 1) / factorial(len(names))
            found[at] += share * (worth[tuple(sorted((*chosen, at)))] - value)
    return found


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_contributions_are_the_exact_ones_within_their_error(task: str) -> None:
    """Probabilities of real flowers and wines: a softmax, in which all columns interact."""
    made = little(task)
    rows = made.rows(len(made.target))[::7]
    found, answers = told(loaded(made), rows)
    assert answers.probabilities is not None
    places = answers.probabilities.argmax(axis=1)
    right = np.array([exact(made, row, place) for row, place in zip(rows, places, strict=True)])
    ours = np.array([list(each["contributions"].values()) for each in found])
    errors = np.array([list(each["errors"].values()) for each in found])
    assert np.abs(ours - right).max() > 1e-6  # it is a sample, of orders
    assert (np.abs(ours - right) <= 2 * errors + 1e-6).mean() > 0.95
    assert np.abs(ours - right).mean() < 0.05 * np.abs(right).mean()


@pytest.mark.parametrize(
    ("query", "status", "field", "words"),
    [
        ({"explain": "yes"}, 400, "explain", "expected true or false, got 'yes'"),
        ({"explain": ""}, 400, "explain", "expected true or false, got ''"),
        ({"explain": "true", "class": "9"}, 400, "class", "'0', '1', '2'; got '9'"),
    ],
)
def test_wrong_queries_are_named(query: dict[str, str], status: int, field: str, words: str) -> None:
    with pytest.raises(InputFault) as fault:
        told(loaded(little("multiclass")), little("multiclass").rows(1), **query)
    assert (refusal_of(fault.value).status, refusal_of(fault.value).field) == (status, field) and words in str(
        fault.value
    )


def test_a_regression_has_no_classes() -> None:
    with pytest.raises(InputFault, match="predicts numbers"):
        told(loaded(little("regression")), little("regression").rows(1), **{"class": "a"})


def test_nothing_is_added_where_it_is_not_wanted() -> None:
    served = loaded(little("binary"))
    arrays = to_arrays(Rows({}, 1, records=little("binary").rows(1)), served.card)
    assert explanations({"explain": "false"}, served, arrays, served.predict(arrays)) == {}


def test_another_class_on_request_and_all_add_up_to_nothing() -> None:
    """Probabilities add up to one, so the contributions to all of them add up to nothing."""
    served, rows = loaded(little("multiclass")), little("multiclass").rows(5)
    every = [told(served, rows, **{"class": name})[0] for name in ("0", "1", "2")]
    assert [each[0]["class"] for each in every] == [0, 1, 2]
    for at in range(5):
        total = sum((Counter(each[at]["contributions"]) for each in every), Counter())
        whole = {name: sum(each[at]["contributions"][name] for each in every) for name in total}
        assert whole == pytest.approx(dict.fromkeys(whole, 0.0), abs=1e-6)
        assert sum(each[at]["base"] for each in every) == pytest.approx(1)


def test_a_model_of_before_says_to_retrain() -> None:
    old = replace(little("binary"), broken={"background": True})
    with pytest.raises(InputFault, match="drop its data again") as fault:
        told(loaded(old), old.rows(1))
    assert refusal_of(fault.value).status == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x0": None}, "KeyError"),
        ({"x0": ("a", "b")}, "wrong_type|expected a number"),
        ({"x0": (1.0, 2.0)}, "got columns of"),
        ({name: (None,) for name in ("x0", "x1", "x2", "x3", "colour")}, "2 rows to explain with or more"),
        ({name: (3e38, -3e38) for name in ("x0", "x1", "x2", "x3")} | {"colour": ("", "")}, "finite answers"),
    ],
)
def test_a_broken_background_is_the_model_s_fault(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str
) -> None:
    made = little("regression")
    kept = {name: values for name, values in {**made.compared, **change}.items() if values is not None}
    monkeypatch.setattr(Little, "compared", kept)
    with pytest.raises(ModelFault, match=words):
        told(loaded(made), made.rows(1))
    with pytest.raises(ModelFault, match=words):
        explain.check(loaded(made))


def test_a_file_without_a_background_is_no_fault_of_it() -> None:
    explain.check(loaded(replace(little("binary"), broken={"background": True})))


@pytest.mark.parametrize("change", [{"image": ImageInput(8, 8, 1)}, {"task": "recommendation", "classes": ()}])
def test_what_has_no_table_is_not_explained(change: dict[str, Any]) -> None:
    served = loaded(little("binary"))
    arrays = to_arrays(Rows({}, 1, records=little("binary").rows(1)), served.card)
    other = ServedModel(served.session, replace(served.card, **change), served.size)
    with pytest.raises(InputFault, match="leave explain out") as fault:
        explanations(ASKED, other, arrays, served.predict(arrays))
    assert refusal_of(fault.value).status == 422


def test_too_many_rows_are_refused_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made, served = little("regression"), loaded(little("regression"))
    monkeypatch.setattr(explain, "MOST_ASKED", 3 * explain.background(served).asked)
    assert len(told(served, made.rows(3))[0]) == 3
    with pytest.raises(InputFault, match="at most 3 rows to explain in one request to this model, got 4") as fault:
        told(served, made.rows(4))
    assert refusal_of(fault.value).status == 413


def test_a_slow_model_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "SECONDS", -1.0)
    with pytest.raises(InputFault, match="too slow") as fault:
        told(loaded(little("regression")), little("regression").rows(2))
    assert refusal_of(fault.value).status == 413


def test_a_mixture_without_a_finite_answer_names_the_row() -> None:
    """The row itself has one, as its second huge number takes the first one back."""
    made = little("regression")
    weights = np.array([[1e37], [0], [1e37], [0], [0]], np.float32)
    rows = [made.row(0), {**made.row(0), "x0": 34.0, "x2": -10.0}]
    with pytest.raises(InputFault, match=r"rows\[1\]: the model has no finite answer near it") as fault:
        told(loaded(replace(made, weights=weights)), rows)
    assert refusal_of(fault.value).status == 422
