"""Answers as a frame of the kind that was predicted, one row each, with the same index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from dropforge.client.faults import Fault
from dropforge.client.tables import Frame, library_of

if TYPE_CHECKING:
    from dropforge.contract.api import Predictions

F = TypeVar("F", bound=Frame)


def checked_frame(frame: Any) -> None:
    """Raises `Fault` unless it is a frame of pandas or polars, or an Arrow table."""
    if library_of(frame) is None:
        what = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__name__}"
        hint = "call .collect() first" if what == "polars.LazyFrame" else "use predict for other rows"
        raise Fault(f"expected a frame of pandas or polars, or an Arrow table, got {what}: {hint}", "rows", "rows")


def answer_frame(frame: F, answer: Predictions) -> F:
    """A frame like the given one, with the columns of the answer and, of pandas, the same index."""
    columns: Any = columns_of(answer)
    match library_of(frame):
        case "pandas":
            import pandas as pd

            return cast("F", pd.DataFrame(columns, index=cast("Any", frame).index))
        case "polars":
            import polars as pl

            return cast("F", pl.DataFrame(columns, strict=False))
        case "pyarrow":
            return cast("F", cast("Any", type(frame)).from_pydict(columns))
        case None:
            raise TypeError(f"expected a frame, got {type(frame).__name__}")


def columns_of(answer: Predictions) -> dict[str, list[Any]]:
    """The answer as columns, named as the columns that `dropforge predict --out` writes.

    These are `prediction`, `probability_<class>`, `recommendations`, `base`, `contribution_<column>` and
    `prediction_id`, as far as the answer has them, `warnings` if the model does not know a value, and with
    `errors="skip"` also `refused`, the reason. A row that was refused has None in all others.
    """
    columns: dict[str, list[Any]] = {"prediction": list(answer.predictions)}
    if answer.probabilities is not None:
        columns |= _named("probability_", answer.probabilities)
    if answer.recommendations is not None:
        columns["recommendations"] = list(answer.recommendations)
    if answer.explanations is not None:
        columns["base"] = [each and each["base"] for each in answer.explanations]
        columns |= _named("contribution_", [each and each["contributions"] for each in answer.explanations])
    columns["prediction_id"] = list(answer.ids)
    if answer.warning_count:
        values: dict[int, list[str]] = {}
        for warning in answer.warnings:
            values.setdefault(warning["row"], []).append(f"{warning['column']}: {warning['kind']}")
        columns["warnings"] = ["; ".join(values[row]) if row in values else None for row in range(len(answer.ids))]
    if answer.refused is not None:
        reasons = {row["row"]: _reason(row["column"], row["reason"]) for row in answer.refused}
        columns["refused"] = [reasons.get(row) for row in range(len(answer.ids))]
    return columns


def _named(prefix: str, entries: list[dict[str, float]]) -> dict[str, list[Any]]:
    """One column for every name in the entries, which all have the same names or are None."""
    names = next((list(each) for each in entries if each is not None), [])
    return {f"{prefix}{name}": [each and each[name] for each in entries] for name in names}


def _reason(column: str | None, reason: str) -> str:
    return reason if column is None else f"{column}: {reason}"
