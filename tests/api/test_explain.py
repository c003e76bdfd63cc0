"""`?explain=true` over proxy events: what it adds, and every refusal in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.calls import Reply, post
from tests.serving.little import TASKS, Little, little, trained
from tests.steps.cloud import HANDLERS

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud


def explain(rows: Any, **query: str) -> Reply:
    """Predicts with a query."""
    return post(rows, queryStringParameters=query)


@pytest.mark.parametrize("task", TASKS)
def test_every_row_gets_what_its_answer_is_made_of(cloud: Cloud, task: str) -> None:
    made = little(task, cloud.serve(task, "flowers"))
    rows = [*made.rows(3), {**made.row(1), "x1": None, "colour": "never seen"}]
    plain, reply = post(rows), explain(rows, explain="true")
    assert reply.status == 200 and "explanations" not in plain.body
    assert {name: reply.body[name] for name in plain.body if name != "ids"} == {
        name: value for name, value in plain.body.items() if name != "ids"
    }
    for at, each in enumerate(reply.body["explanations"]):
        label = reply.body["predictions"][at]
        answer = label if task == "regression" else max(reply.body["probabilities"][at].values())
        assert each["class"] == (None if task == "regression" else label)
        assert each["base"] + sum(each["contributions"].values()) == pytest.approx(answer, rel=1e-6)
        assert set(each["contributions"]) == set(rows[0])


def test_one_class_s_probability_for_all_rows(cloud: Cloud) -> None:
    made = little("binary", cloud.serve("binary", "flowers"))
    body = explain(made.rows(4), explain="true", **{"class": "true"}).body
    for shares, each in zip(body["probabilities"], body["explanations"], strict=True):
        assert each["class"] is True
        assert each["base"] + sum(each["contributions"].values()) == pytest.approx(shares["true"], rel=1e-6)


@pytest.mark.parametrize(
    ("query", "field"), [({"explain": "1"}, "explain"), ({"explain": "true", "class": "blue"}, "class")]
)
def test_a_wrong_query_is_named(cloud: Cloud, query: dict[str, str], field: str) -> None:
    cloud.serve("multiclass", "flowers")
    reply = explain(little("multiclass").rows(1), **query)
    assert (reply.status, reply.code, reply.field) == (400, "wrong_query", field)
    assert "expected" in reply.body["error"]["message"] and "got" in reply.body["error"]["message"]


def test_false_and_other_parameters_change_nothing(cloud: Cloud) -> None:
    made = little("regression", cloud.serve("regression", "flowers"))
    for query in ({"explain": "false"}, {"other": "true"}, None):
        reply = post(made.rows(2), queryStringParameters=query)
        assert reply.status == 200 and "explanations" not in reply.body


def test_a_model_of_before_answers_but_does_not_explain(cloud: Cloud) -> None:
    run = cloud.claim("datasets/flowers/a.csv")["run"]
    old = little("binary", run)
    files = trained(Little(**{**vars(old), "broken": {"background": True}}))
    HANDLERS["register"]({"run": run, "model": "flowers", **cloud.judged("binary", run, files=files)}, None)
    HANDLERS["promote"]({"run": run, "model": "flowers", "version": "1"}, None)
    assert post(old.rows(1)).status == 200
    reply = explain(old.rows(1), explain="true")
    assert (reply.status, reply.code) == (409, "no_background") and "retrain" in reply.body["error"]["message"]


def test_too_many_rows_are_refused_with_the_limit(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers")
    reply = explain(little("regression").rows(442), explain="true")
    assert (reply.status, reply.code) == (413, "too_many_rows")
    assert "at most" in reply.body["error"]["message"] and "442" in reply.body["error"]["message"]
