"""Tables of a program, read alike: frames of pandas and polars, Arrow tables, columns of values, and lists of rows.

pandas, polars and pyarrow are optional: none of them is imported unless a table of its own came in, which the module
of its class tells. An index of pandas that has a name is a column of that name, and stands first; an index without a
name is left out, since filters and samples leave such numbers behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from dropforge.client.faults import Fault
from dropforge.contract.records import repeated

Library = Literal["pandas", "polars", "pyarrow"]

FRAMES: dict[tuple[str, str], Library] = {
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("pyarrow", "Table"): "pyarrow",
    ("pyarrow", "RecordBatch"): "pyarrow",
}
"""The classes of frames, by their package and name."""


class Frame(Protocol):
    """What frames of pandas and polars and Arrow tables have in common; `library_of` tells them from others."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""

    @property
    def columns(self) -> Any:
        """The columns, or their names."""


@dataclass(frozen=True)
class Table:
    """Columns of equally many values.

    Args:
        names: of the columns, without white space around them, each once.
        height: number of rows.
        values: gives the values of every column from one row up to another, as objects of Python or of the library.
    """

    names: tuple[str, ...]
    height: int
    values: Callable[[int, int], list[list[Any]]]


def library_of(value: object) -> Library | None:
    """The library whose frame this is; None for everything else."""
    kinds = ((kind.__module__.partition(".")[0], kind.__name__) for kind in type(value).__mro__)
    return next((FRAMES[kind] for kind in kinds if kind in FRAMES), None)


def is_columns(value: object) -> bool:
    """Whether it is columns of values by their names, as `{"rooms": [3, 4]}` is."""
    return isinstance(value, Mapping) and bool(value) and all(map(_is_sequence, value.values()))


def table_of(data: Any) -> Table:
    """The table of a frame, of columns of values, or of rows.

    Raises:
        Fault: two columns have one name, a column's name is no text or number, or columns differ in length.
    """
    match library_of(data):
        case "pandas":
            return _of_pandas(data)
        case "polars":
            return Table(_names(data.columns), data.height, lambda start, end: _of_polars(data[start:end]))
        case "pyarrow":
            return Table(_names(data.schema.names), data.num_rows, lambda start, end: _of_arrow(data, start, end))
        case None:
            return _of_columns(data) if is_columns(data) else _of_rows(data)


def flat(frame: Any) -> Any:
    """A frame of pandas whose named index is among its columns, and whose columns have texts as names."""
    if frame.columns.nlevels > 1:
        raise Fault(
            "expected columns with one name each, got several levels: join them, as in '_'.join", "rows", "rows"
        )
    levels = [name for name in frame.index.names if name is not None]
    names = _names([*levels, *frame.columns])
    found = frame.reset_index(level=levels) if levels else frame.copy(deep=False)
    found.columns = list(names)
    return found


def _of_pandas(frame: Any) -> Table:
    whole = flat(frame)

    def values(start: int, end: int) -> list[list[Any]]:
        part = whole.iloc[start:end]
        return [part.iloc[:, place].to_list() for place in range(part.shape[1])]

    return Table(tuple(whole.columns), len(whole), values)


def _of_polars(frame: Any) -> list[list[Any]]:
    return [column.to_list() for column in frame.get_columns()]


def _of_arrow(table: Any, start: int, end: int) -> list[list[Any]]:
    import pyarrow as pa

    part = table.slice(start, end - start)
    columns = []
    for column in part.columns:
        if pa.types.is_timestamp(column.type):  # Python has no nanoseconds, and pyarrow refuses to drop them
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        columns.append(column.to_pylist())
    return columns


def _of_columns(data: Mapping[Any, Any]) -> Table:
    names = _names(data)
    lengths = {name: len(values) for name, values in zip(names, data.values(), strict=True)}
    height = next(iter(lengths.values()))
    ragged = next((name for name, length in lengths.items() if length != height), None)
    if ragged is not None:
        message = f"column {ragged!r} has {lengths[ragged]} values: expected {height}, as in {names[0]!r}"
        raise Fault(message, "ragged_columns", ragged, column=ragged)
    columns = [list(values) for values in data.values()]
    return Table(names, height, lambda start, end: [values[start:end] for values in columns])


def _of_rows(data: Iterable[Any]) -> Table:
    rows = list(checked_rows(data))
    keys = dict.fromkeys(key for row in rows for key in row)  # a key that only later rows have is missing in the first
    names = _names(keys)
    return Table(names, len(rows), lambda start, end: [[row.get(key) for row in rows[start:end]] for key in keys])


def checked_rows(rows: Any) -> Iterable[Mapping[Any, Any]]:
    """The rows themselves; a `Fault` for what is no list of rows, or holds something else than mappings."""
    if isinstance(rows, Mapping | str | bytes) or not hasattr(rows, "__iter__"):
        what = type(rows).__name__
        raise Fault(f"rows: expected a list of objects, got {what}: write [{{…}}], or a frame", "rows", "rows")
    for place, row in enumerate(rows):
        if not hasattr(row, "items"):
            message = f"rows[{place}]: expected an object, got {row!r:.60}: write {{name: value}}"
            raise Fault(message, "rows", f"rows[{place}]", place)
        yield row


def _names(names: Iterable[Any]) -> tuple[str, ...]:
    """The names as texts, which must differ."""
    found = list(names)
    for name in found:
        if not isinstance(name, str | int | float) and not hasattr(name, "item") or name != name:  # NaN is no name
            raise Fault(f"column {name!r:.60}: expected a text as its name: rename it", "rows", "rows")
    texts = tuple(str(name).strip() for name in found)
    twice = repeated(texts)
    if twice is not None:
        message = f"column {twice!r} stands twice among the columns (and the named index): rename one"
        raise Fault(message, "repeated_column", twice, column=twice)
    return texts


def _is_sequence(value: object) -> bool:
    """Whether it is a list of values, an array or a column of a frame."""
    return not isinstance(value, str | bytes | Mapping) and hasattr(value, "__len__") and hasattr(value, "__iter__")
