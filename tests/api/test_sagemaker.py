"""`/invocations` takes the bytes that the serializers of sagemaker-python-sdk write, and answers what they read."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from lambdas.api.predict import handler
from tests.api.calls import invoke, post, proxy
from tests.serving.little import TASKS, Little, little

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud


@pytest.fixture
def made(cloud: Cloud) -> Little:
    """A live model of two classes."""
    return little("binary", cloud.serve("binary", "flowers"))


def csv_serializer(data: Any) -> str:
    """What `sagemaker.serializers.CSVSerializer` makes of a table or of lists."""
    if isinstance(data, pd.DataFrame):
        return str(data.to_csv(header=False, index=False))
    if data and isinstance(data[0], list):
        return "\n".join(csv_serializer(row) for row in data)
    text = io.StringIO()
    csv.writer(text, delimiter=",").writerow(data)
    return text.getvalue().rstrip("\r\n")


def json_serializer(data: Any) -> str:
    """What `sagemaker.serializers.JSONSerializer` makes of objects, arrays and lists."""
    if isinstance(data, dict):
        return json.dumps({key: each.tolist() if isinstance(each, np.ndarray) else each for key, each in data.items()})
    return json.dumps(data.tolist() if isinstance(data, np.ndarray) else data)


def lists(made: Little, count: int) -> list[list[Any]]:
    """Rows as lists, in the order of the card."""
    return [list(row.values()) for row in made.rows(count)]


@pytest.mark.parametrize("task", TASKS)
def test_every_form_has_the_answer_of_the_simple_api(cloud: Cloud, task: str) -> None:
    made = little(task, cloud.serve(task, "flowers"))
    simple = post(made.rows(12)).body
    rows, wrapped = lists(made, 12), [{"features": row} for row in lists(made, 12)]
    header = ",".join(made.columns) + "\n"
    bodies = [
        (csv_serializer(rows), "text/csv", "application/json"),
        (csv_serializer(pd.DataFrame(made.rows(12))), "text/csv", "application/json"),
        (header + csv_serializer(rows), "text/csv; label_size=0", "application/json, text/csv"),
        (json_serializer({"instances": rows}), "application/json", None),
        (json_serializer({"instances": wrapped}), "application/json", "*/*"),
        (json_serializer({"instances": [{"data": {"features": {"values": row}}} for row in rows]}), "", None),
        (json_serializer(rows), "application/json", None),
        (json_serializer(made.rows(12)), "application/json", None),
        (json_serializer({"columns": {name: values[:12] for name, values in made.columns.items()}}), "", None),
        ("\n".join(map(json.dumps, wrapped)), "application/jsonlines", "application/json"),
    ]
    for body, content_type, accept in bodies:
        reply = invoke(body, content_type, accept)
        assert reply.status == 200, (reply.body, body)
        found = reply.body["predictions"]
        if task == "regression":
            assert [each["score"] for each in found] == simple["predictions"]
            continue
        assert [each["predicted_label"] for each in found] == simple["predictions"]
        shares = [list(row.values()) for row in simple["probabilities"]]
        assert [each["score"] for each in found] == ([row[1] for row in shares] if task == "binary" else shares)


def test_one_row_alone(made: Little) -> None:
    (row,) = lists(made, 1)
    label = str(post(made.rows(1)).body["predictions"][0]).lower()
    assert invoke(csv_serializer(row), "text/csv").body == f"{label}\n"
    assert len(invoke(json_serializer(row)).body["predictions"]) == 1


def test_answers_go_by_accept(made: Little) -> None:
    body = json_serializer({"instances": lists(made, 3)})
    labels = [str(each).lower() for each in post(made.rows(3)).body["predictions"]]
    assert invoke(body, accept="text/csv").body.splitlines() == labels
    assert invoke(csv_serializer(lists(made, 3)), "text/csv").body.splitlines() == labels
    lines = [json.loads(line) for line in invoke(body, accept="application/jsonlines").body.splitlines()]
    assert lines == invoke(body).body["predictions"]
    refused = invoke(body, accept="application/x-npy")
    assert (refused.status, refused.code, refused.field) == (406, "accept", "Accept")


def test_an_array_of_numbers(cloud: Cloud) -> None:
    made = little("regression", cloud.serve("regression", "flowers"))
    array = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    named = dict(zip(made.columns, array[0].tolist(), strict=True))
    simple = post([named]).body["predictions"]
    assert [each["score"] for each in invoke(json_serializer(array)).body["predictions"]] == simple


def test_ping(cloud: Cloud, made: Little) -> None:
    def ping(model: str) -> Any:
        return handler.handle(proxy("GET", "/models/{model}/ping", {"model": model}), None)["statusCode"]

    assert (ping("flowers"), ping("trees")) == (200, 404)
    live = cloud.registry.live("flowers")
    assert live is not None and made.card.columns
    cloud.s3.delete_object(Bucket="artifacts", Key=live.artifact)
    handler.models.cache_clear()
    assert ping("flowers") == 503
