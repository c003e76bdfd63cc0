"""Live: `DELETE /models/{model}/live` takes a model back, `PUT` lets an approved version serve, an older one too.

Both are moves of the pointer like Promote's: one conditional write, kept in the history. Done twice they are done once.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from dropforge.contract import routes
from dropforge.contract.environment import load
from dropforge.contract.errors import CallerError
from dropforge.contract.log import begin_request, log
from dropforge.contract.models import NUMBER
from dropforge.contract.names import MODEL_NAME
from dropforge.contract.settings import RegistrySettings
from dropforge.inference.http import Request, Response, answer, error
from lambdas.common.pointer import pointing, withdrawn
from lambdas.common.registry import ATTEMPTS, Registry, RegistryFault

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow

MOST_READ, MOST_NAMED = 100, 20
"""Versions: those among which a refusal looks for approved ones, and those that it names."""


class Refused(CallerError):
    """What the caller can mend."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.response = error(status, code, message, field)


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    begin_request("Live", event, context)
    return respond(Request.from_event(event), Registry(load(RegistrySettings).registry)).to_proxy()


def respond(request: Request, registry: Registry) -> Response:
    """The pointer as it is afterwards; what the caller can mend never becomes a 5xx."""
    try:
        return answer(200, ANSWERS[request.method, request.resource](request, registry).to_json())
    except Refused as fault:
        return fault.response


def remove_model(request: Request, registry: Registry) -> LiveRow:
    """See `remove`."""
    return remove(model_in(request), registry)


def serve_version(request: Request, registry: Registry) -> LiveRow:
    """See `serve`."""
    return serve(model_in(request), asked_version(request), registry)


ANSWERS = {routes.REMOVE_MODEL.key: remove_model, routes.SERVE_VERSION.key: serve_version}
"""The functions that answer, by method and template."""


def model_in(request: Request) -> str:
    """The model of the path; `Refused` for what no model can be named."""
    name = request.path["model"]
    if not MODEL_NAME.fullmatch(name):
        raise Refused(404, "not_found", f"model {name[:80]!r}: there is none; GET /models lists what serves")
    return name


def remove(model: str, registry: Registry) -> LiveRow:
    """Nothing serves under this name from now on; versions and history stay.

    Raises:
        Refused: 404, nothing was ever promoted under this name.
    """
    for _ in range(ATTEMPTS):
        before = registry.pointer(model)
        if before is None:
            raise Refused(404, "not_found", f"model {model!r}: nothing ever served; GET /models lists what does")
        if before.withdrawn:
            return before
        if registry.move_live(after := withdrawn(before)):
            log("removed", model=model, version=before.version)
            return after
    raise busy(model)


def serve(model: str, version: str, registry: Registry) -> LiveRow:
    """The approved version `version` serves from now on.

    Raises:
        Refused: 404, there is no such version, or it was refused; the message lists those that may.
    """
    row = approved(model, version, registry)
    for _ in range(ATTEMPTS):
        before = registry.pointer(model)
        if before is not None and not before.withdrawn and before.version == version:
            return before
        if registry.move_live(after := pointing(row, before)):
            log("moved by hand", model=model, version=version)
            return after
    raise busy(model)


def approved(model: str, version: str, registry: Registry) -> VersionRow:
    """The version; `Refused` when it may not serve."""
    row = registry.version(model, version) if re.fullmatch(NUMBER, version) else None
    if row is None or row.outcome != "approved":
        approved = [known.version for known in registry.versions(model, MOST_READ) if known.outcome == "approved"]
        listed = ", ".join(approved[:MOST_NAMED]) or "none of the newest is approved"
        message = f"model {model!r} version {version[:20]!r}: not approved, or not there; expected one of: {listed}"
        raise Refused(404, "no_such_version", message, "version")
    return row


def asked_version(request: Request) -> str:
    """`version` of the body; `Refused` 400 when there is none."""
    try:
        body = json.loads(request.body or b"")
        version = body["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        version = None
    if not isinstance(version, str):
        raise Refused(400, "wrong_shape", 'expected a body like {"version": "3"}', "version")
    return version


def busy(model: str) -> RegistryFault:
    """Others moved the pointer in every attempt."""
    return RegistryFault(f"live pointer of {model!r}: others moved it in each of {ATTEMPTS} attempts; ask again")
