"""Predictions for any number of rows: several requests, all answered by one version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropforge.client.faults import ApiFault, Fault
from dropforge.contract.api import Predictions
from dropforge.contract.documents import fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dropforge.client.api import Api
    from dropforge.client.batches import Batch

MOST_BYTES = 4_000_000
"""Of one request; the function that answers takes 6 MB."""

MOST_EXPLAINED = 10
"""Rows of one request that asks for explanations: each takes the model thousands of answers."""

TOO_LARGE = (413, 502)
"""What a request meets that is too large, and one whose answer is."""


def wishes(explain: bool, of_class: str | None) -> dict[str, str]:
    """The query of every request: whether answers are to be explained, and of which class."""
    if of_class is not None and not explain:
        raise Fault(
            f"class {of_class!r}: expected explain with it: only explanations are of one class", "class", "class"
        )
    return {"explain": "true", **({} if of_class is None else {"class": of_class})} if explain else {}


def stream(
    api: Api, model: str, batches: Iterable[Batch], query: Mapping[str, str] | None = None
) -> Iterator[tuple[Batch, Predictions]]:
    """Each batch (or part of one, where a batch was too large) with its predictions, in order.

    Raises:
        Fault: there are no rows, the API refuses some, or another version went live in between.
    """
    done, version = 0, None
    for batch in _explainable(batches) if query else batches:
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
    lists = [field.name for field in fields(Predictions) if field.name not in ("model", "version", "warning_count")]
    joined: dict[str, Any] = {name: _joined([getattr(answer, name) for answer in answers]) for name in lists}
    joined["warnings"] = joined["warnings"] or []
    return replace(answers[0], **joined, warning_count=sum(answer.warning_count for answer in answers))


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
    yield batch, answer
