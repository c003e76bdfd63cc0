"""The routes of the Open Inference Protocol: health, metadata, inference."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from dropforge.contract.ids import prediction_ids
from dropforge.inference.after import Answered
from dropforge.inference.faults import NotFinite
from dropforge.inference.http import Response, answer
from dropforge.inference.protocols.common import checked_body, chosen, is_strict, out_of_range, unknown_in
from dropforge.inference.protocols.v2 import metadata, wire
from dropforge.inference.protocols.v2.inputs import columns_of, to_arrays
from dropforge.inference.protocols.v2.outputs import response, wants_ids

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.inference.http import Request
    from dropforge.inference.protocols.common import Store
    from dropforge.inference.protocols.refusals import Refusal

OF_THE_SERVER: dict[str, dict[str, Any]] = {
    "/v2": metadata.SERVER,
    "/v2/health/live": {"live": True},
    "/v2/health/ready": {"ready": True},
}


def answered(request: Request, served: Store) -> Response:
    """See `Dialect`."""
    if request.resource in OF_THE_SERVER:
        return answer(200, OF_THE_SERVER[request.resource])
    live = chosen(request.path, served)
    if request.resource.endswith("/infer"):
        return infer(request, live, served)
    card = served.load(live).card
    if request.resource.endswith("/ready"):
        return answer(200, {"name": live.model, "ready": True})
    return answer(200, metadata.model_metadata(live, card))


def refused(refusal: Refusal) -> Response:
    """See `Dialect`; the protocol has one text, which names the place."""
    return answer(refusal.status, {"error": refusal.message})


def infer(request: Request, live: LiveRow | VersionRow, served: Store) -> Response:
    """The answer to an inference request."""
    asked = wire.read(checked_body(request), request.headers.get(wire.HEADER))
    model = served.load(live)
    arrays = to_arrays(asked, model.card)
    strict = is_strict(request.query.get("strict"), model.card) if asked.strict is None else asked.strict
    warnings = unknown_in(arrays, live, model, served, strict=strict, values=lambda: columns_of(asked, model.card))
    start = perf_counter()
    try:
        found = model.outputs(arrays)
    except NotFinite as fault:
        raise out_of_range(fault) from fault
    milliseconds = 1000 * (perf_counter() - start)
    ids = prediction_ids(len(next(iter(found.values())))) if wants_ids(asked) else []
    answer = response(asked, live, model.card, found, ids, warnings)
    served.answered(Answered(live, model, arrays, found, ids, milliseconds, request))
    return answer
