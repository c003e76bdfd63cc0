"""Dates inside the graph: a text as models are given it to [N, 7] int64, with standard operators alone.

ONNX can neither cut a text by position nor search in it, and a cast of a text that is no number stops the whole
request. So a text must first match the pattern in full, or it is replaced by a date that is right (and marked
as none at the end); then it is split at its separators. Before each split the separators are appended, so that the
number of pieces never depends on what the batch happens to hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import TensorProto

if TYPE_CHECKING:
    from training_container.export.nodes import Nodes

TWO_DIGITS = {form: value for value in range(60) for form in (f"{value}", f"{value:02d}")}
DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
TIME = r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?Z?)?"


def add_date(nodes: Nodes, texts: str) -> str:
    """Adds the parsing of the input `texts` [N, 1]; gives the name of int64 [N, 7] as `encoding` lays it out."""
    right = nodes.add("RegexFullMatch", texts, pattern=DAY + TIME)
    safe = nodes.add("Where", right, texts, nodes.constant("2000-01-01", object))
    date, time = _day_and_time(nodes, safe)
    year, month, day = _split(nodes, date, "-", 3)
    clock = _clock(nodes, time)
    parts = [_whole(nodes, year), *(nodes.lookup(part, TWO_DIGITS, 0) for part in (month, day)), *clock]
    present = _whole(nodes, right)
    return nodes.add("Mul", nodes.concat([*parts, present], axis=1), present)


def _day_and_time(nodes: Nodes, texts: str) -> tuple[str, str]:
    """`2024-05-31T12:30Z`, the same with a space, or the day alone: the day, and the time or the empty text."""
    first, second = _split(nodes, _append(nodes, texts, " "), " ", 2)
    joined = nodes.add("StringConcat", _append(nodes, first, "T"), second)
    day, time = _split(nodes, joined, "T", 2)
    return day, time


def _clock(nodes: Nodes, time: str) -> list[str]:
    """Hour, minute and second of `12:30:15.25Z`; 0 for each that is not written."""
    (bare,) = _split(nodes, _append(nodes, time, "Z"), "Z", 1)
    hour, minute, second = _split(nodes, _append(nodes, bare, ":::"), ":", 3)
    (whole,) = _split(nodes, _append(nodes, second, "."), ".", 1)
    return [nodes.lookup(part, TWO_DIGITS, 0) for part in (hour, minute, whole)]


def _append(nodes: Nodes, texts: str, tail: str) -> str:
    return nodes.add("StringConcat", texts, nodes.constant(tail, object))


def _split(nodes: Nodes, texts: str, separator: str, pieces: int) -> list[str]:
    """The first `pieces` pieces of [N, 1] texts, each [N, 1]."""
    split = nodes.add("StringSplit", texts, outputs=2, delimiter=separator)
    return [nodes.add("Gather", split, nodes.constant(at, "int64"), axis=2) for at in range(pieces)]


def _whole(nodes: Nodes, values: str) -> str:
    return nodes.add("Cast", values, to=TensorProto.INT64)
