"""A value that the model does not know is told in every protocol, and refused where request or model are strict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.inference.unknown import MOST_WARNINGS
from lambdas.api.predict.handler import handle as predict
from tests.api.calls import infer, post, proxy
from tests.api.tensors import in_binary, tensors
from tests.serving.little import Little, coded_little, little, strict_little
from tests.steps import cloud as clouds

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

WARNING = {"row": 1, "column": "colour", "kind": "unknown_category", "taken_for": "other"}


@pytest.fixture
def made(cloud: Cloud) -> Little:
    """A live model of three classes that knows three colours."""
    return little("multiclass", cloud.serve("multiclass", "flowers"))


def rows_of(made: Little, colour: Any = "violet", count: int = 3) -> list[dict[str, Any]]:
    """Rows of which the second has this colour."""
    rows = [{**row, "colour": "red"} for row in made.rows(count)]
    rows[1]["colour"] = colour
    return rows


def tensors_of(made: Little, colour: str = "violet") -> list[dict[str, Any]]:
    """The same rows as tensors."""
    inputs = tensors(made, 3)
    inputs[-1]["data"] = ["red", colour, "red"]
    return inputs


def invoked(made: Little, accept: str = "application/json", attributes: str = "") -> dict[str, Any]:
    """The proxy response of an invocation of SageMaker's."""
    headers = {"Content-Type": "application/json", "Accept": accept, "X-Amzn-SageMaker-Custom-Attributes": attributes}
    event = proxy("POST", "/models/{model}/invocations", {"model": "flowers"})
    return predict({**event, "headers": headers, "body": json.dumps(rows_of(made))}, None)


def test_an_unknown_category_is_answered_and_told(made: Little) -> None:
    reply = post(rows_of(made))
    assert (reply.body["warnings"], reply.body["warning_count"]) == ([WARNING], 1)
    assert reply.body["predictions"] == post(rows_of(made, "ultramarine")).body["predictions"]


@pytest.mark.parametrize("colour", ["red", "", None, "green", " blue "])
def test_known_and_missing_values_are_no_warning(made: Little, colour: str | None) -> None:
    reply = post(rows_of(made, colour))
    assert (reply.body["warnings"], reply.body["warning_count"]) == ([], 0)


def test_csv_is_told_as_json_is(made: Little) -> None:
    rows = rows_of(made)
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    reply = post("\n".join([",".join(rows[0]), *lines]), content_type="text/csv")
    assert reply.body["warnings"] == [WARNING]


def test_more_warnings_than_are_listed_are_counted(made: Little) -> None:
    rows = [{**made.row(0), "colour": f"colour {number}"} for number in range(MOST_WARNINGS + 20)]
    reply = post(rows)
    assert [warning["row"] for warning in reply.body["warnings"]] == list(range(MOST_WARNINGS))
    assert reply.body["warning_count"] == MOST_WARNINGS + 20


def test_a_strict_request_is_refused_with_row_column_value_and_what_to_do(made: Little) -> None:
    reply = post(rows_of(made), queryStringParameters={"strict": "true"})
    assert (reply.status, reply.code, reply.field) == (422, "unknown_value", "rows[1].colour")
    message = reply.body["error"]["message"]
    assert "'violet'" in message and "'blue', 'green', 'red'" in message and "strict=false" in message
    assert post(rows_of(made, "red"), queryStringParameters={"strict": "true"}).status == 200


def test_strict_is_true_or_false(made: Little) -> None:
    reply = post(rows_of(made), queryStringParameters={"strict": "yes"})
    assert (reply.status, reply.code, reply.field) == (400, "wrong_query", "strict")


def test_a_strict_model_refuses_unless_the_request_says_otherwise(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clouds, "little", strict_little)
    cloud.serve("multiclass", "flowers")
    rows = rows_of(little("multiclass"))
    assert (post(rows).status, post(rows).code) == (422, "unknown_value")
    reply = post(rows, queryStringParameters={"strict": "false"})
    assert (reply.status, reply.body["warnings"]) == (200, [WARNING])


@pytest.mark.parametrize("binary", [False, True])
def test_v2_tells_in_its_parameters(made: Little, binary: bool) -> None:
    inputs, blob = in_binary(tensors_of(made)) if binary else (tensors_of(made), b"")
    reply = infer({"inputs": inputs}, blob=blob)
    parameters = reply.body["parameters"]
    assert (json.loads(parameters["warnings"]), parameters["warning_count"]) == ([WARNING], 1)
    assert "parameters" not in infer({"inputs": tensors_of(made, "red")}).body


def test_v2_is_strict_by_parameter_or_query(made: Little) -> None:
    inputs = tensors_of(made)
    by_parameter = infer({"inputs": inputs, "parameters": {"strict": True}})
    by_query = infer({"inputs": inputs}, query={"strict": "true"})
    assert by_parameter.status == by_query.status == 422
    assert by_parameter.body == by_query.body and "rows[1].colour" in by_query.body["error"]
    assert infer({"inputs": inputs, "parameters": {"strict": False}}, query={"strict": "true"}).status == 200
    assert infer({"inputs": inputs, "parameters": {"strict": "yes"}}).status == 400


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/jsonlines"])
def test_sagemaker_tells_in_a_header(made: Little, accept: str) -> None:
    response = invoked(made, accept)
    assert response["statusCode"] == 200
    assert response["headers"]["X-Amzn-SageMaker-Custom-Attributes"] == "warning_count=1"


def test_sagemaker_is_strict_by_a_header(made: Little) -> None:
    response = invoked(made, attributes="trace=7, strict=true")
    assert (response["statusCode"], json.loads(response["body"])["error"]["code"]) == (422, "unknown_value")


def test_unknown_values_are_logged_by_count_and_never_by_value(
    made: Little, capsys: pytest.CaptureFixture[str]
) -> None:
    post(rows_of(made))
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "unknown values" in text]
    assert (line["event"], line["values"], line["model"], line["version"]) == ("unknown values", 1, "flowers", "1")
    assert "violet" not in json.dumps(line)


def test_with_skipped_rows_a_warning_has_the_row_of_the_request(made: Little) -> None:
    rows = rows_of(made)
    rows[0]["x0"] = "no number"
    reply = post(rows, queryStringParameters={"errors": "skip"})
    assert [refused["row"] for refused in reply.body["refused"]] == [0]
    assert reply.body["warnings"] == [WARNING]


def test_a_strict_request_skips_the_rows_with_unknown_values(made: Little) -> None:
    reply = post(rows_of(made), queryStringParameters={"errors": "skip", "strict": "true"})
    assert reply.status == 200
    assert [value is None for value in reply.body["predictions"]] == [False, True, False]
    (refused,) = reply.body["refused"]
    assert (refused["row"], refused["column"], refused["code"]) == (1, "colour", "unknown_value")
    assert (reply.body["warnings"], reply.body["warning_count"]) == ([], 0)


REWRITTEN = [
    {"row": 0, "column": "colour", "kind": "short_code", "taken_for": "padded"},
    {"row": 1, "column": "x1", "kind": "missing_word", "taken_for": "missing"},
]


@pytest.fixture
def coded(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Little:
    """A live model of codes, some of whose numbers were words in the data."""
    monkeypatch.setattr(clouds, "little", coded_little)
    cloud.serve("multiclass", "flowers")
    return coded_little("multiclass", "run-0123456789abcdef", "flowers")


def test_values_that_are_read_as_others_are_told(coded: Little) -> None:
    plain = [{**coded.row(0), "colour": "020"}, {**coded.row(1), "x1": None, "colour": "001"}]
    rows = [{**plain[0], "colour": 20}, {**plain[1], "x1": "Unknown"}]
    reply = post(rows)
    assert (reply.body["warnings"], reply.body["warning_count"]) == (REWRITTEN, 2)
    assert post(plain).body["warnings"] == []
    assert reply.body["predictions"] == post(plain).body["predictions"]
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    assert post("\n".join([",".join(rows[0]), *lines]), content_type="text/csv").body["warnings"] == REWRITTEN
    assert post(rows, queryStringParameters={"errors": "skip"}).body["warnings"] == REWRITTEN
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    inputs = [
        {"name": name, "shape": [2, 1], "datatype": "FP64" if name in ("x0", "x2", "x3") else "BYTES", "data": values}
        for name, values in columns.items()
    ]
    parameters = infer({"inputs": inputs}).body["parameters"]
    assert json.loads(parameters["warnings"]) == REWRITTEN


def test_a_strict_request_refuses_values_that_would_be_read_as_others(coded: Little) -> None:
    strict = {"queryStringParameters": {"strict": "true"}}
    code = post([{**coded.row(0), "colour": 20}], **strict)
    assert (code.status, code.field) == (422, "rows[0].colour") and "leading zeros" in code.body["error"]["message"]
    word = post([{**coded.row(0), "x1": "unknown"}], **strict)
    assert (word.status, word.field) == (422, "rows[0].x1") and "'unknown'" in word.body["error"]["message"]
    both = post(
        [coded.row(0), {**coded.row(0), "colour": 20}], queryStringParameters={"strict": "true", "errors": "skip"}
    )
    assert [refused["row"] for refused in both.body["refused"]] == [1]
