"""Catalog: `GET /models`, `/models/{model}` with its `/versions` and `/history`, `/runs`, `/openapi.json`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.documents import DocumentError
from dropforge.contract.environment import load
from dropforge.contract.ids import RUN_ID
from dropforge.contract.log import log
from dropforge.contract.models import LAST, NUMBER
from dropforge.contract.names import MODEL_NAME
from dropforge.inference.http import Request, Response, answer, error
from dropforge.inference.openapi.document import document
from lambdas.api.catalog import views
from lambdas.common.artifacts import Artifacts
from lambdas.common.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LISTED = 100
AFTER = r"[a-z0-9T:.+-]{1,80}"
"""A model's name, or a time."""


class NotFound(Exception):
    """There is nothing of that name."""


class WrongQuery(Exception):
    """A query parameter that cannot be: its name and what was expected of it."""

    def __init__(self, name: str, told: str) -> None:
        super().__init__(f"{name}: {told}")
        self.name = name


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    return respond(Request.from_event(event)).to_proxy()


def respond(request: Request) -> Response:
    """The answer to a request; what the caller can mend never becomes a 5xx."""
    route = ROUTES.get(request.resource)
    try:
        if route is None or request.method != "GET":
            raise NotFound(f"{request.method} {request.resource}: no such route; see GET /openapi.json")
        return answer(200, route(request, load(ArtifactSettings)))
    except NotFound as fault:
        return error(404, "not_found", str(fault))
    except WrongQuery as fault:
        return error(400, "wrong_query", str(fault), fault.name)
    except DocumentError as fault:
        log("unreadable", step="Catalog", route=request.resource, reason=str(fault))
        return error(500, "unreadable", f"a stored document cannot be read: {fault}")


def list_models(request: Request, settings: ArtifactSettings) -> dict[str, Any]:
    """The models that serve, by name; `next` is what `after` goes on from, null at the end."""
    registry, limit = Registry(settings.registry), asked_limit(request, MOST_LISTED)
    lives = registry.lives(limit, asked_after(request, AFTER))
    following = lives[-1].model if len(lives) == limit else None
    lines = zip(lives, registry.versions_of(lives), strict=True)
    return {"models": [views.model_line(live, version) for live, version in lines], "next": following}


def show_model(request: Request, settings: ArtifactSettings) -> dict[str, Any]:
    """One model: what serves, its newest versions, the last moves of the pointer, and what a request must hold."""
    registry, name = Registry(settings.registry), asked_model(request)
    versions = registry.versions(name, views.NEWEST)
    if not versions:
        raise no_model(name)
    return views.model_page(name, versions, registry, Artifacts(settings.artifacts))


def list_versions(request: Request, settings: ArtifactSettings) -> dict[str, Any]:
    """The versions of a model, newest first; `next` is what `after` goes on from, null at the end."""
    name, limit, after = asked_model(request), asked_limit(request, MOST_LISTED), asked_after(request, NUMBER)
    versions = Registry(settings.registry).versions(name, limit, int(after or LAST + 1))
    if not versions and after is None:
        raise no_model(name)
    following = views.following_version(versions, limit)
    return {"versions": [version.to_json() for version in versions], "next": following}


def list_history(request: Request, settings: ArtifactSettings) -> dict[str, Any]:
    """The moves of a model's live pointer, newest first; `next` is what `after` goes on from, null at the end."""
    name, limit, after = asked_model(request), asked_limit(request, MOST_LISTED), asked_after(request, NUMBER)
    registry = Registry(settings.registry)
    moves = registry.history(name, limit, int(after or LAST + 1))
    if not moves and after is None and not registry.versions(name, 1):
        raise no_model(name)
    return {"history": [move.to_json() for move in moves], "next": views.following_move(moves, limit)}


def show_version(request: Request, settings: ArtifactSettings) -> dict[str, Any]:
    """One version, approved or refused."""
    name, version = asked_model(request), request.path["version"]
    row = Registry(settings.registry).version(name, version) if re.fullmatch(NUMBER, version) else None
    if row is None:
        raise NotFound(
            f"model {name!r} version {version[:20]!r}: there is none; GET /models/{name}/versions lists what there is"
        )
    return row.to_json()


def list_runs(request: Request, settings: ArtifactSettings) -> dict[str, Any]:
    """The newest runs first; `next` is what `after` goes on from, null at the end."""
    limit, after, model = asked_limit(request, 20), asked_after(request, AFTER), request.query.get("model") or None
    if model is not None and not MODEL_NAME.fullmatch(model):
        raise WrongQuery("model", f"expected a model's name such as 'houses', got {model[:40]!r}")
    runs = Registry(settings.registry).runs(limit, model, after)
    following = runs[-1].created if len(runs) == limit else None
    return {"runs": [row.to_json() for row in runs], "next": following}


def asked_model(request: Request) -> str:
    """The model of the path; `NotFound` for what no model can be named."""
    name = request.path["model"]
    if not MODEL_NAME.fullmatch(name):
        raise no_model(name)
    return name


def no_model(name: str) -> NotFound:
    """No version of the model is registered."""
    return NotFound(f"model {name[:80]!r}: no version is registered; GET /models lists what is")


def asked_limit(request: Request, default: int) -> int:
    """How many are asked for; `WrongQuery` for what is no number of them."""
    limit = request.query.get("limit", str(default))
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MOST_LISTED:
        raise WrongQuery("limit", f"expected a whole number from 1 to {MOST_LISTED}, got {limit[:20]!r}")
    return int(limit)


def asked_after(request: Request, pattern: str) -> str | None:
    """Where the listing goes on; `WrongQuery` for what no answer can have given."""
    after = request.query.get("after") or None
    if after is not None and not re.fullmatch(pattern, after):
        raise WrongQuery("after", f"expected `next` of an earlier answer, got {after[:40]!r}")
    return after


def show_run(request: Request, settings: ArtifactSettings) -> dict[str, Any]:
    """One run."""
    run = request.path["run"]
    row = Registry(settings.registry).find_run(run) if re.fullmatch(RUN_ID, run) else None
    if row is None:
        raise NotFound(f"run {run[:80]!r}: there is none; GET /runs lists the newest")
    return row.to_json()


def openapi(_request: Request, _settings: ArtifactSettings) -> dict[str, Any]:
    """The API's own description."""
    return document()


ROUTES: dict[str, Callable[[Request, ArtifactSettings], dict[str, Any]]] = {
    "/models": list_models,
    "/models/{model}": show_model,
    "/models/{model}/versions": list_versions,
    "/models/{model}/versions/{version}": show_version,
    "/models/{model}/history": list_history,
    "/runs": list_runs,
    "/runs/{run}": show_run,
    "/openapi.json": openapi,
}
