"""`?errors=skip`: rows with values that the model cannot read are left without an answer, and named; others have one.

Without it one such row refuses the whole request. Only requests that ask for it import this module. What is wrong with
the request as a whole, as a missing column or a row of another length is, still refuses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.inference.faults import NO_FINITE_ANSWER, InputFault, NotFinite, short
from dropforge.inference.rows import Rows, columns_of, values_of
from dropforge.inference.unknown import reason_of, warnings_of
from dropforge.inference.values import to_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dropforge.contract.batch import Commas
    from dropforge.contract.schema import Column
    from dropforge.inference.model import ServedModel

    Arrays = Mapping[str, np.ndarray]

CHOICES = {"raise": False, "skip": True}

PER_ROW = ("predictions", "probabilities", "recommendations", "ids", "explanations")
"""The lists of an answer that have one entry per row."""


def skips(value: str) -> bool:
    """The query's `errors`; `InputFault` for another value than the two."""
    if value not in CHOICES:
        raise InputFault("wrong_query", f"expected raise or skip, got {short(value)!r}", place="errors")
    return CHOICES[value]


def answered(rows: Rows, model: ServedModel, answer: Callable[[Rows], dict[str, Any]], strict: bool) -> dict[str, Any]:
    """The response's document, with null in the place of every refused row, and `refused` with its reason.

    Args:
        rows: of the request.
        model: that answers.
        answer: makes the document of rows that the model can read.
        strict: whether rows with a value that the model does not know are refused too.

    Raises:
        InputFault: the request as a whole is wrong, or the model is one of pictures.
        ModelFault: the model cannot be served.
    """
    if model.card.image is not None:
        reason = "expected a model of a table, got one of pictures: leave errors out"
        raise InputFault("unsupported", reason, place="errors")
    arrays, refused = readable(rows, model)
    if strict:
        arrays, refused = known_alone(rows, arrays, refused, model)
    kept = [row for row in range(rows.count) if row not in refused]
    document = _answered(kept, arrays, model, answer, picked(rows, kept, model))
    if document is None:  # some answer is not finite
        refused |= {kept[at]: InputFault("out_of_range", NO_FINITE_ANSWER) for at in endless(model, arrays, len(kept))}
        finite = np.array([row not in refused for row in kept], dtype=bool)
        kept = [row for row in kept if row not in refused]
        arrays = {name: array[finite] for name, array in arrays.items()}
        document = _answered(kept, arrays, model, answer, picked(rows, kept, model))
    assert document is not None, "rows with an endless answer were left out"
    told = [
        {"row": row, "column": fault.column, "code": fault.code, "reason": fault.reason}
        for row, fault in sorted(refused.items())
    ]
    return {**document, **_spread(document, kept, rows.count), "refused": told}


def readable(rows: Rows, model: ServedModel) -> tuple[Arrays, dict[int, InputFault]]:
    """The inputs of those rows that the model can read, and the faults of the others, by row."""
    if rows.table is not None:
        return rows.table, {}
    columns = columns_of(rows, model.card)
    refused: dict[int, InputFault] = {}
    commas: dict[str, Commas | None] = {}
    for column in model.card.columns:
        values = columns[column.name]
        commas[column.name] = _commas(values) if rows.text and column.takes_numbers else None
        kept = [row for row in range(rows.count) if row not in refused]
        wrong = _faults(column, [values[row] for row in kept], rows.text, commas[column.name])
        refused |= {kept[at]: fault for at, fault in wrong.items()}
    kept = [row for row in range(rows.count) if row not in refused]
    if not kept:
        return {}, refused
    return {
        column.name: to_array(
            column, [columns[column.name][row] for row in kept], text=rows.text, commas=commas[column.name]
        )
        for column in model.card.columns
    }, refused


def picked(rows: Rows, kept: Sequence[int], model: ServedModel) -> dict[str, Sequence[Any]]:
    """The values of the kept rows in the columns of which the model reads some as others."""
    if not model.card.rewritten:
        return {}
    columns = {column.name: values_of(rows, model.card)[column.name] for column in model.card.rewritten}
    return {name: [values[row] for row in kept] if values else () for name, values in columns.items()}


def known_alone(
    rows: Rows, arrays: Arrays, refused: dict[int, InputFault], model: ServedModel
) -> tuple[Arrays, dict[int, InputFault]]:
    """As `readable`, with the rows that have a value which the model does not know among the refused."""
    count = rows.count
    if not (model.known or model.card.rewritten) or len(refused) == count:
        return arrays, refused
    kept = [row for row in range(count) if row not in refused]
    values = picked(rows, kept, model)
    unknown = warnings_of(model, arrays, values, most=count * len(model.card.columns)).first
    first = {warning.row: warning for warning in reversed(unknown)}
    faults = {
        kept[at]: InputFault("unknown_value", reason_of(warning, model, arrays, values), column=warning.column)
        for at, warning in first.items()
    }
    known = np.array([at not in first for at in range(len(kept))], dtype=bool)
    return {name: array[known] for name, array in arrays.items()}, refused | faults


def _faults(column: Column, values: Sequence[Any], text: bool, commas: Commas | None) -> dict[int, InputFault]:
    """The fault of each value that the column cannot have, by its place; halves are tried until each stands alone."""
    try:
        if values:
            to_array(column, values, text=text, commas=commas)
        return {}
    except InputFault as fault:
        if len(values) == 1:
            return {0: fault}
    middle = len(values) // 2
    later = _faults(column, values[middle:], text, commas)
    return _faults(column, values[:middle], text, commas) | {middle + at: fault for at, fault in later.items()}


def _commas(values: Sequence[str]) -> Commas:
    """What commas are in a column, by those values that can be numbers: another value must not decide it."""
    from dropforge.inference.numbers import comma_meanings, settled, undressed

    meanings = {comma_meanings(undressed(value.strip())) for value in values if "," in value} - {frozenset()}
    return settled(meanings)


def _answered(
    kept: list[int],
    arrays: Arrays,
    model: ServedModel,
    answer: Callable[[Rows], dict[str, Any]],
    values: dict[str, Sequence[Any]],
) -> dict[str, Any] | None:
    """The document of the kept rows; None where one of them has no finite answer."""
    if not kept:
        none: dict[str, Any] = {"predictions": [], "probabilities": None, "recommendations": None, "ids": []}
        none |= {"warnings": [], "warning_count": 0}
        none |= {"probabilities": []} if model.card.classes else {}
        return none | ({"recommendations": []} if model.card.task == "recommendation" else {})
    try:
        return answer(Rows(values, len(kept), table=arrays))
    except InputFault as fault:
        if fault.code != "out_of_range":
            raise
        return None


def endless(model: ServedModel, arrays: Arrays, count: int) -> list[int]:
    """The places of those rows whose answer is not finite."""
    try:
        model.predict(arrays)
        return []
    except NotFinite:
        if count == 1:
            return [0]
    middle = count // 2
    halves = (slice(0, middle), slice(middle, count))
    first, second = ({name: array[half] for name, array in arrays.items()} for half in halves)
    return endless(model, first, middle) + [middle + at for at in endless(model, second, count - middle)]


def _spread(document: dict[str, Any], kept: list[int], count: int) -> dict[str, Any]:
    """The lists of the document with an entry for every row of the request, null for those that were refused."""
    lists: dict[str, Any] = {}
    for name in PER_ROW:
        if document.get(name) is not None:
            by_row = dict(zip(kept, document[name], strict=True))
            lists[name] = [by_row.get(row) for row in range(count)]
    lists["warnings"] = [{**warning, "row": kept[warning["row"]]} for warning in document["warnings"]]
    return lists
