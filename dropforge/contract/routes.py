"""All routes of the API in one table.

The handlers' dispatch, the OpenAPI document, API Gateway's routes, the SDK and `dropforge serve` are made of it. A new
route of the catalog needs an entry here, a record in `api.py`, a function in the catalog's handler, and a method of the
SDK. Predict imports neither this module nor `api.py`: its cold start would pay for them.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, NamedTuple, TypeVar

from dropforge.contract import api
from dropforge.contract.documents import Record
from dropforge.contract.models import NUMBER, LiveRow, VersionRow
from dropforge.contract.names import MODEL_NAME
from dropforge.contract.registry import RunRow

R = TypeVar("R", bound=Record)

Function = Literal["predict", "catalog", "live_pointer"]
"""The folders under `lambdas/api`: the functions that answer."""

MOST_LISTED = 100
"""Entries of one page of a listing."""


class Count(NamedTuple):
    """A query parameter that is a whole number from 1 to `most`."""

    name: str
    default: int
    most: int = MOST_LISTED
    description: str = ""


class Text(NamedTuple):
    """A query parameter that is a text; what does not match `pattern` is refused."""

    name: str
    description: str = ""
    pattern: str = ".*"
    expected: str = "a text"
    """What matches `pattern`, in words."""
    choices: tuple[str, ...] = ()
    """All values that there are; the first is the default. Empty for any text."""
    by_model: bool = False
    """Whether the model has a setting for it, so that no choice is the default."""


class Route(NamedTuple, Generic[R]):
    """One method of one path."""

    method: str
    template: str
    """The path, parameters in braces."""
    operation: str
    """`operationId` of the OpenAPI document."""
    summary: str
    function: Function
    response: type[R] | str
    """The record that is answered, or the name of a schema that another protocol prescribes."""
    query: tuple[Count | Text, ...] = ()
    body: type[Record] | str | None = None
    """What a request holds: a record, or the name of a body that is described with the document."""
    errors: tuple[int, ...] = ()
    """Statuses of the errors that callers can meet."""
    off_aws: bool = False
    """Whether `dropforge serve` has it too."""

    def path(self, **names: str) -> str:
        """The path with these names in the place of its parameters, which must need no escaping."""
        return self.template.format(**names)

    @property
    def key(self) -> tuple[str, str]:
        """What a request is dispatched by."""
        return self.method, self.template


def _after(pattern: str) -> Text:
    return Text("after", "`next` of the answer before: goes on behind it", pattern, "`next` of an earlier answer")


NAME_OR_TIME = r"[a-z0-9T:.+-]{1,80}"
OF_MODEL = Text("model", pattern=MODEL_NAME.pattern, expected="a model's name such as 'houses'")
EXPLAIN = Text(
    "explain",
    "Adds what each column contributes to each row's answer; for models of tables",
    choices=("false", "true"),
)
STRICT = Text(
    "strict",
    "With true, a text that the model does not know refuses the request; with false, it is answered with a warning. "
    "Without it, the model's own setting decides, which is false unless its spec.yaml says otherwise",
    choices=("false", "true"),
    by_model=True,
)
OF_CLASS = Text("class", "With explain: the class whose probability is explained, instead of each row's own prediction")
ERRORS = Text(
    "errors",
    "With skip, rows with values that the model cannot read have null as their answer and are listed in `refused`; "
    "otherwise one such row refuses the request. For models of tables",
    choices=("raise", "skip"),
)
BECAUSE = Text("because", "Why, for the history", r".{0,400}", "a text of at most 400 characters")

LIST_MODELS = Route(
    "GET", "/models", "listModels", "Every model that serves", "catalog", api.ModelList,
    query=(Count("limit", 100), _after(NAME_OR_TIME)), errors=(400,), off_aws=True,
)  # fmt: skip
SHOW_MODEL = Route(
    "GET", "/models/{model}", "showModel", "One model, its newest versions and last moves", "catalog", api.ModelPage,
    errors=(404,), off_aws=True,
)  # fmt: skip
LIST_VERSIONS = Route(
    "GET", "/models/{model}/versions", "listVersions", "The versions of a model, the newest first", "catalog",
    api.VersionList, query=(Count("limit", 100), _after(NUMBER)), errors=(400, 404),
)  # fmt: skip
SHOW_VERSION = Route(
    "GET", "/models/{model}/versions/{version}", "showVersion", "One version of a model", "catalog", VersionRow,
    errors=(404,),
)  # fmt: skip
LIST_HISTORY = Route(
    "GET", "/models/{model}/history", "listHistory", "What served when, the last move first", "catalog",
    api.MoveList, query=(Count("limit", 100), _after(NUMBER)), errors=(400, 404),
)  # fmt: skip
LIST_RUNS = Route(
    "GET", "/runs", "listRuns", "The newest runs first", "catalog", api.RunList,
    query=(Count("limit", 20), OF_MODEL, _after(NAME_OR_TIME)), errors=(400,),
)  # fmt: skip
SHOW_RUN = Route("GET", "/runs/{run}", "showRun", "One run", "catalog", RunRow, errors=(404,))
OPENAPI: Route[Any] = Route("GET", "/openapi.json", "openapi", "This document", "catalog", "Any", off_aws=True)
SERVE_VERSION = Route(
    "PUT", "/models/{model}/live", "serveVersion", "An approved version serves, an older one too", "live_pointer",
    LiveRow, body=api.ServeRequest, errors=(400, 404),
)  # fmt: skip
REMOVE_MODEL = Route(
    "DELETE", "/models/{model}/live", "removeModel", "Nothing serves any more; versions and history stay",
    "live_pointer", LiveRow, query=(BECAUSE,), errors=(400, 404),
)  # fmt: skip
SHOW_ROLLOUT = Route(
    "GET", "/models/{model}/rollout", "showRollout", "The version on trial and the moves of its rollout",
    "live_pointer", api.RolloutPage, errors=(404,),
)  # fmt: skip
MOVE_ROLLOUT = Route(
    "PUT", "/models/{model}/rollout", "moveRollout", "A rollout begins, advances, pauses, goes on or ends",
    "live_pointer", api.RolloutPage, body=api.RolloutRequest, errors=(400, 404, 409),
)  # fmt: skip

PREDICT_ERRORS = (400, 404, 409, 413, 415, 422, 503)
PROTOCOL_ERRORS = (400, 404, 413, 415, 422, 503)

PREDICT = Route(
    "POST", "/models/{model}/predict", "predict", "Predictions of the live version", "predict", api.Predictions,
    query=(EXPLAIN, OF_CLASS, STRICT, ERRORS), body="Rows", errors=PREDICT_ERRORS, off_aws=True,
)  # fmt: skip
PREDICT_VERSION = PREDICT._replace(
    template="/models/{model}/versions/{version}/predict", operation="predictVersion",
    summary="Predictions of one version",
)  # fmt: skip

INVOCATIONS: Route[Any] = Route(
    "POST", "/models/{model}/invocations", "invocations", "Predictions as SageMaker's built-in containers give them",
    "predict", "Invocations", query=(STRICT,), body="Instances", errors=(*PROTOCOL_ERRORS, 406), off_aws=True,
)  # fmt: skip
PING: Route[Any] = Route(
    "GET", "/models/{model}/ping", "ping", "Whether a model can be served", "predict", "Any", errors=(404, 503),
    off_aws=True,
)  # fmt: skip
SAGEMAKER: tuple[Route[Any], ...] = (INVOCATIONS, PING)
"""What SageMaker asks of a container, a model at a time."""

MODEL = "/v2/models/{model}"
VERSION = f"{MODEL}/versions/{{version}}"


def _v2(method: str, template: str, operation: str, summary: str, response: str, **more: Any) -> Route[Any]:
    return Route(method, template, operation, summary, "predict", response, off_aws=True, **more)


def _v2_model(template: str, suffix: str) -> tuple[Route[Any], ...]:
    known = {"errors": (404, 503)}
    return (
        _v2("GET", template, f"modelMetadata{suffix}", "Inputs and outputs of a model", "ModelMetadata", **known),
        _v2("GET", f"{template}/ready", f"modelReady{suffix}", "Whether a model can be served", "ModelReady", **known),
        _v2(
            "POST", f"{template}/infer", f"infer{suffix}", "Predictions by the Open Inference Protocol",
            "InferenceResponse", query=(STRICT,), body="InferenceRequest", errors=PROTOCOL_ERRORS,
        ),
    )  # fmt: skip


INFERENCE: tuple[Route[Any], ...] = (
    _v2("GET", "/v2", "serverMetadata", "The server and its extensions", "ServerMetadata"),
    _v2("GET", "/v2/health/live", "serverLive", "Whether the server lives", "Alive"),
    _v2("GET", "/v2/health/ready", "serverReady", "Whether the server is ready", "Ready"),
    *_v2_model(MODEL, ""),
    *_v2_model(VERSION, "Version"),
)
"""Open Inference Protocol, version 2."""

ROUTES: tuple[Route[Any], ...] = (
    LIST_MODELS,
    SHOW_MODEL,
    LIST_VERSIONS,
    SHOW_VERSION,
    LIST_HISTORY,
    LIST_RUNS,
    SHOW_RUN,
    OPENAPI,
    SERVE_VERSION,
    REMOVE_MODEL,
    SHOW_ROLLOUT,
    MOVE_ROLLOUT,
    PREDICT,
    PREDICT_VERSION,
    *SAGEMAKER,
    *INFERENCE,
)
"""Every route of the API."""


def answered_by(function: Function) -> list[Route[Any]]:
    """The routes of one function."""
    return [route for route in ROUTES if route.function == function]
