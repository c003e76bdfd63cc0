"""Compact runs every hour: the captures of the hours that are over become Parquet, and what was lost is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dropforge.contract.artifacts import CaptureSettings
from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.names import CAPTURES
from lambdas.common import aws

if TYPE_CHECKING:
    from collections.abc import Iterator


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes the event of the schedule; returns how many records were received, lost and late in the compacted hours."""
    begin_step("Compact", event, context)
    bucket, now = load(CaptureSettings).captures, datetime.now(UTC)
    sums, faults = {"hours": 0, "received": 0, "lost": 0, "late": 0}, []
    for model, version in captured(bucket):
        from lambdas.upkeep.compact.compacting import compact  # polars with it, where there is anything to compact

        try:
            hours = compact(bucket, model, version, now)
        except Exception as fault:  # the next version's captures are compacted nevertheless
            log("not compacted", level="error", model=model, version=version, reason=type(fault).__name__)
            faults.append(fault)
            continue
        for hour in hours:
            log("compacted", model=model, version=version, hour=hour.hour, received=hour.received, lost=hour.lost,
                late=hour.late)  # fmt: skip
            sums["hours"] += 1
            sums["received"] += hour.received
            sums["lost"] += hour.lost
            sums["late"] += hour.late
    if faults:
        raise faults[0]
    return sums


def captured(bucket: str) -> Iterator[tuple[str, str]]:
    """The models that have captures, with each version."""
    for model in _folders(bucket, CAPTURES):
        for version in _folders(bucket, f"{CAPTURES}{model}/"):
            yield model, version


def _folders(bucket: str, prefix: str) -> Iterator[str]:
    pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    for page in pages:
        for each in page.get("CommonPrefixes", []):
            yield each["Prefix"].removeprefix(prefix).rstrip("/")
