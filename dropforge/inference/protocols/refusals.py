"""Faults to refusals: the HTTP status, the message and the place of every fault, worded here once for all protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.inference.faults import Code, InputFault

STATUSES: Mapping[Code, int] = {
    "accept": 406,
    "answer_too_large": 413,
    "content_encoding": 415,
    "content_type": 415,
    "datatype": 422,
    "empty": 400,
    "missing_column": 422,
    "no_background": 409,
    "no_such_model": 404,
    "no_such_version": 404,
    "not_a_picture": 422,
    "not_base64": 400,
    "not_csv": 400,
    "not_explained": 422,
    "not_gzip": 400,
    "not_json": 400,
    "out_of_range": 422,
    "ragged_columns": 422,
    "ragged_row": 422,
    "repeated_column": 422,
    "tensor_shape": 422,
    "too_large": 413,
    "too_many_pixels": 413,
    "too_many_rows": 413,
    "unknown_column": 422,
    "unknown_output": 422,
    "unknown_value": 422,
    "unsupported": 422,
    "wrong_length": 400,
    "wrong_query": 400,
    "wrong_shape": 400,
    "wrong_type": 422,
}
"""The status of every code."""

STATUSES_OF_A_ROW: Mapping[Code, int] = {"not_base64": 422}
"""Other statuses that a code has where it is about a row's value, and not about the whole body."""

LONGEST_MESSAGE = 1_000
"""Characters: a message may list the columns of a model, which can be many."""


class Refusal(NamedTuple):
    """A refused request, before its protocol writes it down."""

    status: int
    code: str
    message: str
    field: str | None = None
    row: int | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()


def refusal_of(fault: InputFault) -> Refusal:
    """The refusal that a fault of the caller means."""
    status = STATUSES[fault.code] if fault.row is None else STATUSES_OF_A_ROW.get(fault.code, STATUSES[fault.code])
    message = str(fault)[:LONGEST_MESSAGE]
    return Refusal(status, fault.code, message, fault.field, fault.row, fault.column, fault.columns)


def no_healthy_model(model: str) -> Refusal:
    """The refusal of a request to a model that cannot be served, whatever the request."""
    message = f"model {model!r} cannot be served at the moment; its owner has been told"
    return Refusal(503, "no_healthy_model", message)
