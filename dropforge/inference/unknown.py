"""Texts of a request that the model does not know: told to the caller, or refused where the request is strict."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dropforge.inference.faults import InputFault, short

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    import numpy as np

    from dropforge.contract.known import TakenFor, WarningKind
    from dropforge.contract.schema import Column, ModelCard

MOST_WARNINGS = 1_000
"""Warnings that an answer lists; it counts the others."""

MOST_NAMED = 10
"""Known texts that a refusal lists."""


class ValueWarning(NamedTuple):
    """One value that the model does not know."""

    row: int
    column: str
    kind: WarningKind
    taken_for: TakenFor


class Warnings(NamedTuple):
    """All values of a request that the model does not know."""

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


def refusal(warnings: Warnings, known: Mapping[str, AbstractSet[str]], arrays: Mapping[str, np.ndarray]) -> InputFault:
    """What a strict request is refused with: its first unknown value, and how many there are."""
    first = warnings.first[0]
    others = f"; the request has {warnings.total:,} such values" if warnings.total > 1 else ""
    return InputFault("unknown_value", f"{reason_of(first, known, arrays)}{others}", row=first.row, column=first.column)


def reason_of(warning: ValueWarning, known: Mapping[str, AbstractSet[str]], arrays: Mapping[str, np.ndarray]) -> str:
    """Why a strict model refuses the value: what it knows, what came, and how to be answered nevertheless."""
    texts = sorted(text for text in known[warning.column] if text)
    named = ", ".join(repr(short(text)) for text in texts[:MOST_NAMED])
    more = f" and {len(texts) - MOST_NAMED:,} more" if len(texts) > MOST_NAMED else ""
    value = short(arrays[warning.column].ravel()[warning.row])
    return (
        f"expected a value that the model knows ({named}{more}), got {value!r}; "
        f"with strict=false it is taken for {warning.taken_for}"
    )
