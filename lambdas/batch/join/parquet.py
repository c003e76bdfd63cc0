"""Predictions of a Parquet file: converts the text of the pieces to Parquet, on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from dropforge.contract.tasks import ITEMS, TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.schema import ModelCard
    from lambdas.common.uploads import Upload

BLOCK_BYTES = 1 << 20

LABEL_TYPES = {"text": pl.String, "integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean}


def write_parquet(blocks: Iterable[bytes], card: ModelCard, upload: Upload) -> None:
    """Writes the predictions, in memory that does not grow with the rows. The file's own columns are texts.

    Args:
        blocks: delimited text with a header, as Answer writes it.
        card: the model's card.
        upload: where to write.
    """
    with tempfile.TemporaryDirectory() as folder:
        text, packed = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with text.open("wb") as file:
            file.writelines(blocks)
        scanned = pl.scan_csv(text, infer_schema=False, empty_string_is_null=False)
        types = types_of(scanned.collect_schema().names(), card)
        scanned.with_columns(_cast(name, kind) for name, kind in types.items()).sink_parquet(packed)
        with packed.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                upload.write(block)


def _cast(name: str, kind: type[pl.DataType]) -> pl.Expr:
    return pl.col(name) == "true" if kind is pl.Boolean else pl.col(name).cast(kind)


def types_of(names: list[str], card: ModelCard) -> dict[str, type[pl.DataType]]:
    """The types of the columns that are no texts: the line is the first column, and the predictions are the last."""
    added = len(card.classes) + 2 + (ITEMS in TASKS[card.task].outputs)
    kinds: list[type[pl.DataType]] = [LABEL_TYPES[card.label_type] if card.classes else pl.Float64]
    kinds += [pl.Float32] * len(card.classes)
    return {names[0]: pl.Int64, **dict(zip(names[-added:], kinds, strict=False))}
