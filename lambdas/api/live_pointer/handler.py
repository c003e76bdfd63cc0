"""Live: `DELETE /models/{model}/live` takes a model back, `PUT` lets an approved version serve, an older one too.

`GET` and `PUT /models/{model}/rollout` show and move a rollout. All are moves of the pointer like Promote's: one
conditional write, kept in the history with who made it and why. Done twice they are done once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dropforge.contract import routes
from dropforge.contract.api import RolloutPage, RolloutRequest, ServeRequest
from dropforge.contract.environment import load
from dropforge.contract.log import begin_request, log
from dropforge.contract.settings import LiveSettings
from dropforge.inference.http import Request, Response, answer
from lambdas.api.live_pointer import rollout
from lambdas.api.live_pointer.asked import Refused, approved, busy, checked_because, model_in, read_body
from lambdas.common import rollouts
from lambdas.common.pointer import move, on_trial, pointing, withdrawn
from lambdas.common.registry import ATTEMPTS, Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.documents import Record
    from dropforge.contract.registry import LiveRow


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    begin_request("Live", event, context)
    settings = load(LiveSettings)
    request = Request.from_event(event)
    response = respond(request, Registry(settings.registry))
    if (request.method, request.resource) == routes.MOVE_ROLLOUT.key and response.status == 200:
        start_looks(response, settings.rollouts)
    return response.to_proxy()


def start_looks(response: Response, machine: str) -> None:
    """Has the rollout looked at that a move has left under way; the reconciler does so where this fails."""
    page = RolloutPage.from_json(json.loads(response.body))
    if page.candidate is not None:
        try:
            rollouts.start(machine, page.model, page.candidate)
        except (ClientError, BotoCoreError) as fault:
            log("rollout not looked at yet", level="warning", model=page.model, reason=str(fault))


def respond(request: Request, registry: Registry) -> Response:
    """The pointer as it is afterwards; what the caller can mend never becomes a 5xx."""
    try:
        return answer(200, ANSWERS[request.method, request.resource](request, registry).to_json())
    except Refused as fault:
        return fault.response


def remove_model(request: Request, registry: Registry) -> LiveRow:
    """See `remove`."""
    because = checked_because(request.query.get("because", ""))
    return remove(model_in(request), registry, request.caller, because)


def serve_version(request: Request, registry: Registry) -> LiveRow:
    """See `serve`."""
    body = read_body(ServeRequest, request, '{"version": "3"}', "version")
    return serve(model_in(request), body.version, registry, request.caller, body.because)


def show_rollout(request: Request, registry: Registry) -> RolloutPage:
    """See `rollout.show`."""
    return rollout.show(model_in(request), registry)


def move_rollout(request: Request, registry: Registry) -> RolloutPage:
    """See `rollout.act`."""
    return rollout.act(
        model_in(request), read_body(RolloutRequest, request, '{"move": "promote"}', "move"), registry, request.caller
    )


ANSWERS: dict[tuple[str, str], Callable[[Request, Registry], Record]] = {
    routes.REMOVE_MODEL.key: remove_model,
    routes.SERVE_VERSION.key: serve_version,
    routes.SHOW_ROLLOUT.key: show_rollout,
    routes.MOVE_ROLLOUT.key: move_rollout,
}
"""The functions that answer, by method and template."""


def remove(model: str, registry: Registry, by: str = "", because: str = "") -> LiveRow:
    """Nothing serves under this name from now on; versions and history stay. A rollout that is under way ends.

    Raises:
        Refused: 404, nothing was ever promoted under this name.
    """
    for _ in range(ATTEMPTS):
        before = registry.pointer(model)
        if before is None:
            raise Refused(404, "not_found", f"model {model!r}: nothing ever served; GET /models lists what does")
        if before.withdrawn:
            return before
        if move(before, after := withdrawn(before, by, because), registry):
            log("removed", model=model, version=before.version)
            return after
    raise busy(model)


def serve(model: str, version: str, registry: Registry, by: str = "", because: str = "") -> LiveRow:
    """The approved version `version` answers everybody from now on; a version on trial answers nobody any more.

    Raises:
        Refused: 404, there is no such version, or it was refused; the message lists those that may.
    """
    row = approved(model, version, registry)
    for _ in range(ATTEMPTS):
        before = registry.pointer(model)
        serves = before is not None and not before.withdrawn and before.version == version
        if before is not None and serves and on_trial(before) is None:
            return before
        if move(before, after := pointing(row, before, by, because), registry):
            log("moved by hand", model=model, version=version)
            return after
    raise busy(model)
