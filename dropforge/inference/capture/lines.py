"""Records as JSON lines: what the model read and answered, without the values of sensitive columns."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from dropforge.contract.captures import Captured
from dropforge.contract.personal import QUASI
from dropforge.contract.schema import IMAGE
from dropforge.inference.after import Answered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropforge.contract.schema import ModelCard
    from dropforge.inference.capture.buffer import Pending, Stream
    from dropforge.inference.http import Request

UNIT_BYTES = 8
"""Of a unit's hash: among a million units two share one in some 1 of 40 million cases."""


def lines_of(stream: Stream, pending: Sequence[Pending], salt: str) -> bytes:
    """The records of these requests, a line each, in the order of their numbers."""
    return b"".join(
        orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        for each in pending
        for record in records(stream, each, salt)
    )


def records(stream: Stream, pending: Pending, salt: str) -> Iterator[dict[str, Any]]:
    """The records of one request, as the JSON of `Captured`."""
    told = pending.told
    shared: dict[str, Any] = {
        "schema": Captured.SCHEMA,
        "time": moment(pending.at),
        "model": stream.model,
        "version": stream.version,
        "sandbox": stream.sandbox,
        "unit": unit_of(told.request, salt),
    }
    if not isinstance(told, Answered):
        yield {**shared, "sequence": pending.first, "code": told.code}
        return
    answers, card = told.answers, told.model.card
    count = len(answers.predictions)
    rows = chosen(count, pending.records)
    shared |= {"milliseconds": round(told.milliseconds, 4), "rows": count}
    inputs = {name: _values(told.arrays[name], rows) for name in captured_columns(card)}
    shares = None if answers.probabilities is None else _numbers(answers.probabilities[list(rows)])
    hidden = card.target in hidden_columns(card)
    pairs = None
    if told.beside is not None:
        pairs = told.beside.pairs(told, rows)
        shared |= {"arm": told.beside.arm, "stage": told.beside.stage}
        shared["unit"] = _hashed(told.beside.unit, salt) or shared["unit"]
    for at, row in enumerate(rows):
        record = {**shared, "sequence": pending.first + at, "inputs": {name: inputs[name][at] for name in inputs}}
        if told.ids:
            record["id"] = told.ids[row]
        if not hidden:
            record["prediction"] = answers.predictions[row]
            if shares is not None:
                record["probabilities"] = dict(zip(card.classes, shares[at], strict=True))
        if pairs is not None:
            record["paired"] = {**pairs[at].to_json(), **({"prediction": None} if hidden else {})}
        yield record


def chosen(count: int, kept: int) -> Sequence[int]:
    """Which of a request's rows are kept: all of them, or as many as may be, evenly spread."""
    return range(count) if kept == count else [at * count // kept for at in range(kept)]


def hidden_columns(card: ModelCard) -> frozenset[str]:
    """The columns whose values are in no capture: sensitive ones, and those that name a person and are kept."""
    persons = (each.column for each in card.personal if each.kind is not None and each.kind not in QUASI)
    kept = {each.column for each in card.personal if each.treatment == "generalise"}
    return frozenset((*card.masked, *(name for name in persons if name not in kept)))


def captured_columns(card: ModelCard) -> tuple[str, ...]:
    """The columns whose values are captured; pixels are not, which are a thousand times as many."""
    hidden = hidden_columns(card)
    return tuple(name for name in card.names if name not in hidden and name != IMAGE)


def unit_of(request: Request, salt: str) -> str:
    """Whose request it was, hashed; empty where nobody signed it."""
    return _hashed(request.caller, salt)


def _hashed(unit: str, salt: str) -> str:
    return blake2b(unit.encode(), digest_size=UNIT_BYTES, key=salt.encode()[:64]).hexdigest() if unit else ""


def moment(seconds: float) -> str:
    """A time of seconds since 1970 in UTC, ISO 8601, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _values(array: np.ndarray, rows: Sequence[int]) -> list[Any]:
    """One column, [N, 1], of these rows: numbers or texts, None for a missing value."""
    column = array[:, 0] if len(rows) == len(array) else array[list(rows), 0]
    if column.dtype.kind == "f":
        return _numbers(column)
    return [value if value != "" else None for value in column.tolist()]


def _numbers(array: np.ndarray) -> list[Any]:
    """Numbers in as few digits as their type needs, which `tolist` does not do for float32; None for NaN."""
    found: list[Any] = orjson.loads(orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY))
    return found
