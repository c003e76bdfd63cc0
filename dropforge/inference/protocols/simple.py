"""`POST /models/{model}[/versions/{version}]/predict`: JSON, CSV or a picture in; predictions, version and ids out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract.ids import prediction_ids
from dropforge.inference.after import Answered
from dropforge.inference.documents import write
from dropforge.inference.faults import InputFault, short
from dropforge.inference.http import HEADERS, Response, error
from dropforge.inference.protocols.common import (
    checked_body,
    chosen,
    is_strict,
    media_type,
    picture_type,
    predicted,
    unknown_in,
)
from dropforge.inference.rows import Rows, check_count, from_csv, from_json, from_picture, to_arrays, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.contract.schema import ModelCard
    from dropforge.inference.http import Request
    from dropforge.inference.model import Answers, ServedModel
    from dropforge.inference.protocols.common import Store
    from dropforge.inference.protocols.refusals import Refusal


LONG = 100_000
"""Bytes of a body from which on dictionaries of its records would take longer than the graph."""


def answered(request: Request, served: Store) -> Response:
    """See `Dialect`."""
    return Response(200, HEADERS, write(predict(request, served)))


def refused(refusal: Refusal) -> Response:
    """See `Dialect`."""
    return error(*refusal)


def predict(request: Request, served: Store) -> dict[str, Any]:
    """The response's document.

    Raises:
        InputFault: the caller can mend it.
        ModelFault: the live model cannot be served.
    """
    row = chosen(request.path, served)
    model = served.load(row)
    rows = read_rows(request, model.card)
    if "errors" in request.query:
        from dropforge.inference.protocols import skipping

        if skipping.skips(request.query["errors"]):
            strict = is_strict(request.query.get("strict"), model.card)
            known = skipping.answered(rows, model, lambda kept: document(request, row, model, kept, served), strict)
            return {"model": row.model, "version": row.version, **known}
    return document(request, row, model, rows, served)


def document(
    request: Request, row: LiveRow | VersionRow, model: ServedModel, rows: Rows, served: Store
) -> dict[str, Any]:
    """The document of rows that the model can read. See `predict`."""
    arrays = to_arrays(rows, model.card)
    strict = is_strict(request.query.get("strict"), model.card)
    warnings = unknown_in(arrays, row, model, served, strict=strict, values=lambda: values_of(rows, model.card))
    answers, milliseconds = predicted(model, arrays)
    ids = prediction_ids(rows.count)
    found = {
        "model": row.model,
        "version": row.version,
        "predictions": answers.predictions,
        "probabilities": probabilities(answers, model),
        "recommendations": answers.recommendations,
        "ids": ids,
        "warnings": [] if warnings is None else [warning._asdict() for warning in warnings.first],
        "warning_count": 0 if warnings is None else warnings.total,
        **explained(request, model, arrays, answers),
    }
    served.answered(Answered(row, model, arrays, answers, ids, milliseconds, request))
    return found


def explained(
    request: Request, model: ServedModel, arrays: Mapping[str, np.ndarray], answers: Answers
) -> dict[str, Any]:
    """What `?explain=true` adds; the module that knows it is imported for the first who asks."""
    if "explain" not in request.query:
        return {}
    from dropforge.inference.explain import explanations

    return explanations(request.query, model, arrays, answers)


def read_rows(request: Request, card: ModelCard) -> Rows:
    """The request's rows by its content type; JSON when it names none."""
    body = checked_body(request)
    kind = media_type(request, body)
    if kind in ("", "application/json"):
        return many_records(body, card) or from_json(body)
    if kind in ("text/csv", "application/csv"):
        return from_csv(body, card.encoding)
    if picture_type(kind, card):
        return from_picture(body)
    message = f"expected application/json, text/csv or a picture, got {short(kind)!r}"
    raise InputFault("content_type", message)


def many_records(body: bytes, card: ModelCard) -> Rows | None:
    """The rows of a long JSON of records of numbers alone; None for every other. Its module is imported when asked."""
    if len(body) < LONG or not card.all_floats:
        return None
    from dropforge.inference.protocols.records import table_of_records

    table = table_of_records(body, card.names)
    if table is None:
        return None
    check_count(table.count)
    return Rows({}, table.count, table=table)


def probabilities(answers: Answers, model: ServedModel) -> list[dict[str, float]] | None:
    """One object a row, class to probability; None for regression."""
    if answers.probabilities is None:
        return None
    classes, rows = model.card.classes, answers.probabilities.tolist()
    if len(classes) == 2:  # the usual case, in half the time
        first, second = classes
        return [{first: one, second: other} for one, other in rows]
    return [dict(zip(classes, row, strict=True)) for row in rows]
