"""`?errors=skip`: a row that the model cannot read costs the others nothing, and is named with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.calls import Reply, post
from tests.serving.little import TASKS, Little, little

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.steps.cloud import Cloud

OLD = {"x0": "old"}
NESTED = {"colour": ["red"]}
LISTS = ("predictions", "probabilities", "ids", "recommendations")


def skip(body: Any, **more: Any) -> Reply:
    """Predicts what can be read."""
    return post(body, queryStringParameters={"errors": "skip", **more.pop("query", {})}, **more)


def changed(rows: Sequence[dict[str, Any]], changes: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, **changes.get(at, {})} for at, row in enumerate(rows)]


@pytest.fixture
def binary(cloud: Cloud) -> Little:
    return little("binary", cloud.serve("binary", "flowers"))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("wrong", [[], [0], [8], [0, 1, 2], [2, 5, 7], [*range(1, 9)]], ids=str)
def test_the_others_are_answered_as_if_they_were_alone(cloud: Cloud, task: str, wrong: list[int]) -> None:
    made = little(task, cloud.serve(task, "flowers"))
    rows = made.rows(9)
    reply = skip(changed(rows, {at: OLD if at % 2 else NESTED for at in wrong}))
    alone = post([row for at, row in enumerate(rows) if at not in wrong]).body
    good = [at for at in range(9) if at not in wrong]
    assert reply.status == 200
    assert [reply.body["predictions"][at] for at in good] == alone["predictions"]
    if alone["probabilities"] is not None:
        assert [reply.body["probabilities"][at] for at in good] == alone["probabilities"]
    for name in LISTS:
        assert reply.body[name] is None or [reply.body[name][at] for at in wrong] == [None] * len(wrong)
    assert [(each["row"], each["column"]) for each in reply.body["refused"]] == [
        (at, "x0" if at % 2 else "colour") for at in wrong
    ]


def test_a_reason_is_the_one_of_a_refused_request(binary: Little) -> None:
    rows = changed(binary.rows(3), {1: OLD})
    error = post(rows).body["error"]
    (refused,) = skip(rows).body["refused"]
    assert error["message"] == f"{error['field']}: {refused['reason']}"
    assert (refused["row"], refused["column"], refused["code"]) == (error["row"], error["column"], error["code"])


@pytest.mark.parametrize("task", TASKS)
def test_no_row_may_be_left(cloud: Cloud, task: str) -> None:
    made = little(task, cloud.serve(task, "flowers"))
    reply = skip(changed(made.rows(2), {0: OLD, 1: OLD}))
    assert (reply.status, reply.body["predictions"], reply.body["ids"]) == (200, [None, None], [None, None])
    assert reply.body["probabilities"] == (None if task == "regression" else [None, None])
    assert set(reply.body) == {*post(made.rows(2)).body, "refused"}


def test_ten_thousand_wrong_rows_are_one_request(binary: Little) -> None:
    rows = [*binary.rows(1), *[{**binary.row(0), "x0": "old"}] * 9_999]
    reply = skip(rows)
    assert (reply.status, len(reply.body["refused"])) == (200, 9_999)
    assert reply.body["predictions"][0] is not None


def test_columns_and_csv_are_skipped_alike(binary: Little) -> None:
    rows = binary.rows(3)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["x0"][1] = "old"
    table = skip({"columns": columns}).body
    lines = [",".join(columns), *(",".join(str(columns[name][at]) for name in columns) for at in range(3))]
    text = skip("\r\n".join(lines), content_type="text/csv").body
    assert table["predictions"][1] is text["predictions"][1] is None
    assert table["predictions"] == text["predictions"]
    assert [each["row"] for each in table["refused"]] == [each["row"] for each in text["refused"]] == [1]


def test_a_wrong_value_does_not_decide_what_commas_are(binary: Little) -> None:
    row = {name: "" for name in binary.row(0)}
    header, others = ",".join(row), "," * (len(row) - 1)
    assert next(iter(row)) == "x0"
    body = "\n".join([header, f'"1,5"{others}', f'"a,b"{others}', f"1.5{others}"])
    reply = skip(body, content_type="text/csv")
    assert [each["row"] for each in reply.body["refused"]] == [1]
    assert reply.body["predictions"][0] == reply.body["predictions"][2]


def test_explanations_have_gaps_too(binary: Little) -> None:
    rows = changed(binary.rows(3), {1: OLD})
    body = skip(rows, query={"explain": "true"}).body
    assert [each is None for each in body["explanations"]] == [False, True, False]


def test_a_row_without_a_finite_answer_is_skipped(cloud: Cloud) -> None:
    made = little("regression", cloud.serve("regression", "flowers"))
    endless = {"x0": 3e38, "x1": 3e38, "x2": 3e38}
    reply = skip(changed(made.rows(6), {2: endless, 3: OLD, 5: endless}))
    assert [(each["row"], each["column"], each["code"]) for each in reply.body["refused"]] == [
        (2, None, "out_of_range"), (3, "x0", "wrong_type"), (5, None, "out_of_range"),
    ]  # fmt: skip
    alone = post([row for at, row in enumerate(made.rows(6)) if at in (0, 1, 4)]).body["predictions"]
    assert [reply.body["predictions"][at] for at in (0, 1, 4)] == alone


@pytest.mark.parametrize(
    ("body", "code"),
    [([{"x0": 1}], "missing_column"), ([], "empty"), ("{", "not_json")],
    ids=["columns", "none", "json"],
)
def test_what_is_wrong_with_the_whole_request_still_refuses_it(binary: Little, body: Any, code: str) -> None:  # noqa: ARG001
    assert skip(body).code == code


def test_raise_changes_nothing_and_another_word_is_refused(binary: Little) -> None:
    rows = changed(binary.rows(2), {1: OLD})
    assert post(rows, queryStringParameters={"errors": "raise"}).code == "wrong_type"
    reply = post(binary.rows(1), queryStringParameters={"errors": "ignore"})
    assert (reply.status, reply.code, reply.field) == (400, "wrong_query", "errors")
    assert "refused" not in post(binary.rows(1), queryStringParameters={"errors": "raise"}).body
