"""The OpenAPI 3.1 document of the API: served at `/openapi.json`, committed as `docs/openapi.json`.

It is made of the table of routes and of the contract's records. What other protocols prescribe is in `v2` and
`sagemaker`.

python -m dropforge.inference.openapi.document > docs/openapi.json
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge import __version__
from dropforge.contract import api, routes
from dropforge.contract.routes import ROUTES, Count, Text
from dropforge.inference.openapi import sagemaker, v2
from dropforge.inference.openapi.parts import BYTES, ERRORS, PARAMETERS, VALUE, list_of, object_of, ref
from dropforge.inference.openapi.schemas import components, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.routes import Route

PICTURES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/gif")
"""Bodies that are one picture, for a model of pictures."""

BODIES: dict[str, dict[str, Any]] = {
    "Rows": {
        "application/json": {"schema": ref("Rows")},
        "text/csv": {"schema": {"type": "string", "description": "A header, then a row a line"}},
        **{kind: {"schema": BYTES} for kind in PICTURES},
    },
    **sagemaker.BODIES,
    **v2.BODIES,
}
"""The media types of bodies that are more than one record."""

ANSWERS = {**sagemaker.ANSWERS, **v2.ANSWERS}
"""Media types besides JSON, by the name of the answer's schema."""

SIGV4 = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "AWS Signature Version 4, service `execute-api`",
}


CONTAINER: tuple[Route[Any], ...] = (
    routes.PING._replace(template="/ping", operation="pingServer", summary="Whether the server lives", errors=()),
    routes.INVOCATIONS._replace(
        template="/invocations", operation="invocationsOfServer", summary="Predictions of the one model that is served"
    ),
    routes.INVOCATIONS._replace(
        template="/endpoints/{model}/invocations",
        operation="invokeEndpoint",
        summary="Predictions as a client of sagemaker-runtime asks for them",
    ),
)
"""What SageMaker asks of a container or of an endpoint, by paths that `dropforge serve` alone has."""


def document() -> dict[str, Any]:
    """The whole document of the API on AWS, plain JSON values."""
    described = "Predictions from models made of dropped data sets. Every route wants a SigV4 signature."
    whole = described_routes(ROUTES, described)
    whole["components"]["securitySchemes"] = {"sigv4": SIGV4}
    return {**whole, "security": [{"sigv4": []}]}


def off_aws() -> dict[str, Any]:
    """The document of `dropforge serve`: the routes that it has, without signatures and without the registry's part."""
    page: Route[Any] = routes.SHOW_MODEL._replace(response=api.ServedModelPage)  # type: ignore[arg-type]
    here = [page if route is routes.SHOW_MODEL else route for route in ROUTES if route.off_aws]
    described = "Predictions from models of this disk. No signature is asked for."
    return described_routes([*here, *CONTAINER], described)


def described_routes(table: Iterable[Route[Any]], description: str) -> dict[str, Any]:
    """A document of these routes, and of the bodies that they take and answer."""
    table = list(table)
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.template, {})[route.method.lower()] = operation(route)
    bodies = [body for route in table for body in (route.response, route.body) if body and not isinstance(body, str)]
    license_ = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dropforge", "version": __version__, "description": description, "license": license_},
        "paths": paths,
        "components": {"schemas": {**named_schemas(), **components([*bodies, api.Error])}},
    }


def operation(route: Route[Any]) -> dict[str, Any]:
    """One route as the document describes it."""
    named = [PARAMETERS[part[1:-1]] for part in route.template.split("/") if part.startswith("{")]
    headers = v2.HEADERS.get(route.body, []) if isinstance(route.body, str) else []
    parameters = [*named, *map(query_parameter, route.query), *headers]
    described: dict[str, Any] = {"operationId": route.operation, "summary": route.summary}
    if parameters:
        described["parameters"] = parameters
    if route.body is not None:
        described["requestBody"] = {"required": True, "content": request_content(route.body)}
    return {**described, "responses": responses(route)}


def query_parameter(parameter: Count | Text) -> dict[str, Any]:
    """A parameter of the query, with its bounds."""
    if isinstance(parameter, Count):
        schema: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": parameter.most}
        schema["default"] = parameter.default
    else:
        schema = {"type": "string"}
        if parameter.choices:
            default = {} if parameter.by_model else {"default": parameter.choices[0]}
            schema |= {"enum": list(parameter.choices), **default}
    described = {"description": parameter.description} if parameter.description else {}
    return {"name": parameter.name, "in": "query", "schema": schema, **described}


def request_content(body: Any) -> dict[str, Any]:
    """The media types of a request's body."""
    return BODIES[body] if isinstance(body, str) else {"application/json": {"schema": ref(name_of(body))}}


def answer_name(route: Route[Any]) -> str:
    """The name of the schema of a route's right answer."""
    return route.response if isinstance(route.response, str) else name_of(route.response)


def responses(route: Route[Any]) -> dict[str, Any]:
    """The right answer of a route and the wrong ones."""
    name = answer_name(route)
    content = {"application/json": {"schema": ref(name)}, **ANSWERS.get(name, {})}
    error = {"application/json": {"schema": ref("InferenceError" if route.template.startswith("/v2") else "Error")}}
    wrong = {str(status): {"description": ERRORS[status], "content": error} for status in route.errors}
    return {"200": {"description": "The answer", "content": content}, **wrong}


def named_schemas() -> dict[str, Any]:
    """The bodies that no record describes."""
    columns = {"type": "object", "additionalProperties": list_of(VALUE)}
    return {
        "Any": {"type": "object"},
        "Row": {"type": "object", "additionalProperties": VALUE},
        "RowsOfRows": object_of({"rows": list_of(ref("Row"))}),
        "ColumnValues": columns,
        "RowsOfColumns": object_of({"columns": ref("ColumnValues")}),
        "Rows": {
            "oneOf": [list_of(ref("Row")), ref("RowsOfRows"), ref("RowsOfColumns")],
            "description": "Records or columns; every column of the model's card, null for a missing value",
        },
        **sagemaker.schemas(),
        **v2.schemas(),
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=2))
