"""The rows of a rehearsal: the run's golden rows, and what the live version was asked last."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.contract import names
from dropforge.contract.captures import Captured
from dropforge.contract.documents import DocumentError
from lambdas.common import aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.contract.schema import ModelCard
    from lambdas.common.artifacts import Artifacts

MOST_CAPTURED = 1_000
"""Captured rows that are asked again."""

HOURS = 24
"""How far back captured requests are looked for."""


class Row(NamedTuple):
    """A row and what a reason calls it."""

    name: str
    inputs: dict[str, Any]
    is_sample: bool = False
    """Whether it is a caller's row with all of its values. How often answers differ on others says nothing: golden rows
    are chosen to be extreme, and a row without its sensitive values is none that the versions were compared on."""


def golden_rows(run: str, artifacts: Artifacts) -> list[Row]:
    """The rows that the trainer and Judge have answered."""
    lines = artifacts.read(names.RunFiles(run).key(names.GOLDEN_FILE)).splitlines()
    return [Row(f"golden row {at + 1}", json.loads(line)["row"]) for at, line in enumerate(lines) if line.strip()]


def captured_rows(model: str, version: str, card: ModelCard, artifacts: Artifacts, now: datetime) -> list[Row]:
    """The last rows that the version answered, the newest first; empty where nothing is captured.

    Columns that no capture holds, since they are sensitive, are missing values here. Pictures are in no capture.
    """
    rows: list[Row] = []
    if card.image is not None:
        return rows
    missing = dict.fromkeys(card.names)
    for key in _keys(model, version, artifacts.bucket, now):
        rows += [
            Row(
                f"the row of prediction {record.id}",
                {**missing, **record.inputs},
                is_sample=missing.keys() <= record.inputs.keys(),
            )
            for record in reversed(records_in(artifacts.read(key)))
            if record.inputs is not None and not record.code
        ]
        if len(rows) >= MOST_CAPTURED:
            return rows[:MOST_CAPTURED]
    return rows


def records_in(body: bytes) -> list[Captured]:
    """The records of one captured object; lines that a newer version wrote are passed over."""
    records = []
    for line in gzip.decompress(body).splitlines():
        try:
            records.append(Captured.from_json(json.loads(line)))
        except DocumentError:
            continue
    return records


def _keys(model: str, version: str, bucket: str, now: datetime) -> Iterator[str]:
    """The keys of captured objects, hour by hour backwards, so that a busy model's are not all listed."""
    for hours in range(HOURS):
        hour = (now - timedelta(hours=hours)).strftime("%Y-%m-%d-%H")
        prefix = f"{names.CAPTURES}{model}/{version}/{hour}/"
        listed = aws.s3().list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        objects = [each for each in listed if each["Key"].endswith(".gz")]
        for each in sorted(objects, key=lambda each: each["LastModified"], reverse=True):
            yield each["Key"]
