"""What the trainer alone knows of each kind of column; what all parts know of it is in `contract.schema.KINDS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from dropforge.contract.schema import ByKind, Column

Group = Literal["numbers", "codes", "dates"]
"""The tables of encoded columns: `encoding.Table` has one of each."""

UNSEEN = "a value never seen"


class TrainedKind(NamedTuple):
    """How columns of one kind are encoded, and the values that the encoding is tried with."""

    group: Group | None
    """The table that the encoded column stands in; None for a kind that is no column of a table."""
    probes: tuple[object, ...]
    """Values at the edges, put into one row after the other, a column at a time."""
    unseen: str | None = None
    """The value that the golden row of unseen values holds; None for a kind whose values need not be seen before."""


TRAINED: ByKind[TrainedKind] = {
    "number": TrainedKind("numbers", (np.nan, 0.0, -1.0, 3.4e38, -3.4e38, np.inf, -np.inf, 1e-30)),
    "category": TrainedKind("codes", ("", UNSEEN, " ", "NA", "ünïcödé 数"), UNSEEN),
    "boolean": TrainedKind("codes", ("", "true", "No", "maybe", "1")),
    "date": TrainedKind("dates", (
        "", "never", "2024-02-30", "2024-13-01", "1999-12-31T23:59:59.123Z", "0001-01-01", "9999/12/31", "1/2/2003",
        "31.12.1970 07:08", "2024-05-31 12:30:00.5Z",
    )),
    "image": TrainedKind(None, ()),
}  # fmt: skip
"""The kinds of columns. A model of pictures has its own encoding and probes, in `training_container.tasks.images`."""

DOUBLES = (1.7e308, -1.7e308)
"""More values at the edges, of a column whose input is float64."""


def probes_of(column: Column) -> tuple[object, ...]:
    """The values at the edges that a column is tried with."""
    return (*TRAINED[column.kind].probes, *(DOUBLES if column.double else ()))
