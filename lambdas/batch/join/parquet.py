"""Predictions of a Parquet file: the text of its pieces, on disk, as Parquet again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from dropforge.contract.schema import ITEMS, TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.schema import ModelCard
    from lambdas.common.uploads import Upload

BLOCK = 1 << 20

LABELS = {"text": pl.String, "integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean}


def write_parquet(blocks: Iterable[bytes], card: ModelCard, upload: Upload) -> None:
    """Puts the predictions, in memory that does not grow with the rows; columns that were kept are texts.

    Args:
        blocks: delimited text with a header, as Answer writes it.
        card: of the model.
        upload: to put to.
    """
    with tempfile.TemporaryDirectory() as folder:
        text, packed = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with text.open("wb") as file:
            file.writelines(blocks)
        scanned = pl.scan_csv(text, infer_schema=False, empty_string_is_null=False)
        types = _types(scanned.collect_schema().names(), card)
        scanned.with_columns(_typed(name, kind) for name, kind in types.items()).sink_parquet(packed)
        with packed.open("rb") as file:
            while block := file.read(BLOCK):
                upload.write(block)


def _typed(name: str, kind: type[pl.DataType]) -> pl.Expr:
    return pl.col(name) == "true" if kind is pl.Boolean else pl.col(name).cast(kind)


def _types(names: list[str], card: ModelCard) -> dict[str, type[pl.DataType]]:
    """Of the columns that are no texts: the line comes first, what was added last."""
    added = len(card.classes) + 2 + (ITEMS in TASKS[card.task].outputs)
    kinds: list[type[pl.DataType]] = [LABELS[card.label_type] if card.classes else pl.Float64]
    kinds += [pl.Float32] * len(card.classes)
    return {names[0]: pl.Int64, **dict(zip(names[-added:], kinds, strict=False))}
