"""Predictions of a Parquet file: converts the text of the pieces to Parquet, on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from lambdas.batch.join.converted import converted, types_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.schema import ModelCard
    from lambdas.common.uploads import Upload


def write_parquet(blocks: Iterable[bytes], card: ModelCard, upload: Upload) -> None:
    """Writes the predictions, in memory that does not grow with the rows. The file's own columns are texts.

    Args:
        blocks: delimited text with a header, as Answer writes it.
        card: the model's card.
        upload: where to write.
    """
    with converted(blocks, upload) as (text, packed):
        scanned = pl.scan_csv(text, infer_schema=False, empty_string_is_null=False)
        types = types_of(scanned.collect_schema().names(), card)
        scanned.with_columns(_cast(name, kind) for name, kind in types.items()).sink_parquet(packed)


def _cast(name: str, kind: type[pl.DataType]) -> pl.Expr:
    return pl.col(name) == "true" if kind is pl.Boolean else pl.col(name).cast(kind)
