"""The records of an hour as Parquet files of bounded size."""

from __future__ import annotations

import gzip
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from dropforge.contract.captures import compacted_key
from lambdas.common import aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from dropforge.contract.captures import Part


class Kept(NamedTuple):
    """One object of an hour."""

    key: str
    part: Part
    written: datetime
    size: int


PIECE_BYTES = 16 << 20
"""Compressed bytes of the objects that become one file: some ten times as many as JSON in memory."""

READERS = 8


def write_parquet(
    bucket: str, model: str, version: str, hour: str, objects: Sequence[Kept], tags: str
) -> list[str]:  # fmt: skip
    """Writes the records of these objects, in the order of their times; the files' names."""
    files = []
    for number, piece in enumerate(pieces(objects)):
        name = f"{hour}-{number:03d}.parquet"
        with ThreadPoolExecutor(READERS) as readers:
            lines = b"".join(readers.map(lambda each: _lines(bucket, each.key), piece))
        table = pl.read_ndjson(lines, infer_schema_length=None).sort("time", "sandbox", "sequence")
        packed = io.BytesIO()
        table.write_parquet(packed)
        key = compacted_key(model, version, name)
        aws.s3().put_object(Bucket=bucket, Key=key, Body=packed.getvalue(), Tagging=tags)
        files.append(name)
    return files


def pieces(objects: Sequence[Kept]) -> Iterator[list[Kept]]:
    """The objects in groups of bounded size, in the order of their keys."""
    held: list[Kept] = []
    for each in sorted(objects):
        if held and sum(other.size for other in held) + each.size > PIECE_BYTES:
            yield held
            held = []
        held.append(each)
    if held:
        yield held


def _lines(bucket: str, key: str) -> bytes:
    return gzip.decompress(aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read())
