"""A request to any route of a model: answered in the protocol of its route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.names import REHEARSER
from dropforge.inference.after import Refused
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.inference.protocols import simple
from dropforge.inference.protocols.common import fitting, live_row
from dropforge.inference.protocols.refusals import no_healthy_model, refusal_of

if TYPE_CHECKING:
    from dropforge.inference.http import Request, Response
    from dropforge.inference.protocols.common import Dialect, Store


def respond(request: Request, served: Store) -> Response:
    """The answer to any route of `dropforge.contract.routes`; a caller's mistake never becomes a 5xx."""
    dialect = protocol_of(request.resource)
    if request.caller == REHEARSER:
        from dropforge.inference.protocols.rehearsal import Unheard

        served = Unheard(served)
    try:
        return answered(dialect, request, served)
    except InputFault as fault:
        served.refused(Refused(request.path.get("model", ""), fault.code, request))
        return dialect.refused(refusal_of(fault))
    except ModelFault as fault:
        model = request.path["model"]
        served.report(model, fault)
        refusal = no_healthy_model(model)
        served.refused(Refused(model, refusal.code, request))
        return dialect.refused(refusal)


def answered(dialect: Dialect, request: Request, served: Store) -> Response:
    """The answer of the version that the request is for; while a rollout is under way, its two versions share them.

    Raises:
        InputFault: the caller can mend it.
        ModelFault: the live model cannot be served.
    """
    if request.method == "POST" and "version" not in request.path:
        live = live_row(request.path["model"], served)
        if live.candidate is not None:
            from dropforge.inference.protocols import rollout

            return rollout.answered(dialect, request, served, live, live.candidate)
    return fitting(dialect.answered(request, served))


def protocol_of(resource: str) -> Dialect:
    """The protocol of a route; those that few clients speak are imported when they are first used."""
    if resource.startswith("/v2"):
        from dropforge.inference.protocols.v2 import dialect

        return dialect
    if resource.endswith(("/invocations", "/ping")):
        from dropforge.inference.protocols import sagemaker

        return sagemaker
    return simple
