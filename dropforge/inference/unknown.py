"""Values of a request that the model does not know or reads as others: told, or refused where the request is strict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.inference.faults import InputFault, short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    import numpy as np

    from dropforge.contract.known import TakenFor, WarningKind
    from dropforge.contract.schema import Column, ModelCard
    from dropforge.inference.model import ServedModel

    Arrays = Mapping[str, np.ndarray]
    Values = Mapping[str, Sequence[Any]]

MOST_WARNINGS = 1_000
"""Warnings that an answer lists; it counts the others."""

MOST_NAMED = 10
"""Known texts that a refusal lists."""


class ValueWarning(NamedTuple):
    """One value that the model does not know, or reads as another."""

    row: int
    column: str
    kind: WarningKind
    taken_for: TakenFor


class Warnings(NamedTuple):
    """All such values of a request."""

    total: int
    first: list[ValueWarning]
    """The first `MOST_WARNINGS` of them, by row."""


NO_WARNINGS = Warnings(0, [])


def unknown_values(
    card: ModelCard, known: Mapping[str, AbstractSet[str]], arrays: Mapping[str, np.ndarray], most: int = MOST_WARNINGS
) -> Warnings:
    """The values that the model does not know.

    Args:
        card: the model's card.
        known: the texts that the graph knows, by column (`ServedModel.known`).
        arrays: the model's inputs, [N, 1] each.
        most: how many of them are listed.
    """
    count, first = 0, []
    for column in card.columns:
        if column.name not in known:
            continue
        texts = arrays[column.name].ravel().tolist()
        unknown = set(texts) - known[column.name]
        if unknown:
            rows = [row for row, text in enumerate(texts) if text in unknown]
            count += len(rows)
            first += [ValueWarning(row, column.name, *_reading(column, card)) for row in rows[:most]]
    return Warnings(count, sorted(first)[:most]) if count else NO_WARNINGS


def _reading(column: Column, card: ModelCard) -> tuple[WarningKind, TakenFor]:
    """What an unknown text of a column is, and what the graph reads instead."""
    if card.task == "recommendation":
        return "unknown_id", "average"
    return ("unknown_boolean", "missing") if column.kind == "boolean" else ("unknown_category", "other")


def rewritten_values(card: ModelCard, values: Values, most: int = MOST_WARNINGS) -> Warnings:
    """The values that are read as others: codes that are padded with zeros, and words that count as missing.

    Args:
        card: the model's card.
        values: of the request, by column, as JSON or CSV has them.
        most: how many of them are listed.
    """
    found = []
    for column in card.rewritten:
        reading: tuple[WarningKind, TakenFor] = (
            ("short_code", "padded") if column.width else ("missing_word", "missing")
        )
        words = {word.casefold() for word in column.missing}
        for row, value in enumerate(values[column.name]):
            if _is_short(value, column.width) if column.width else _is_word(value, words):
                found.append(ValueWarning(row, column.name, *reading))
    return Warnings(len(found), sorted(found)[:most]) if found else NO_WARNINGS


def _is_short(value: Any, width: int) -> bool:
    """Whether a value is a whole number with fewer digits than a column's codes."""
    digits = str(value).strip().removesuffix(".0")
    return type(value) is not bool and len(digits) < width and digits.isascii() and digits.isdigit()


def _is_word(value: Any, words: AbstractSet[str]) -> bool:
    return isinstance(value, str) and value.strip().casefold() in words


def warnings_of(model: ServedModel, arrays: Arrays, values: Values, most: int = MOST_WARNINGS) -> Warnings:
    """All values that a model does not know or reads as others.

    Args:
        model: that is asked.
        arrays: its inputs.
        values: of the request, by column; only those of `ModelCard.rewritten` are looked at.
        most: how many of them are listed.
    """
    unknown = unknown_values(model.card, model.known, arrays, most)
    rewritten = rewritten_values(model.card, values, most)
    if not rewritten.total:
        return unknown
    return Warnings(unknown.total + rewritten.total, sorted([*unknown.first, *rewritten.first])[:most])


def refusal(warnings: Warnings, model: ServedModel, arrays: Arrays, values: Values) -> InputFault:
    """What a strict request is refused with: its first such value, and how many there are."""
    first = warnings.first[0]
    others = f"; the request has {warnings.total:,} such values" if warnings.total > 1 else ""
    reason = f"{reason_of(first, model, arrays, values)}{others}"
    return InputFault("unknown_value", reason, row=first.row, column=first.column)


def reason_of(warning: ValueWarning, model: ServedModel, arrays: Arrays, values: Values) -> str:
    """Why a strict model refuses the value: what is expected, what came, and how to be answered nevertheless."""
    if warning.kind == "short_code":
        expected, value = "a code with its leading zeros", values[warning.column][warning.row]
    elif warning.kind == "missing_word":
        expected, value = "a value as most of the data have it, or none", values[warning.column][warning.row]
    else:
        texts = sorted(text for text in model.known[warning.column] if text)
        named = ", ".join(repr(short(text)) for text in texts[:MOST_NAMED])
        more = f" and {len(texts) - MOST_NAMED:,} more" if len(texts) > MOST_NAMED else ""
        expected = f"a value that the model knows ({named}{more})"
        value = short(arrays[warning.column].ravel()[warning.row])
    return f"expected {expected}, got {value!r}; with strict=false it is taken for {warning.taken_for}"
