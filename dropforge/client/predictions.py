"""Predictions for any number of rows: request after request, one version for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.client.faults import ApiFault, Fault
from dropforge.contract.documents import Record, fields

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


class Predictions(Record):
    """Answers of one model version, an entry a row."""

    model: str
    version: str
    predictions: list[Any]
    """A number a row for regression and recommendation, a class or a cluster otherwise."""
    probabilities: list[dict[str, float]] | None
    """Class to probability; None for regression."""
    ids: list[str]
    """Under these, the true labels can come back."""
    recommendations: list[list[dict[str, Any]] | None] | None = None
    """Of recommenders: the items to show in a row without an item, best first, each with its expected `score`."""
    explanations: list[dict[str, Any]] | None = None
    """Where they were asked for: `class`, `base`, `contributions` and `errors` by column, an object a row."""


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
            done += len(part.rows)
            yield part, answer
    if version is None:
        raise Fault("expected at least one row to predict, got none", "no_rows", "rows")


def _explainable(batches: Iterable[Batch]) -> Iterator[Batch]:
    for batch in batches:
        yield from batch.parts(MOST_EXPLAINED)


def collect(parts: Iterable[Predictions]) -> Predictions:
    """All parts as one; there must be at least one."""
    found = list(parts)
    shares = [part.probabilities for part in found if part.probabilities is not None]
    lists = [part.recommendations for part in found if part.recommendations is not None]
    told = [part.explanations for part in found if part.explanations is not None]
    return Predictions(
        model=found[0].model,
        version=found[0].version,
        predictions=[each for part in found for each in part.predictions],
        probabilities=[each for part in shares for each in part] if shares else None,
        ids=[each for part in found for each in part.ids],
        recommendations=[each for part in lists for each in part] if lists else None,
        explanations=[each for part in told for each in part] if told else None,
    )


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
    yield batch, Predictions(**{each.name: answer[each.name] for each in fields(Predictions) if each.name in answer})
