"""What every protocol of Predict shares: where models come from, the limits, and the steps from a name to answers."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from dropforge.contract.names import MODEL_NAME
from dropforge.inference.faults import NO_FINITE_ANSWER, InputFault, NotFinite, short
from dropforge.inference.pictures import BODIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Protocol

    import numpy as np

    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.contract.schema import ModelCard
    from dropforge.inference.after import Answered, Refused
    from dropforge.inference.faults import ModelFault
    from dropforge.inference.http import Request, Response
    from dropforge.inference.model import Answers, ServedModel
    from dropforge.inference.protocols.refusals import Refusal
    from dropforge.inference.unknown import Warnings

    # Not when it runs: a protocol costs a cold start as much as a record.
    class Store(Protocol):
        """Where the models are: the registry and its bucket on AWS, files of a disk elsewhere."""

        def live(self, model: str) -> LiveRow | None:
            """What serves under this name; None when nothing does. Raises `ModelFault` when that cannot be known."""

        def version(self, model: str, version: str) -> LiveRow | VersionRow:
            """An approved version, live or not. Raises `InputFault` that lists those that there are."""

        def load(self, row: LiveRow | VersionRow) -> ServedModel:
            """The model that the row names. Raises `ModelFault` when its file is gone, changed, or not to be loaded."""

        def report(self, model: str, fault: ModelFault) -> None:
            """Tells the owner that a live model cannot be served."""

        def count_unknown(self, row: LiveRow | VersionRow, values: int) -> None:
            """Counts the values of an answered request that the model does not know."""

        def answered(self, answered: Answered) -> None:
            """Puts an answered request aside, for what is done once the answer has been sent."""

        def refused(self, refused: Refused) -> None:
            """Puts a refused request aside in the same way."""

    class Dialect(Protocol):
        """A protocol that Predict speaks."""

        def answered(self, request: Request, served: Store) -> Response:
            """The answer. Raises `InputFault` for what the caller can mend, `ModelFault` for what the owner must."""

        def refused(self, refusal: Refusal) -> Response:
            """The refusal in the protocol's own shape."""


JSON = "application/json"
UNSAID = ("application/x-www-form-urlencoded", "text/plain")
"""Types that clients name by themselves, whatever the body is."""

PICTURES = (*BODIES, "application/x-image")
"""Types of a body that is one picture."""

MOST_BYTES = 6_000_000
"""Lambda takes no more in one call."""

MOST_ANSWER = 4_500_000
"""Bytes of an answer: Lambda gives back 6 MB at most, counts every quotation mark twice, and binary ones as base64."""


def live_row(name: str, served: Store) -> LiveRow:
    """What serves under this name.

    Raises:
        InputFault: nothing does.
        ModelFault: that cannot be known.
    """
    live = served.live(name) if MODEL_NAME.fullmatch(name) else None
    if live is None:
        message = f"model {short(name)!r}: no version is live; GET /models lists what is"
        raise InputFault("no_such_model", message)
    return live


def chosen(path: Mapping[str, str], served: Store) -> LiveRow | VersionRow:
    """What the path's `model`, and its `version` where it has one, stand for.

    Raises:
        InputFault: nothing serves under this name, or it has no approved version of that number.
        ModelFault: that cannot be known.
    """
    live = live_row(path["model"], served)
    return served.version(live.model, path["version"]) if "version" in path else live


def checked_body(request: Request) -> bytes:
    """The request's body, decompressed; `InputFault` when it is not what the request calls it, or too large."""
    if request.body is None:
        raise InputFault("not_base64", "expected a base64 body, as the request calls it")
    if len(request.body) > MOST_BYTES:
        reason = f"expected at most {MOST_BYTES} bytes, got {len(request.body)}: send fewer rows"
        raise InputFault("too_large", reason)
    encoding = request.headers.get("content-encoding")
    if encoding is None:
        return request.body
    from dropforge.inference.compressed import decoded

    return decoded(request.body, encoding, MOST_BYTES)


def media_type(request: Request, body: bytes) -> str:
    """The body's media type: JSON where it looks so and the client named none.

    `curl -d` and a browser's `fetch` name one by themselves that says nothing about the body.
    """
    named = request.content_type
    return JSON if named in UNSAID and body.lstrip()[:1] in (b"[", b"{") else named


def picture_type(content_type: str, card: ModelCard) -> bool:
    """Whether the body is a picture; `InputFault` for one, or for bytes of no known kind, to a model of a table."""
    if content_type not in PICTURES:
        return False
    if card.image is None:
        reason = f"expected {JSON} or text/csv for a model of a table, got {short(content_type)!r}"
        raise InputFault("content_type", reason)
    return True


def is_strict(value: str | None, card: ModelCard) -> bool:
    """Whether a text that the model does not know refuses the request.

    Args:
        value: what the request says, `true` or `false`; None leaves it to the model.
        card: the model's card.

    Raises:
        InputFault: the request says something else.
    """
    if value is None:
        return card.strict
    if value not in ("true", "false"):
        raise InputFault("wrong_query", f"expected true or false, got {short(value)!r}", place="strict")
    return value == "true"


def unknown_in(
    arrays: Mapping[str, np.ndarray],
    row: LiveRow | VersionRow,
    model: ServedModel,
    served: Store,
    *,
    strict: bool,
    values: Callable[[], Mapping[str, Sequence[Any]]],
) -> Warnings | None:
    """The values that the model does not know, or reads as others; None where there is none.

    Args:
        arrays: the model's inputs.
        row: the version that answers.
        model: its model.
        served: who counts such values.
        strict: whether one of them refuses the request.
        values: gives the values of the request by column; called only for a model that reads some as others.

    Raises:
        InputFault: there is one, and the request is strict.
    """
    if not model.known and not model.card.rewritten:
        return None
    from dropforge.inference.unknown import refusal, warnings_of  # of models with texts alone

    columns = values() if model.card.rewritten else {}
    warnings = warnings_of(model, arrays, columns)
    if not warnings.total:
        return None
    if strict:
        raise refusal(warnings, model, arrays, columns)
    served.count_unknown(row, warnings.total)
    return warnings


def predicted(model: ServedModel, arrays: Mapping[str, np.ndarray]) -> tuple[Answers, float]:
    """The model's answers, and the milliseconds that they took.

    A row without a finite answer is the caller's to mend, for the judge saw finite ones.
    """
    start = perf_counter()
    try:
        return model.predict(arrays), 1000 * (perf_counter() - start)
    except NotFinite as fault:
        raise out_of_range(fault) from fault


def out_of_range(fault: NotFinite) -> InputFault:
    """A row whose answer is not finite, as the caller's to mend."""
    return InputFault("out_of_range", NO_FINITE_ANSWER, row=fault.row)


def fitting(response: Response) -> Response:
    """The response itself when Lambda can give it back; `InputFault` otherwise."""
    if len(response.body) > MOST_ANSWER:
        message = f"expected an answer of at most {MOST_ANSWER} characters, got {len(response.body)}: send fewer rows"
        raise InputFault("answer_too_large", message)
    return response
