"""Catalog: `GET /models`, `/models/{model}` with its `/versions` and `/history`, `/runs`, `/openapi.json`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from dropforge.contract import api, routes
from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.documents import DocumentError, Record
from dropforge.contract.environment import load
from dropforge.contract.errors import CallerError
from dropforge.contract.ids import RUN_ID
from dropforge.contract.log import begin_request, log
from dropforge.contract.models import LAST, NUMBER
from dropforge.contract.names import MODEL_NAME
from dropforge.inference.http import Request, Response, answer, error
from lambdas.api.catalog import views
from lambdas.common.artifacts import Artifacts
from lambdas.common.registry import Registry

if TYPE_CHECKING:
    from dropforge.contract.models import VersionRow
    from dropforge.contract.registry import RunRow

R = TypeVar("R", bound=Record)
Answer = Callable[[Request, ArtifactSettings], R]

ANSWERS: dict[tuple[str, str], Answer[Any]] = {}
"""The functions of this module that answer, by method and template; `answers` fills it."""


class NotFound(CallerError):
    """There is nothing of that name."""


class WrongQuery(CallerError):
    """A query parameter that cannot be: its name and what was expected of it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    begin_request("Catalog", event, context)
    return respond(Request.from_event(event)).to_proxy()


def respond(request: Request) -> Response:
    """The answer to a request; what the caller can mend never becomes a 5xx."""
    function = ANSWERS.get((request.method, request.resource))
    try:
        if function is None:
            raise NotFound(f"{request.method} {request.resource}: no such route; see GET /openapi.json")
        response = function(request, load(ArtifactSettings))
        return answer(200, response.to_json() if isinstance(response, Record) else response)
    except NotFound as fault:
        return error(404, "not_found", str(fault))
    except WrongQuery as fault:
        return error(400, "wrong_query", str(fault), fault.name)
    except DocumentError as fault:
        log("unreadable", level="error", route=request.resource, reason=str(fault))
        return error(500, "unreadable", f"a stored document cannot be read: {fault}")


def answers(route: routes.Route[R]) -> Callable[[Answer[R]], Answer[R]]:
    """Makes a function the one that answers a route, with the record that the route promises."""

    def register(function: Answer[R]) -> Answer[R]:
        ANSWERS[route.key] = function
        return function

    return register


@answers(routes.LIST_MODELS)
def list_models(request: Request, settings: ArtifactSettings) -> api.ModelList:
    """The models that serve, by name; `next` is what `after` goes on from, None at the end."""
    limit, after = query_values(request, routes.LIST_MODELS)
    registry = Registry(settings.registry)
    lives = registry.lives(limit, after)
    following = lives[-1].model if len(lives) == limit else None
    lines = zip(lives, registry.versions_of(lives), strict=True)
    return api.ModelList(tuple(views.model_line(live, version) for live, version in lines), following)


@answers(routes.SHOW_MODEL)
def show_model(request: Request, settings: ArtifactSettings) -> api.ModelPage:
    """One model: what serves, its newest versions, the last moves of the pointer, and what a request must hold."""
    registry, name = Registry(settings.registry), model_in(request)
    versions = registry.versions(name, views.NEWEST)
    if not versions:
        raise no_model(name)
    return views.model_page(name, versions, registry, Artifacts(settings.artifacts))


@answers(routes.LIST_VERSIONS)
def list_versions(request: Request, settings: ArtifactSettings) -> api.VersionList:
    """The versions of a model, newest first; `next` is what `after` goes on from, None at the end."""
    name, (limit, after) = model_in(request), query_values(request, routes.LIST_VERSIONS)
    versions = Registry(settings.registry).versions(name, limit, int(after or LAST + 1))
    if not versions and after is None:
        raise no_model(name)
    return api.VersionList(tuple(versions), views.following_version(versions, limit))


@answers(routes.LIST_HISTORY)
def list_history(request: Request, settings: ArtifactSettings) -> api.MoveList:
    """The moves of a model's live pointer, newest first; `next` is what `after` goes on from, None at the end."""
    name, (limit, after) = model_in(request), query_values(request, routes.LIST_HISTORY)
    registry = Registry(settings.registry)
    moves = registry.history(name, limit, int(after or LAST + 1))
    if not moves and after is None and not registry.versions(name, 1):
        raise no_model(name)
    return api.MoveList(tuple(moves), views.following_move(moves, limit))


@answers(routes.SHOW_VERSION)
def show_version(request: Request, settings: ArtifactSettings) -> VersionRow:
    """One version, approved or refused."""
    name, version = model_in(request), request.path["version"]
    row = Registry(settings.registry).version(name, version) if re.fullmatch(NUMBER, version) else None
    if row is None:
        raise NotFound(
            f"model {name!r} version {version[:20]!r}: there is none; GET /models/{name}/versions lists what there is"
        )
    return row


@answers(routes.LIST_RUNS)
def list_runs(request: Request, settings: ArtifactSettings) -> api.RunList:
    """The newest runs first; `next` is what `after` goes on from, None at the end."""
    limit, model, after = query_values(request, routes.LIST_RUNS)
    runs = Registry(settings.registry).runs(limit, model, after)
    following = runs[-1].created if len(runs) == limit else None
    return api.RunList(tuple(runs), following)


@answers(routes.SHOW_RUN)
def show_run(request: Request, settings: ArtifactSettings) -> RunRow:
    """One run."""
    run = request.path["run"]
    row = Registry(settings.registry).find_run(run) if re.fullmatch(RUN_ID, run) else None
    if row is None:
        raise NotFound(f"run {run[:80]!r}: there is none; GET /runs lists the newest")
    return row


@answers(routes.OPENAPI)
def openapi(_request: Request, _settings: ArtifactSettings) -> Any:
    """The API's own description."""
    from dropforge.inference.openapi.document import document  # few ask for it

    return document()


def model_in(request: Request) -> str:
    """The model of the path; `NotFound` for what no model can be named."""
    name = request.path["model"]
    if not MODEL_NAME.fullmatch(name):
        raise no_model(name)
    return name


def no_model(name: str) -> NotFound:
    """No version of the model is registered."""
    return NotFound(f"model {name[:80]!r}: no version is registered; GET /models lists what is")


def query_values(request: Request, route: routes.Route[Any]) -> list[Any]:
    """The values of the route's query parameters, in the route's order; a text that is left out or empty is None.

    Raises:
        WrongQuery: a value is out of the parameter's bounds.
    """
    return [
        count_in(request, parameter) if isinstance(parameter, routes.Count) else text_in(request, parameter)
        for parameter in route.query
    ]


def count_in(request: Request, parameter: routes.Count) -> int:
    """A whole number of the query; `WrongQuery` for one that is out of bounds, or for anything else."""
    count = request.query.get(parameter.name, str(parameter.default))
    if not count.isascii() or not count.isdigit() or not 1 <= int(count[:9]) <= parameter.most:
        raise WrongQuery(parameter.name, f"expected a whole number from 1 to {parameter.most}, got {count[:20]!r}")
    return int(count)


def text_in(request: Request, parameter: routes.Text) -> str | None:
    """A text of the query, None for none; `WrongQuery` for one that does not match the parameter's pattern."""
    text = request.query.get(parameter.name) or None
    if text is not None and not re.fullmatch(parameter.pattern, text):
        raise WrongQuery(parameter.name, f"expected {parameter.expected}, got {text[:40]!r}")
    return text
