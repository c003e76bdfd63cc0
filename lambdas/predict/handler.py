"""Predict: `POST /models/{model}/predict`, JSON, CSV or a picture in, predictions, probabilities, version, ids out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from dropforge.contract.ids import prediction_ids
from dropforge.contract.names import MODEL_NAME
from dropforge.contract.settings import ArtifactSettings
from lambdas.serving.faults import InputFault, ModelFault, NotFinite
from lambdas.serving.pictures import BODIES
from lambdas.serving.rows import from_csv, from_json, from_picture, short, to_arrays
from lambdas.shared.http import Request, Response, answer, error

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from dropforge.contract.registry import LiveRow
    from lambdas.predict.models import Models
    from lambdas.serving.model import Answers, ServedModel
    from lambdas.serving.rows import Rows

MOST_BYTES = 6_000_000
"""Lambda takes no more in one call."""

MOST_ANSWER = 4_500_000
"""Characters of an answer: Lambda gives back 6 MB at most, and counts every quotation mark twice."""


class Store(Protocol):
    """Where the models are: the registry and its bucket on AWS, files of a disk elsewhere."""

    def live(self, model: str) -> LiveRow | None:
        """What serves under this name; None when nothing does. Raises `ModelFault` when that cannot be known."""

    def load(self, row: LiveRow) -> ServedModel:
        """The model that the row names. Raises `ModelFault` when its file is gone, changed, or not to be loaded."""

    def report(self, model: str, fault: ModelFault) -> None:
        """Tells the owner that a live model cannot be served."""


@cache
def models() -> Models:
    """What this process serves."""
    from lambdas.predict.models import Models

    return Models(ArtifactSettings.load())


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out."""
    return respond(Request.from_event(event), models()).to_proxy()


def respond(request: Request, served: Store) -> Response:
    """The answer to `POST /models/{model}/predict`; a caller's mistake never becomes a 5xx."""
    try:
        return fitting(answer(200, predict(request, served)))
    except InputFault as fault:
        return error(fault.status, fault.code, fault.message, fault.field)
    except ModelFault as fault:
        model = request.path["model"]
        served.report(model, fault)
        message = f"model {model!r} cannot be served at the moment; its owner has been told"
        return error(503, "no_healthy_model", message)


def predict(request: Request, served: Store) -> dict[str, Any]:
    """The response's document.

    Raises:
        InputFault: the caller can mend it.
        ModelFault: the live model cannot be served.
    """
    name = request.path["model"]
    live = served.live(name) if MODEL_NAME.fullmatch(name) else None
    if live is None:
        message = f"model {short(name)!r}: no version is live; GET /models lists what is"
        raise InputFault(404, "no_such_model", message)
    rows = read_rows(request)
    model = served.load(live)
    arrays = to_arrays(rows, model.card)
    answers = answered(model, arrays)
    return {
        "model": name,
        "version": live.version,
        "predictions": answers.predictions,
        "probabilities": probabilities(answers, model),
        "recommendations": answers.recommendations,
        "ids": prediction_ids(rows.count),
        **explained(request, model, arrays, answers),
    }


def explained(request: Request, model: ServedModel, arrays: Mapping[str, np.ndarray], answers: Answers) -> Any:
    """What `?explain=true` adds; what it needs is imported for the first who asks."""
    if "explain" not in request.query:
        return {}
    from lambdas.serving.explain import explanations

    return explanations(request.query, model, arrays, answers)


def answered(model: ServedModel, arrays: Mapping[str, np.ndarray]) -> Answers:
    """The model's answers; a row without a finite one is the caller's to mend, for the judge saw finite ones."""
    try:
        return model.predict(arrays)
    except NotFinite as fault:
        message = f"rows[{fault.row}]: the model has no finite answer; expected numbers nearer to those it has seen"
        raise InputFault(422, "out_of_range", message, f"rows[{fault.row}]") from fault


def fitting(response: Response) -> Response:
    """The response itself when Lambda can give it back; `InputFault` 413 otherwise."""
    if len(response.body) > MOST_ANSWER:
        message = f"expected an answer of at most {MOST_ANSWER} characters, got {len(response.body)}: send fewer rows"
        raise InputFault(413, "answer_too_large", message)
    return response


def read_rows(request: Request) -> Rows:
    """The request's rows by its content type; JSON when it names none."""
    if request.body is None:
        raise InputFault(400, "not_base64", "expected a base64 body, as the request calls it")
    if len(request.body) > MOST_BYTES:
        raise InputFault(
            413, "too_large", f"expected at most {MOST_BYTES} bytes, got {len(request.body)}: send fewer rows"
        )
    if request.content_type in ("", "application/json"):
        return from_json(request.body)
    if request.content_type in ("text/csv", "application/csv"):
        return from_csv(request.body)
    if request.content_type in BODIES:
        return from_picture(request.body)
    message = f"expected application/json, text/csv or a picture, got {short(request.content_type)!r}"
    raise InputFault(415, "content_type", message)


def probabilities(answers: Answers, model: ServedModel) -> list[dict[str, float]] | None:
    """One object a row, class to probability; None for regression."""
    if answers.probabilities is None:
        return None
    classes = model.card.classes
    return [dict(zip(classes, row, strict=True)) for row in answers.probabilities.tolist()]
