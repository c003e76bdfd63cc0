"""The rows of a request, as columns: JSON records, JSON columns or CSV; then the arrays that a model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dropforge.contract.records import column_names, repeated, spelled_as
from dropforge.contract.schema import IMAGE
from dropforge.inference.documents import read
from dropforge.inference.faults import InputFault, short
from dropforge.inference.pictures import to_pixels
from dropforge.inference.values import numbers_at_once, table_of, to_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from dropforge.contract.schema import ModelCard

MOST_ROWS = 10_000

Values = TypeVar("Values")


class Rows:
    """A request's rows, column by column, or as the records that came.

    Args:
        columns: values by name, equally many.
        count: how many rows these are.
        text: whether every value is a text of a CSV.
        records: instead of `columns`: made into columns by the card, since strangers' may have any number of keys.
        table: instead of both: what the model takes, by name.
    """

    __slots__ = ("columns", "count", "records", "table", "text")

    def __init__(
        self,
        columns: dict[str, Sequence[Any]],
        count: int,
        *,
        text: bool = False,
        records: list[dict[str, Any]] | None = None,
        table: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.columns = columns
        self.count = count
        self.text = text
        self.records = records
        self.table = table


def from_json(body: bytes) -> Rows:
    """Rows of `[{…}, …]`, `{"rows": [{…}, …]}` or `{"columns": {name: […], …}}`.

    Raises:
        InputFault: it is no such JSON, or has too many rows or ragged columns.
    """
    return from_value(parsed(body))


def parsed(body: bytes) -> Any:
    """The value of a body in JSON; `InputFault` when it is none, or has a key twice."""
    if not body:
        raise InputFault("empty", "expected rows as JSON or CSV, got an empty body")
    return read(body)


def from_value(value: Any) -> Rows:
    """Rows of such a JSON, parsed. See `from_json`."""
    if isinstance(value, dict) and set(value) == {"columns"}:
        return _from_columns(value["columns"])
    records = value["rows"] if isinstance(value, dict) and set(value) == {"rows"} else value
    if not isinstance(records, list) or not set(map(type, records)) <= {dict}:
        raise InputFault("wrong_shape", 'expected [{…}, …], {"rows": [{…}, …]} or {"columns": {name: […], …}}')
    return _from_records(records)


def from_csv(body: bytes, encoding: str = "") -> Rows:
    """Rows of a CSV with a header, read as the trainer reads a data set: delimiter and encoding by their content.

    Args:
        body: the bytes of the CSV.
        encoding: of text that is not UTF-8, where it is known.

    Raises:
        InputFault: the bytes are no such CSV, or have too many rows or a ragged row.
    """
    lines = lines_of(body, encoding=encoding)
    if not lines:
        raise InputFault("empty", "expected a CSV with a header and at least one row, got nothing")
    return from_lines(column_names(lines[0]), lines[1:])


def lines_of(body: bytes, delimiter: str | None = None, encoding: str = "") -> list[list[str]]:
    """The fields of a CSV, a list a row; `InputFault` for bytes that are no CSV. The delimiter is found when None."""
    from dropforge.contract import csvtext, encodings  # of CSV alone

    try:
        return csvtext.lines_of(encodings.decoded(body, encoding), delimiter)
    except csvtext.CsvFault as fault:
        raise InputFault("not_csv", f"expected CSV, got a row that ends in line {fault.line}: {fault}") from fault
    except UnicodeError as fault:
        raise InputFault("not_csv", f"expected CSV in UTF-8: {fault}") from fault


def from_lines(header: Sequence[str], rows: list[list[str]]) -> Rows:
    """Rows of a CSV's fields. See `from_csv`."""
    check_count(len(rows))
    twice = repeated(header)
    if twice is not None:
        raise InputFault("repeated_column", "expected once, got it again", column=short(twice))
    for at, row in enumerate(rows):
        if len(row) != len(header):
            reason = f"expected {len(header)} fields as in the header, got {len(row)}"
            raise InputFault("ragged_row", reason, row=at)
    return Rows(dict(zip(header, zip(*rows, strict=True), strict=True)), len(rows), text=True)


def from_picture(body: bytes) -> Rows:
    """One row: the body is a picture's file."""
    if not body:
        raise InputFault("empty", "expected the bytes of a picture's file, got an empty body")
    return Rows({IMAGE: [body]}, 1)


def to_arrays(rows: Rows, card: ModelCard) -> Mapping[str, np.ndarray]:
    """The model's inputs by name, [N, 1] each; of a model of pictures [N, H, W, C].

    Raises:
        InputFault: a missing or an unknown column, or a value of a wrong type.
    """
    if rows.table is not None:
        return rows.table
    table = table_of(card, rows.records) if rows.records is not None and card.all_floats else None
    if table is not None:
        return table
    columns = columns_of(rows, card)
    if card.image is not None:
        return {IMAGE: to_pixels(card, columns[IMAGE])}
    known = None if rows.text else numbers_at_once(card.floats, columns)
    if known is not None and card.all_floats:
        return known
    return {
        column.name: known[column.name]
        if known is not None and column.element == "float32"
        else to_array(column, columns[column.name], text=rows.text)
        for column in card.columns
    }


def columns_of(rows: Rows, card: ModelCard) -> dict[str, Sequence[Any]]:
    """The values of rows without a table, column by column; `InputFault` for a missing or an unknown column."""
    return checked(rows.columns, card) if rows.records is None else _gathered(rows.records, card)


def values_of(rows: Rows, card: ModelCard) -> Mapping[str, Sequence[Any]]:
    """The values of rows as they came, in the columns of which the model reads some as others."""
    if rows.table is not None and not rows.columns:  # all of them are numbers
        return {column.name: () for column in card.rewritten}
    return rows.columns if rows.table is not None else columns_of(rows, card)


def checked(columns: dict[str, Values], card: ModelCard, *, as_rows: bool = True) -> dict[str, Values]:
    """The columns by the model's names when these are all there and no stranger's; `InputFault` otherwise.

    Args:
        columns: what the request has, by name.
        card: of the model.
        as_rows: whether the fault shows a row to copy, which a protocol of tensors has no place for.
    """
    if not all(name in columns for name in card.names):
        columns = dict(zip(spelled_as(card.names, columns), columns.values(), strict=True))
    if len(columns) != len(card.names) or not all(name in columns for name in card.names):
        _check_names(columns, card, as_rows=as_rows)
    return columns


def _gathered(records: list[dict[str, Any]], card: ModelCard) -> dict[str, Sequence[Any]]:
    names = card.names
    if len(names) > 1 and set(map(len, records)) == {len(names)}:
        try:
            return dict(zip(names, zip(*map(card.pick, records), strict=True), strict=True))
        except KeyError:
            pass  # below it is named
    wanted, allowed = set(names), {*names, *card.ignored}
    if not all(map(str.isascii, names)):
        records = [dict(zip(spelled_as(names, record), record.values(), strict=True)) for record in records]
    for at, record in enumerate(records):
        if not wanted <= record.keys() or not record.keys() <= allowed:
            _check_names(record, card, at)
    return {name: [record[name] for record in records] for name in names}


def _check_names(columns: Mapping[str, Any], card: ModelCard, row: int | None = None, *, as_rows: bool = True) -> None:
    """Raises `InputFault` for columns of the model that are missing, or for columns that it does not know."""
    from dropforge.inference.misnamed import missing_columns, strangers_in, unknown_columns  # of refusals alone

    strangers = strangers_in(columns, card)
    missing = [name for name in card.names if name not in columns]
    if missing:
        raise missing_columns(missing, strangers, card, row, as_rows=as_rows)
    if strangers:
        raise unknown_columns(strangers, card, row)


def _from_records(records: list[dict[str, Any]]) -> Rows:
    check_count(len(records))
    return Rows({}, len(records), records=records)


def _from_columns(columns: Any) -> Rows:
    if not isinstance(columns, dict) or not set(map(type, columns.values())) <= {list}:
        raise InputFault("wrong_shape", 'expected {"columns": {name: [value, …], …}}')
    if not columns:
        raise InputFault("empty", "expected at least one column and one row, got none")
    first, values = next(iter(columns.items()))
    count = len(values)
    if set(map(len, columns.values())) != {count}:
        ragged = next(name for name, each in columns.items() if len(each) != count)
        reason = f"expected {count} values as in {short(first)!r}, got {len(columns[ragged])}"
        place = f"columns.{short(ragged)}"
        raise InputFault("ragged_columns", reason, column=short(ragged), place=place)
    check_count(count)
    return Rows(columns, count)


def check_count(count: int) -> None:
    """Raises `InputFault` for no row at all, and for too many."""
    if count == 0:
        raise InputFault("empty", "expected at least one row, got none")
    if count > MOST_ROWS:
        message = f"expected at most {MOST_ROWS} rows a request, got {count}: send several requests"
        raise InputFault("too_many_rows", message)
