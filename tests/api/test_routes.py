"""The table of routes: what is in it is described, dispatched, served, and answered as the document says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from dropforge.contract.api import ErrorDetail, Predictions, RolloutRequest, ServeRequest
from dropforge.contract.documents import fields
from dropforge.contract.routes import ROUTES, Count, Route, Text, answered_by
from dropforge.inference.openapi.document import document, off_aws
from dropforge.serve.routes import ROUTES as SERVED
from lambdas.api.catalog import handler as catalog
from lambdas.api.live_pointer import handler as live_pointer
from lambdas.api.predict import handler as predict
from tests.api.calls import Reply, get, post, proxy
from tests.serving.little import little

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

HANDLERS = {"catalog": catalog.handle, "live_pointer": live_pointer.handle, "predict": predict.handle}
KNOWN = Registry().with_resource("urn:api", Resource(document(), DRAFT202012))


def ask(route: Route[Any], **path: str) -> tuple[int, Any]:
    """What a route answers to a request that is right but for its path; the answer must be as the document says."""
    own = {ServeRequest: {"version": "1"}, RolloutRequest: {"move": "begin", "version": "1"}, None: None}
    body = {**bodies_of("regression"), **own}[route.body]
    headers = {"Content-Type": "application/json"}
    event = proxy(route.method, route.template, path or None) | {"headers": headers, "body": body and json.dumps(body)}
    response = HANDLERS[route.function](event, None)
    status, answer = response["statusCode"], json.loads(response["body"])
    described = document()["paths"][route.template][route.method.lower()]["responses"]
    assert str(status) in described, f"{route.key}: {status} is not in its errors"
    schema = described[str(status)]["content"]["application/json"]["schema"]
    Draft202012Validator({"$ref": f"urn:api{schema['$ref']}"}, registry=KNOWN).validate(answer)
    return status, answer


def named(route: Route[Any]) -> str:
    """A route in the name of a test."""
    return f"{route.method} {route.template}"


def test_every_route_is_said_once_and_described() -> None:
    keys = [route.key for route in ROUTES]
    assert len(set(keys)) == len({route.operation for route in ROUTES}) == len(keys)
    paths = document()["paths"]
    assert sorted(keys) == sorted((method.upper(), path) for path, methods in paths.items() for method in methods)


def test_every_route_has_a_function() -> None:
    assert set(catalog.ANSWERS) == {route.key for route in answered_by("catalog")}
    assert set(live_pointer.ANSWERS) == {route.key for route in answered_by("live_pointer")}
    assert {route.function for route in ROUTES} == set(HANDLERS)


def test_the_server_off_aws_has_what_it_describes() -> None:
    described = {(method.upper(), path) for path, methods in off_aws()["paths"].items() for method in methods}
    own = {("GET", "/ping"), ("POST", "/invocations"), ("POST", "/endpoints/{model}/invocations")}
    assert described == {route.key for route in ROUTES if route.off_aws} | own
    served = {(method, path) for path, methods in SERVED.items() for method in methods}
    assert described == {
        key for key in served if not key[1].startswith("/v2/repository/")
    }  # off unless it is asked for


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_route_answers_as_described(cloud: Cloud, route: Route[Any]) -> None:
    run = cloud.serve("regression", "flowers")
    cloud.serve("regression", "flowers", "datasets/flowers/b.csv", b"more")
    wanted = {"model": "flowers", "version": "1", "run": run}
    path = {name: value for name, value in wanted.items() if f"{{{name}}}" in route.template}
    status, answer = ask(route, **path)
    assert status == 200, answer
    for name in path:
        status, answer = ask(route, **{**path, name: "nobody"})
        assert status == 404, answer


def bodies_of(task: str) -> dict[Any, Any]:
    """One row of a little model, in every protocol."""
    (row,) = little(task).rows(1)
    inputs = [
        {"name": name, "shape": [1, 1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
        for name, value in row.items()
    ]
    return {"Rows": [row], "Instances": {"instances": [row]}, "InferenceRequest": {"inputs": inputs}}


@pytest.mark.parametrize(
    ("route", "parameter"),
    [(route, parameter) for route in answered_by("catalog") for parameter in route.query],
    ids=lambda value: named(value) if isinstance(value, Route) else value.name,
)
def test_a_query_is_held_within_its_bounds(cloud: Cloud, route: Route[Any], parameter: Count | Text) -> None:
    cloud.serve("regression", "flowers")
    path = {"model": "flowers"} if "{model}" in route.template else {}
    wrong = ["0", str(parameter.most + 1), "all"] if isinstance(parameter, Count) else ["no such!"]
    for value in wrong:
        reply: Reply = get(route.template, {parameter.name: value}, **path)
        assert (reply.status, reply.code, reply.field) == (400, "wrong_query", parameter.name)
    if isinstance(parameter, Count):
        assert get(route.template, {parameter.name: str(parameter.most)}, **path).status == 200


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_predictions_are_the_record_that_describes_them(cloud: Cloud, task: str) -> None:
    """The answer is written by hand in `protocols/simple.py`: it has every field of the record, and no other."""
    cloud.serve(task, "flowers")
    names = {field.name for field in fields(Predictions)}
    assert set(post(little(task).rows(2)).body) == names - {"explanations", "refused"}
    if task != "regression":
        assert (
            set(post(little(task).rows(2), queryStringParameters={"explain": "true", "errors": "skip"}).body) == names
        )


def test_an_error_is_the_record_that_describes_it(cloud: Cloud) -> None:
    names = {field.name for field in fields(ErrorDetail)}
    assert set(post([{}]).body["error"]) == names - {"columns"}
    cloud.serve("regression", "flowers")
    assert set(post([{}]).body["error"]) == names
    assert set(get("/models/{model}", model="nobody").body["error"]) == names - {"columns"}
