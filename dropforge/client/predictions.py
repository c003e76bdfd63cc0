"""Predictions for any number of rows: several requests, all answered by one version."""

from __future__ import annotations

import re
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

PLACE = re.compile(r"\brows\[(\d+)\]")


class Predictions(Record):
    """Predictions of one model version; every list has one entry per row, in the order of the rows.

    Example:
        >>> answer = forge.predict("churn", [{"plan": "basic", "months": 3}])
        >>> answer.predictions, answer.probabilities
        (['yes'], [{'no': 0.31, 'yes': 0.69}])
    """

    model: str
    version: str
    predictions: list[Any]
    """Numbers for regression and recommendation, in the unit of the target; otherwise classes or clusters."""
    probabilities: list[dict[str, float]] | None
    """Mappings of class (or cluster) to probability; None for regression and recommendation."""
    ids: list[str]
    """Unique ids of the predictions, to match them with true labels later."""
    recommendations: list[list[dict[str, Any]] | None] | None = None
    """For recommenders, the `item`s of a row without one, best first, each with its expected `score`; else None."""
    explanations: list[dict[str, Any]] | None = None
    """With `explain`, objects of `class`, `base`, and `contributions` and `errors` by column; None without."""


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
            raise _relocated(fault, done) from fault
        first, second = batch.halves()
        yield from _asked(api, model, first, done, query)
        yield from _asked(api, model, second, done + len(first.rows), query)
        return
    yield batch, Predictions(**{each.name: answer[each.name] for each in fields(Predictions) if each.name in answer})


def _relocated(fault: ApiFault, done: int) -> ApiFault:
    """The fault with rows counted from the first of all rows, not of this request."""

    def moved(text: str) -> str:
        return PLACE.sub(lambda found: f"rows[{int(found[1]) + done}]", text)

    return ApiFault(fault.status, fault.code, moved(fault.message), fault.field and moved(fault.field))
