"""URL paths to the routes that API Gateway has in front of the functions, and those of a server of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from dropforge.contract import api, routes
from dropforge.contract.names import MODEL_NAME
from dropforge.inference.faults import ModelFault, short
from dropforge.inference.http import Request, Response, answer, error
from dropforge.inference.openapi.document import off_aws
from dropforge.inference.protocols.dispatch import respond
from dropforge.serve.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropforge.serve.modelfiles import Served
    from dropforge.serve.store import Files

    Route = Callable[[Request, Files], Response]


def routed(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
    """The request as the functions know it: the path as a template and its parameters.

    Args:
        method: in capitals.
        target: path and query, as sent; the path may be percent-encoded.
        headers: names in lower case.
        body: as sent.
    """
    path, _, query = target.partition("?")
    resource, parameters = _template(path)
    asked = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    return Request(method, resource, parameters, asked, dict(headers), body)


def reply(request: Request, files: Files) -> Response:
    """The answer to a routed request."""
    methods = ROUTES.get(request.resource)
    if request.resource in REPOSITORY and not files.repository:
        message = f"{request.resource}: this server was started without --repository"
        return refusal(request.resource, 404, "not_found", message)
    if methods is None:
        return refusal(
            request.resource, 404, "not_found", f"{short(request.resource)}: no such route; see GET /openapi.json"
        )
    route = methods.get("GET" if request.method == "HEAD" else request.method)
    if route is None:
        return refused(request, sorted(methods))
    return route(request, files)


def refused(request: Request, methods: list[str]) -> Response:
    """405, with the methods that the route has."""
    allowed = ", ".join(methods)
    message = f"{request.resource}: expected {allowed}, got {short(request.method)}"
    return refusal(request.resource, 405, "method", message, Allow=allowed)


def _template(path: str) -> tuple[str, dict[str, str]]:
    """The route's template and its parameters; the path itself where no route is like it."""
    parts = path.split("/")
    for template, words in TEMPLATES.get(len(parts), ()):
        if all(word == part or word[:1] == "{" for word, part in zip(words, parts, strict=True)):
            found = {word[1:-1]: unquote(part) for word, part in zip(words, parts, strict=True) if word[:1] == "{"}
            return template, found
    return path, {}


def alive(_request: Request, _files: Files) -> Response:
    """What a load balancer asks: the models are loaded before the port is open, so that alive is ready."""
    return answer(200, {})


def invocations(request: Request, files: Files) -> Response:
    """As SageMaker asks a container: the one model that is served."""
    if len(files.served) != 1:
        known = ", ".join(f"/models/{name}/invocations" for name in sorted(files.served))
        message = f"/invocations: expected one model to be served; use one of {known}"[:1000]
        return refusal("/invocations", 404, "no_such_model", message)
    (name,) = files.served
    return respond(request._replace(resource=routes.INVOCATIONS.template, path={"model": name}), files)


def endpoint(request: Request, files: Files) -> Response:
    """As a client of `sagemaker-runtime` asks an endpoint: the model of that name."""
    return respond(request._replace(resource=routes.INVOCATIONS.template), files)


def list_models(_request: Request, files: Files) -> Response:
    """Every model that serves; scores are null, for they are the registry's."""
    lines = tuple(api.ModelLine(**_line(model)) for model in _current(files))
    return answer(200, api.ModelList(lines, None).to_json())


def show_model(request: Request, files: Files) -> Response:
    """One model: its line, its card, which says what a request must hold, and which columns matter."""
    name = request.path["model"]
    if not MODEL_NAME.fullmatch(name) or files.live(name) is None:
        return error(404, "not_found", f"model {short(name)!r}: not served here; GET /models lists what is")
    served = files.served[name]
    page = api.ServedModelPage(**_line(served), card=served.model.card, importances=served.importances)
    return answer(200, page.to_json())


def openapi(_request: Request, _files: Files) -> Response:
    """The API's description, cut to the routes that are here, and without the signature that AWS wants."""
    return answer(200, DOCUMENT)


def repository_index(_request: Request, files: Files) -> Response:
    """Every model that this server knows, and whether it can be asked."""
    found: list[dict[str, str]] = []
    for name, one in sorted(files.served.items()):
        found.append({"name": name, "version": one.row.version, "state": "READY", "reason": ""})
    found += [{"name": name, "state": "UNAVAILABLE", "reason": "unloaded"} for name in sorted(files.unloaded)]
    found += [{"name": name, "state": "UNAVAILABLE", "reason": why} for name, why in sorted(files.broken.items())]
    return answer(200, found)


def repository_load(request: Request, files: Files) -> Response:
    """Opens a model's file again, or one that has come into a folder of the server since it started."""
    name = request.path["model"]
    path = files.path_of(name)
    if path is None:
        message = f"model {short(name)!r}: expected one whose file is in a folder that this server was started with"
        return refusal(request.resource, 404, "no_such_model", message)
    try:
        files.load_again(name, path)
    except (ModelFault, OSError) as fault:
        return refusal(request.resource, 400, "not_a_model", f"model {name!r} stays as it was: {fault}"[:1000])
    return answer(200, {})


def repository_unload(request: Request, files: Files) -> Response:
    """Serves a model no more, until it is loaded again or the server starts again."""
    name = request.path["model"]
    if name not in files.served:
        return refusal(request.resource, 404, "no_such_model", f"model {short(name)!r}: not served here")
    files.unload(name)
    return answer(200, {})


def _current(files: Files) -> list[Served]:
    return [files.served[name] for name in sorted(files.served) if files.live(name) is not None]


def _line(served: Served) -> dict[str, Any]:
    """The fields of a model's line, which are a part of its page too."""
    card, row = served.model.card, served.row
    line = {"model": row.model, "version": row.version, "run": row.run, "moved": row.moved}
    return {**line, "task": card.task, "target": card.target, "metric": None, "metrics": None, "baseline": None}


DOCUMENT = off_aws()

LOCAL: dict[tuple[str, str], Route] = {
    routes.LIST_MODELS.key: list_models,
    routes.SHOW_MODEL.key: show_model,
    routes.OPENAPI.key: openapi,
}
"""The routes that Catalog has on AWS; Predict's are answered by its own dispatch."""

REPOSITORY: dict[str, dict[str, Route]] = {
    "/v2/repository/index": {"POST": repository_index},
    "/v2/repository/models/{model}/load": {"POST": repository_load},
    "/v2/repository/models/{model}/unload": {"POST": repository_unload},
}

ROUTES: dict[str, dict[str, Route]] = {
    **REPOSITORY,
    "/ping": {"GET": alive},
    "/invocations": {"POST": invocations},
    "/endpoints/{model}/invocations": {"POST": endpoint},
}
for _route in (route for route in routes.ROUTES if route.off_aws):
    ROUTES.setdefault(_route.template, {})[_route.method] = (
        respond if _route.function == "predict" else LOCAL[_route.key]
    )

TEMPLATES: dict[int, list[tuple[str, list[str]]]] = {}
for _path in ROUTES:
    TEMPLATES.setdefault(_path.count("/") + 1, []).append((_path, _path.split("/")))
