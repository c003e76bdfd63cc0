"""What Parquet and Excel share: the text of the pieces on disk, converted to another file there and uploaded."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from dropforge.contract.tasks import ITEMS, TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dropforge.contract.schema import ModelCard
    from lambdas.common.uploads import Upload

BLOCK_BYTES = 1 << 20

LABEL_TYPES = {"text": pl.String, "integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean}


@contextmanager
def converted(blocks: Iterable[bytes], upload: Upload) -> Iterator[tuple[Path, Path]]:
    """Gives the paths of the text, which is there, and of the file to write, which is uploaded when the block ends.

    Args:
        blocks: delimited text with a header, as Answer writes it.
        upload: where to write the converted file.
    """
    with tempfile.TemporaryDirectory() as folder:
        text, packed = Path(folder) / "rows.csv", Path(folder) / "rows.packed"
        with text.open("wb") as file:
            file.writelines(blocks)
        yield text, packed
        with packed.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                upload.write(block)


def types_of(names: list[str], card: ModelCard) -> dict[str, type[pl.DataType]]:
    """The types of the columns that are no texts: the line is the first column, and the predictions are the last."""
    added = len(card.classes) + 2 + (ITEMS in TASKS[card.task].outputs)
    kinds: list[type[pl.DataType]] = [LABEL_TYPES[card.label_type] if card.classes else pl.Float64]
    kinds += [pl.Float32] * len(card.classes)
    return {names[0]: pl.Int64, **dict(zip(names[-added:], kinds, strict=False))}
