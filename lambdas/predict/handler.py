"""Predict: `POST /models/{model}/predict`, JSON, CSV or a picture in, predictions, probabilities, version, ids out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dropforge.contract.ids import prediction_id
from dropforge.contract.names import MODEL_NAME
from dropforge.contract.settings import METRIC_NAMESPACE, NO_HEALTHY_MODEL, ArtifactSettings
from lambdas.predict.models import Models
from lambdas.serving.faults import InputFault, ModelFault, NotFinite
from lambdas.serving.pictures import BODIES
from lambdas.serving.rows import from_csv, from_json, from_picture, short, to_arrays
from lambdas.shared.http import Request, answer, error
from lambdas.shared.log import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from lambdas.serving.model import Answers, ServedModel
    from lambdas.serving.rows import Rows

MOST_BYTES = 6_000_000
"""Lambda takes no more in one call."""

MOST_ANSWER = 4_500_000
"""Characters of an answer: Lambda gives back 6 MB at most, and counts every quotation mark twice."""


@cache
def models() -> Models:
    """What this process serves."""
    return Models(ArtifactSettings.load())


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """A proxy event in, a proxy response out; a caller's mistake never becomes a 5xx."""
    request = Request.from_event(event)
    try:
        return fitting(answer(200, predict(request, models())))
    except InputFault as fault:
        return error(fault.status, fault.code, fault.message, fault.field)
    except ModelFault as fault:
        return unhealthy(request.path["model"], fault)


def predict(request: Request, served: Models) -> dict[str, Any]:
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
    answers = answered(model, to_arrays(rows, model.card))
    return {
        "model": name,
        "version": live.version,
        "predictions": answers.predictions,
        "probabilities": probabilities(answers, model),
        "recommendations": answers.recommendations,
        "ids": [prediction_id() for _ in range(rows.count)],
    }


def answered(model: ServedModel, arrays: Mapping[str, np.ndarray]) -> Answers:
    """The model's answers; a row without a finite one is the caller's to mend, for the judge saw finite ones."""
    try:
        return model.predict(arrays)
    except NotFinite as fault:
        message = f"rows[{fault.row}]: the model has no finite answer; expected numbers nearer to those it has seen"
        raise InputFault(422, "out_of_range", message, f"rows[{fault.row}]") from fault


def fitting(response: dict[str, Any]) -> dict[str, Any]:
    """The response itself when Lambda can give it back; `InputFault` 413 otherwise."""
    if len(response["body"]) > MOST_ANSWER:
        message = (
            f"expected an answer of at most {MOST_ANSWER} characters, got {len(response['body'])}: send fewer rows"
        )
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


def unhealthy(model: str, fault: ModelFault) -> dict[str, Any]:
    """503, a log line, and a count that the alarm watches: by model, and over all."""
    from botocore.exceptions import BotoCoreError, ClientError

    from lambdas.shared.aws import cloudwatch

    log("no healthy model", step="Predict", model=model, reason=str(fault))
    over_all = {"MetricName": NO_HEALTHY_MODEL, "Value": 1.0, "Unit": "Count"}
    data: Any = [over_all, {**over_all, "Dimensions": [{"Name": "model", "Value": model}]}]
    try:
        cloudwatch().put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as lost:  # the caller's answer must not hang on the metric
        log("metric lost", step="Predict", model=model, reason=str(lost))
    return error(503, "no_healthy_model", f"model {model!r} cannot be served at the moment; its owner has been told")
