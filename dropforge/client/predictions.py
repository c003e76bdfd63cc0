"""Predictions for any number of rows: several requests, all answered by one version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from dropforge.client.faults import ApiFault, Fault
from dropforge.contract.api import Predictions
from dropforge.contract.documents import fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dropforge.client.api import Api
    from dropforge.client.batches import Batch
    from dropforge.contract.api import RefusedRow

EXPLAIN = "explain"

OF_ALL_ROWS = ("model", "version", "refused", "warnings", "warning_count")
PER_ROW = tuple(field.name for field in fields(Predictions) if field.name not in OF_ALL_ROWS)
"""The lists of an answer that have an entry for every row."""

MOST_BYTES = 4_000_000
"""Of one request; the function that answers takes 6 MB."""

MOST_EXPLAINED = 10
"""Rows of one request that asks for explanations: each takes the model thousands of answers."""

TOO_LARGE = (413, 502)
"""What a request meets that is too large, and one whose answer is."""


Errors = Literal["raise", "skip"]
"""Whether a row that the model cannot read refuses all rows, or is left without an answer."""


def wishes(explain: bool, of_class: str | None, errors: Errors = "raise", strict: bool | None = None) -> dict[str, str]:
    """The query of every request.

    Args:
        explain: whether answers are explained.
        of_class: the class whose probability is explained.
        errors: what happens to a row that the model cannot read.
        strict: whether values that the model does not know are refused; None leaves it to the model.
    """
    if of_class is not None and not explain:
        raise Fault(
            f"class {of_class!r}: expected explain with it: only explanations are of one class", "class", "class"
        )
    if errors not in get_args(Errors):
        raise Fault(f"errors {errors!r}: expected 'raise' or 'skip'", "errors", "errors")
    query = {EXPLAIN: "true"} if explain else {}
    query |= {} if of_class is None else {"class": of_class}
    query |= {} if strict is None else {"strict": "true" if strict else "false"}
    return query | ({} if errors == "raise" else {"errors": errors})


def stream(
    api: Api, model: str, batches: Iterable[Batch], query: Mapping[str, str] | None = None
) -> Iterator[tuple[Batch, Predictions]]:
    """Each batch (or part of one, where a batch was too large) with its predictions, in order.

    Raises:
        Fault: there are no rows, the API refuses some, or another version went live in between.
    """
    done, version = 0, None
    for batch in _explainable(batches) if query and EXPLAIN in query else batches:
        for part, answer in _asked(api, model, batch, done, query):
            if version not in (None, answer.version):
                message = f"model {model!r} moved from version {version} to {answer.version} meanwhile: ask again"
                raise Fault(message, "version_changed")
            version = answer.version
            answer = _numbered(answer, done)
            done += len(part.rows)
            yield part, answer
    if version is None:
        raise Fault("expected at least one row to predict, got none", "no_rows", "rows")


def _explainable(batches: Iterable[Batch]) -> Iterator[Batch]:
    for batch in batches:
        yield from batch.parts(MOST_EXPLAINED)


def collect(parts: Iterable[Predictions]) -> Predictions:
    """All parts as one; there must be at least one."""
    answers = list(parts)
    joined: dict[str, Any] = {
        name: _joined([getattr(answer, name) for answer in answers]) for name in (*PER_ROW, "refused")
    }
    warnings = [warning for answer in answers for warning in answer.warnings]
    return replace(
        answers[0], **joined, warnings=warnings, warning_count=sum(answer.warning_count for answer in answers)
    )


def _numbered(answer: Predictions, done: int) -> Predictions:
    """The answer with its warnings' rows counted from the first of all rows; `done` of them are before its own."""
    if not done or not answer.warnings:
        return answer
    return replace(answer, warnings=[{**warning, "row": warning["row"] + done} for warning in answer.warnings])


def _joined(parts: list[list[Any] | None]) -> list[Any] | None:
    """The entries of all lists; None where there is no list."""
    lists = [part for part in parts if part is not None]
    return [entry for part in lists for entry in part] if lists else None


def _asked(
    api: Api, model: str, batch: Batch, done: int, query: Mapping[str, str] | None
) -> Iterator[tuple[Batch, Predictions]]:
    body, content_type = batch.request()
    divisible = len(batch.rows) > 1
    try:
        if divisible and len(body) > MOST_BYTES:
            raise ApiFault(413, "too_large", f"{len(body)} bytes in one request")
        answer = api.predict(model, body, content_type, query)
    except ApiFault as fault:
        if not divisible or fault.status not in TOO_LARGE:
            raise fault.after_rows(done) from fault
        first, second = batch.halves()
        yield from _asked(api, model, first, done, query)
        yield from _asked(api, model, second, done + len(first.rows), query)
        return
    yield batch, _after_rows(answer, done)


def _after_rows(answer: Predictions, count: int) -> Predictions:
    """The same answer with refused rows counted from the first of all rows, `count` rows before the request's own."""
    if not answer.refused or count == 0:
        return answer
    rows: list[RefusedRow] = [{**refused, "row": refused["row"] + count} for refused in answer.refused]
    return replace(answer, refused=rows)
