"""The OpenAPI 3.1 document of the API: served at `/openapi.json`, committed as `docs/openapi.json`.

python -m dropforge.inference.openapi.document > docs/openapi.json
"""

from __future__ import annotations

import json
from typing import Any, get_args

from dropforge import __version__
from dropforge.contract.registry import LiveRow, RunRow, VersionRow
from dropforge.contract.results import Metrics
from dropforge.contract.schema import ModelCard
from dropforge.contract.steps import Status
from dropforge.inference.openapi import sagemaker, v2
from dropforge.inference.openapi.parts import ERRORS, MODEL, TEXT, VALUE, VERSION, list_of, object_of, ref, responses
from dropforge.inference.openapi.schemas import schema_of

BESIDE = ("direction", "intervals", "gains", "groups", "calibration", "importances", "notes")
"""Fields of `metrics.json` that a model's page shows beside its scores; Judge's own where it states them."""

PICTURES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/gif")
"""Bodies that are one picture, for a model of pictures."""


def document() -> dict[str, Any]:
    """The whole document, plain JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dropforge",
            "version": __version__,
            "description": "Predictions from models made of dropped data sets. Every route wants a SigV4 signature.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"sigv4": []}],
        "paths": paths(),
        "components": {"schemas": schemas(), "securitySchemes": {"sigv4": SIGV4}},
    }


SIGV4 = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "AWS Signature Version 4, service `execute-api`",
}
RUN = {"name": "run", "in": "path", "required": True, "schema": {"type": "string"}}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}}
MANY = {**LIMIT, "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 100}}
AFTER = {
    "name": "after",
    "in": "query",
    "schema": {"type": "string"},
    "description": "`next` of the answer before: goes on behind it",
}
OF_MODEL = {"name": "model", "in": "query", "schema": {"type": "string"}}
EXPLAIN = {
    "name": "explain",
    "in": "query",
    "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
    "description": "Adds what each column contributes to each row's answer; for models of tables",
}
OF_CLASS = {
    "name": "class",
    "in": "query",
    "schema": {"type": "string"},
    "description": "With explain: the class whose probability is explained, instead of each row's own prediction",
}


def paths() -> dict[str, Any]:
    """Every route."""
    return {
        "/models/{model}/predict": {"post": predict_operation("predict", "Predictions of the live version", [MODEL])},
        "/models/{model}/versions/{version}/predict": {
            "post": predict_operation("predictVersion", "Predictions of one version", [MODEL, VERSION])
        },
        "/models": {"get": _get("listModels", "Every model that serves", "Models", [MANY, AFTER], ["400"])},
        "/models/{model}": {
            "get": _get("showModel", "One model, its newest versions and last moves", "Model", [MODEL], ["404"])
        },
        "/models/{model}/live": {
            "put": serve_operation(),
            "delete": {
                "operationId": "removeModel",
                "summary": "Nothing serves any more; versions and history stay",
                "parameters": [MODEL],
                "responses": responses("Live", ["404"]),
            },
        },
        **of_model_paths(),
        "/models/{model}/versions/{version}": {
            "get": _get("showVersion", "One version of a model", "Version", [MODEL, VERSION], ["404"])
        },
        "/runs": {"get": _get("listRuns", "The newest runs first", "Runs", [LIMIT, OF_MODEL, AFTER], ["400"])},
        "/runs/{run}": {"get": _get("showRun", "One run", "Run", [RUN], ["404"])},
        "/openapi.json": {"get": _get("openapi", "This document", "Any")},
        **sagemaker.paths(),
        **v2.paths(),
    }


def of_model_paths() -> dict[str, Any]:
    """The two listings of one model."""
    parameters, errors = [MODEL, MANY, AFTER], ["400", "404"]
    versions = _get("listVersions", "The versions of a model, the newest first", "Versions", parameters, errors)
    history = _get("listHistory", "What served when, the last move first", "History", parameters, errors)
    return {"/models/{model}/versions": {"get": versions}, "/models/{model}/history": {"get": history}}


def predict_operation(name: str, summary: str, parameters: list[Any]) -> dict[str, Any]:
    """`POST …/predict`."""
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [*parameters, EXPLAIN, OF_CLASS],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": ref("Rows")},
                "text/csv": {"schema": {"type": "string", "description": "A header, then a row a line"}},
                **{kind: {"schema": {}} for kind in PICTURES},
            },
        },
        "responses": responses("Predictions", list(ERRORS)),
    }


def serve_operation() -> dict[str, Any]:
    """`PUT /models/{model}/live`."""
    return {
        "operationId": "serveVersion",
        "summary": "An approved version serves, an older one too",
        "parameters": [MODEL],
        "requestBody": {"required": True, "content": {"application/json": {"schema": object_of({"version": TEXT})}}},
        "responses": responses("Live", ["400", "404"]),
    }


def _get(name: str, summary: str, schema: str, parameters: Any = (), errors: Any = ()) -> dict[str, Any]:
    operation = {"operationId": name, "summary": summary, "responses": responses(schema, list(errors))}
    return {**operation, "parameters": list(parameters)} if parameters else operation


MAYBE_TEXT = {"type": ["string", "null"]}
SCORES = {"type": "object", "additionalProperties": {"type": "number"}}
MAYBE_SCORES = {"type": ["object", "null"], "additionalProperties": {"type": "number"}}


def schemas() -> dict[str, Any]:
    """Every body."""
    record = {"type": "object", "additionalProperties": VALUE}
    columns = {"type": "object", "additionalProperties": list_of(VALUE)}
    return {
        "Any": {"type": "object"},
        "Rows": {
            "oneOf": [list_of(record), object_of({"rows": list_of(record)}), object_of({"columns": columns})],
            "description": "Records or columns; every column of the model's card, null for a missing value",
        },
        "Predictions": prediction_schema(),
        "Explanation": explanation_schema(),
        "Models": object_of({"models": list_of(line_schema()), "next": MAYBE_TEXT}),
        "Model": model_schema(),
        "Card": schema_of(ModelCard),
        "Version": schema_of(VersionRow),
        "Versions": object_of({"versions": list_of(ref("Version")), "next": MAYBE_TEXT}),
        "History": object_of({"history": list_of(ref("Live")), "next": MAYBE_TEXT}),
        "Live": schema_of(LiveRow),
        "Runs": object_of({"runs": list_of(ref("Run")), "next": MAYBE_TEXT}),
        "Run": run_schema(),
        **sagemaker.schemas(),
        **v2.schemas(),
        "Error": object_of({"error": object_of({"code": TEXT, "message": TEXT, "field": MAYBE_TEXT})}),
    }


def prediction_schema() -> dict[str, Any]:
    """The answer of predict, a list entry a row."""
    shares = {"type": ["array", "null"], "items": SCORES}
    labels = {"type": ["string", "number", "boolean"]}
    item = object_of({"item": TEXT, "score": {"type": "number"}})
    lists = {
        "type": ["array", "null"],
        "items": {"type": ["array", "null"], "items": item},
        "description": "Of recommenders: in a row whose item is null, the items to show its user, best first",
    }
    fields = {"model": TEXT, "version": TEXT, "predictions": list_of(labels), "probabilities": shares}
    made = object_of({**fields, "recommendations": lists, "ids": list_of(TEXT)})
    made["properties"]["explanations"] = list_of(ref("Explanation"))
    return made


def explanation_schema() -> dict[str, Any]:
    """What a row's answer is made of, where the request asks for it."""
    number: dict[str, Any] = {"type": "number"}
    fields = {
        "class": {**VALUE, "description": "Null for regression"},
        "base": {**number, "description": "Mean answer for the rows that the model's file compares with"},
        "contributions": {**SCORES, "description": "By column; with the base they add up to the answer"},
        "errors": {**SCORES, "description": "Standard errors of the contributions"},
    }
    return {**object_of(fields), "description": "With explain=true alone"}


def line_schema() -> dict[str, Any]:
    """One model in the list: what serves and how good it is."""
    line: dict[str, Any] = dict.fromkeys(("model", "version", "run", "moved"), TEXT)
    line |= dict.fromkeys(("task", "target", "metric"), MAYBE_TEXT)
    return object_of({**line, "metrics": MAYBE_SCORES, "baseline": MAYBE_SCORES})


def run_schema() -> dict[str, Any]:
    """A run; what the API itself answers is never a status that it does not know."""
    run = schema_of(RunRow)
    run["properties"]["status"] = {"enum": list(get_args(Status))}
    return run


def model_schema() -> dict[str, Any]:
    """One model: the live version, or the newest where none ever served."""
    fields: dict[str, Any] = {"model": TEXT, "version": MAYBE_TEXT, "live": {"anyOf": [ref("Live"), {"type": "null"}]}}
    fields |= {"task": TEXT, "target": TEXT, "metric": TEXT, "metrics": SCORES, "baseline": SCORES}
    told = schema_of(Metrics)["properties"]
    fields |= {name: told[name] for name in BESIDE}
    fields |= {"card": ref("Card"), "lineage": {"type": "object"}}
    for name, item in (("versions", "Version"), ("history", "Live")):
        going_on = f"`after` of GET /models/{{model}}/{name}; null when all of them are here"
        fields |= {name: list_of(ref(item)), f"{name}_next": {**MAYBE_TEXT, "description": going_on}}
    return object_of(fields)


if __name__ == "__main__":
    print(json.dumps(document(), indent=2))
