"""SageMaker's `/invocations` and `/ping`: what its built-in containers take and answer, so that predictors move over.

CSV has no header there and the columns stand in the order of the model's card; a first line of the columns' names is
taken for one. JSON is `{"instances": […]}`, a bare list, or one of our own forms. Answers go by `Accept`.
"""

from __future__ import annotations

import csv
import io
from itertools import chain
from typing import TYPE_CHECKING, Any

from dropforge.contract.records import column_names, spelled_as
from dropforge.contract.tasks import TASKS
from dropforge.inference.after import Answered
from dropforge.inference.documents import write
from dropforge.inference.faults import InputFault, short
from dropforge.inference.http import HEADERS, Response, answer, error_document
from dropforge.inference.protocols.common import (
    checked_body,
    is_strict,
    live_row,
    media_type,
    picture_type,
    predicted,
    unknown_in,
)
from dropforge.inference.rows import (
    Rows,
    check_count,
    from_lines,
    from_picture,
    from_value,
    lines_of,
    parsed,
    to_arrays,
    values_of,
)
from dropforge.inference.values import table_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropforge.contract.schema import ModelCard
    from dropforge.inference.http import Request
    from dropforge.inference.model import Answers
    from dropforge.inference.protocols.common import Store
    from dropforge.inference.protocols.refusals import Refusal

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
SAME = {"": JSON, "application/csv": CSV, "application/x-jsonlines": LINES}
"""Other names of these types; JSON where a request names none."""

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""Header for what SageMaker itself does not read: `strict=true` of a request, `warning_count=3` of an answer."""


def answered(request: Request, served: Store) -> Response:
    """See `Dialect`."""
    live = live_row(request.path["model"], served)
    model = served.load(live)
    if request.resource.endswith("/ping"):
        return answer(200, {})
    body = checked_body(request)
    named = media_type(request, body)
    given = SAME.get(named, named)
    wanted = accepted(request.headers.get("accept", "*/*"), given if given in (CSV, LINES) else JSON)
    rows = read_rows(body, given, model.card)
    arrays = to_arrays(rows, model.card)
    strict = is_strict(wanted_strictness(request), model.card)
    warnings = unknown_in(arrays, live, model, served, strict=strict, values=lambda: values_of(rows, model.card))
    answers, milliseconds = predicted(model, arrays)
    response = written(answers, model.card, wanted)
    served.answered(Answered(live, model, arrays, answers, (), milliseconds, request))
    if warnings is None:
        return response
    return response._replace(headers={**response.headers, ATTRIBUTES: f"warning_count={warnings.total}"})


def wanted_strictness(request: Request) -> str | None:
    """What the request says of texts that the model does not know: in its query, or in its custom attributes."""
    for attribute in request.headers.get(ATTRIBUTES.lower(), "").split(","):
        name, _, value = attribute.partition("=")
        if name.strip() == "strict":
            return value.strip()
    return request.query.get("strict")


def refused(refusal: Refusal) -> Response:
    """See `Dialect`; boto3 and the SageMaker SDK tell their callers what stands under `message`."""
    document = error_document(*refusal[1:])
    return answer(refusal.status, {"message": refusal.message, **document})


def accepted(accept: str, otherwise: str) -> str:
    """The first type in `Accept` that can be answered; `otherwise`, the request's own, where any will do.

    Raises:
        InputFault: there is none.
    """
    for part in accept.split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in ("*/*", ""):
            return otherwise
        if SAME.get(kind, kind) in (JSON, LINES, CSV):
            return SAME.get(kind, kind)
    reason = f"expected {JSON}, {LINES}, {CSV} or */*, got {short(accept)!r}"
    raise InputFault("accept", reason, place="Accept")


def read_rows(body: bytes, content_type: str, card: ModelCard) -> Rows:
    """The request's rows.

    Raises:
        InputFault: as in the simple API.
    """
    if content_type == CSV:
        return from_csv(body, card)
    if content_type == JSON:
        return from_json(parsed(body), card)
    if content_type == LINES:
        return from_json([parsed(line) for line in body.splitlines() if line.strip()], card)
    if picture_type(content_type, card):
        return from_picture(body)
    message = f"expected {CSV}, {JSON}, {LINES} or a picture, got {short(content_type)!r}"
    raise InputFault("content_type", message)


def from_csv(body: bytes, card: ModelCard) -> Rows:
    """Rows of a CSV without a header, or with one."""
    lines = lines_of(body, encoding=card.encoding)
    names = card.names
    known = {*names, *card.ignored}
    header = spelled_as((*known,), column_names(lines[0])) if lines else []
    if header and (set(names) <= set(header) or set(header) <= known):
        return from_lines(header, lines[1:])
    lines = lines_of(body, ",", card.encoding)
    _check_widths(lines, names)
    return from_lines(names, lines)


def from_json(value: Any, card: ModelCard) -> Rows:
    """Rows of `{"instances": […]}`, of a list of records or of lists, of one row, or of one of our own forms."""
    if isinstance(value, dict) and set(value) == {"instances"}:
        value = value["instances"]
    elif isinstance(value, dict) and set(value) in ({"rows"}, {"columns"}):
        return from_value(value)
    if not isinstance(value, list):
        reason = 'expected {"instances": […]}, a list, or rows or columns'
        raise InputFault("wrong_shape", reason, place="instances")
    names = card.names
    rows = value if set(map(type, value)) == {list} else [_features(each, names) for each in value]
    if rows and not any(isinstance(each, list | dict) for each in rows):
        rows = [rows]
    if not rows or isinstance(rows[0], dict):
        return from_value(rows)
    check_count(len(rows))
    _check_widths(rows, names)
    table = table_of_rows(names, list(chain.from_iterable(rows))) if card.all_floats else None
    if table is not None:
        return Rows({}, len(rows), table=table)
    return Rows(dict(zip(names, zip(*rows, strict=True), strict=True)), len(rows))


def _features(instance: Any, names: Sequence[str]) -> Any:
    """The row of an instance as SageMaker's algorithms wrap it: `{"features": […]}`, or that inside of `data`."""
    if isinstance(instance, dict) and set(instance) == {"data"} and "data" not in names:
        instance = instance["data"]
    if isinstance(instance, dict) and set(instance) == {"features"} and "features" not in names:
        instance = instance["features"]
        if isinstance(instance, dict) and set(instance) == {"values"}:
            instance = instance["values"]
    return instance


def _check_widths(rows: Sequence[Any], names: Sequence[str]) -> None:
    if set(map(type, rows)) == {list} and set(map(len, rows)) == {len(names)}:
        return
    for at, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            got = len(row) if isinstance(row, list) else "no list"
            reason = f"expected {len(names)} values in the order {', '.join(names)}"[:900] + f", got {got}"
            raise InputFault("ragged_row", reason, row=at)


def written(answers: Answers, card: ModelCard, wanted: str) -> Response:
    """The answer in the wanted type: CSV has the prediction alone, or the items of a list, a line a row."""
    if wanted == CSV:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(_fields(answers))
        return _response(CSV, text.getvalue().encode())
    found = predictions(answers, card)
    if wanted == LINES:
        return _response(LINES, b"".join(write(each) + b"\n" for each in found))
    return Response(200, HEADERS, write({"predictions": found}))


def predictions(answers: Answers, card: ModelCard) -> list[dict[str, Any]]:
    """One object a row: `score`, the number or the probability of the positive class (of many: of each, in the order of
    the card), and `predicted_label`, as SageMaker's linear learner answers."""
    if answers.probabilities is None:
        lists = answers.recommendations or [None] * len(answers.predictions)
        return [
            {"score": score} if shown is None else {"score": score, "recommendations": shown}
            for score, shown in zip(answers.predictions, lists, strict=True)
        ]
    scores = (answers.probabilities[:, 1] if _has_positive(card) else answers.probabilities).tolist()
    return [
        {"predicted_label": label, "score": score} for label, score in zip(answers.predictions, scores, strict=True)
    ]


def _has_positive(card: ModelCard) -> bool:
    """Whether one of two classes is the positive one, whose probability says all; two clusters have none."""
    return len(card.classes) == 2 and TASKS[card.task].classes == "labels"


def _fields(answers: Answers) -> Iterator[list[str]]:
    """The fields of each row: the prediction; in a row of a list each item and its score, best first."""
    lists = answers.recommendations or [None] * len(answers.predictions)
    for prediction, shown in zip(answers.predictions, lists, strict=True):
        if shown is None:
            yield [_shown(prediction)]
        else:
            yield [str(each[name]) for each in shown for name in ("item", "score")]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _response(content_type: str, body: bytes) -> Response:
    return Response(200, {"Content-Type": content_type, "X-Content-Type-Options": "nosniff"}, body)
