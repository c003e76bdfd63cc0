"""What can be wrong with a request or a model, as fields; the protocols turn them into statuses and messages.

This library knows no HTTP: `dropforge.inference.protocols.refusals` has the status of each code.
"""

from __future__ import annotations

from typing import Literal

from dropforge.contract.errors import CallerError, ServiceError

Code = Literal[
    "accept",
    "answer_too_large",
    "content_encoding",
    "content_type",
    "datatype",
    "empty",
    "missing_column",
    "no_background",
    "no_such_model",
    "no_such_version",
    "not_a_picture",
    "not_base64",
    "not_csv",
    "not_explained",
    "not_gzip",
    "not_json",
    "out_of_range",
    "ragged_columns",
    "ragged_row",
    "repeated_column",
    "tensor_shape",
    "too_large",
    "too_many_pixels",
    "too_many_rows",
    "unknown_column",
    "unknown_output",
    "unknown_value",
    "unsupported",
    "wrong_length",
    "wrong_query",
    "wrong_shape",
    "wrong_type",
]
"""What is wrong, for programs."""


NO_FINITE_ANSWER = "the model has no finite answer; expected numbers nearer to those it has seen"
"""The reason of `out_of_range`: Judge saw finite answers, so the row's values are unlike any in the data."""


class InputFault(CallerError):
    """A request that cannot be answered.

    Args:
        code: what is wrong, for programs.
        reason: what was expected and what came, without the place.
        row: number of the row, counted from 0.
        column: name of the column, cut by `short` where a stranger chose it.
        place: where else in the request it is, such as `inputs.age.shape` or `explain`.
        columns: names of all columns that are missing, or of all that the model does not know; `column` is the first.

    >>> str(InputFault("wrong_type", "expected a number or null, got 'old'", row=3, column="age"))
    "rows[3].age: expected a number or null, got 'old'"
    """

    def __init__(
        self,
        code: Code,
        reason: str,
        *,
        row: int | None = None,
        column: str | None = None,
        place: str | None = None,
        columns: tuple[str, ...] = (),
    ) -> None:
        super().__init__(code, reason)
        self.code: Code = code
        self.reason = reason
        self.row = row
        self.column = column
        self.place = place
        self.columns = columns

    @property
    def field(self) -> str | None:
        """The place in the request as callers read it, such as `rows[3].age`; None for the whole request."""
        if self.place is not None:
            return self.place
        if self.row is None:
            return self.column
        return f"rows[{self.row}]" if self.column is None else f"rows[{self.row}].{self.column}"

    def __str__(self) -> str:
        """The place and the reason."""
        field = self.field
        if field is None:
            return self.reason
        return f"column {field!r}: {self.reason}" if self.code == "repeated_column" else f"{field}: {self.reason}"


class ModelFault(ServiceError, RuntimeError):
    """A model file that cannot be served: another hash, no card, outputs that are not what the card says."""


class NotFinite(ModelFault):
    """An answer that is NaN or infinite; `row` is the first row that has one."""

    def __init__(self, output: str, row: int) -> None:
        super().__init__(f"output {output!r}, row {row}: expected finite numbers, got NaN or infinity")
        self.row = row


def short(name: str) -> str:
    """A stranger's name, cut to what a message can hold."""
    return name if len(name) <= 100 else f"{name[:100]}…"
