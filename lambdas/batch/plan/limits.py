"""The limits of a batch, checked by names and sizes before anything is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.fitting import quoted
from dropforge.contract.names import FORMATS, format_of
from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.names import Drop
    from dropforge.contract.schema import ModelCard

MAX_FILE_BYTES = 9 * 2**30
"""Largest file; it must fit on the function's disk."""

MAX_BATCH_BYTES = 40 * 2**30
"""Largest size of all files together; Plan must read them within the function's 15 minutes."""

MAX_PIECES = 1_000
"""The numbers of all pieces must fit into the state of the execution."""


def check_drop(drop: Drop, card: ModelCard, sizes: Sequence[int]) -> None:
    """Refuses, with `DataFault`, drops that cannot be predicted."""
    if card.image is not None:
        raise DataFault(
            f"{card.model!r} is a model of pictures; expected one of rows: send its pictures to "
            f"POST /models/{card.model}/predict, or by `dropforge predict {card.model} PICTURE…`"
        )
    if drop.kind == "unknown" and "/" in drop.name:
        raise DataFault(
            f"{quoted(drop.name)} lies in a folder; expected batch/{card.model}/<file>, or parts named part-* and a "
            "_SUCCESS beside them: move it up"
        )
    if drop.kind == "unknown" or format_of(drop.name) == "images":
        endings = ", ".join(ending for ending, kind in FORMATS.items() if kind != "images")
        raise DataFault(f"{quoted(drop.name)}: expected a file ending in {endings}; convert it to one of these")
    if not sizes:
        raise DataFault(f"{drop.name}/_SUCCESS has no part beside it; expected part-* files with rows: drop them first")
    _check_sizes(sizes)


def _check_sizes(sizes: Sequence[int]) -> None:
    if max(sizes) > MAX_FILE_BYTES:
        raise DataFault(
            f"a file of {max(sizes)} bytes; expected at most {MAX_FILE_BYTES}: drop it in parts, part-* and _SUCCESS"
        )
    if sum(sizes) > MAX_BATCH_BYTES:
        raise DataFault(f"{sum(sizes)} bytes; expected at most {MAX_BATCH_BYTES}: drop them as several sets")
    if len(sizes) > MAX_PIECES // 2:
        raise DataFault(f"{len(sizes)} parts; expected at most {MAX_PIECES // 2}: join some, or drop several sets")


def piece_size(sizes: Sequence[int], wanted: int) -> int:
    """Bytes of a piece: `wanted`, or more if that would make too many pieces."""
    return max(wanted, 2 * sum(sizes) // MAX_PIECES)


def check_pieces(count: int) -> None:
    """Refuses, with `DataFault`, a batch that unpacks to too many pieces."""
    if count > MAX_PIECES:
        raise DataFault(
            f"the files unpack to {count} pieces; expected at most {MAX_PIECES}: drop them as several batches"
        )
