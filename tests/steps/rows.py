"""Many rows of the registry at once, written as the functions write them, but twenty-five a call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3

from dropforge.contract import registry as rows
from dropforge.contract.registry import TrainingRun, VersionRow
from lambdas.common.pointer import pointing
from lambdas.common.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.registry import Key

VERSION = VersionRow(
    model="flowers",
    version="1",
    run="run-0000000000000001",
    created="2026-11-30T00:00:00+00:00",
    outcome="approved",
    reason="",
    artifact="runs/run-0000000000000001/model.onnx",
    sha256="0",
    manifest="runs/run-0000000000000001/manifest.json",
    task="regression",
    target="price",
    metric="rmse",
    metrics={"rmse": 1.0},
    baseline={"rmse": 2.0},
    lineage={},
    cost=0.1,
)
RUN = TrainingRun(
    run="run-0000000000000001",
    model="flowers",
    status="running",
    step="Claim",
    created="2026-11-30T00:00:00+00:00",
    updated="2026-11-30T00:00:00+00:00",
    execution="exe-1",
    bucket="drops",
    key="datasets/flowers/a.csv",
    object_version="v1",
    size=1,
    identity="",
    content="",
)


def run_id(number: int) -> str:
    """A run's id by its number."""
    return f"run-{number:016x}"


def item(key: Key, row: Any, listed: tuple[str, str] | None = None) -> dict[str, Any]:
    """A row as DynamoDB stores it."""
    return Table("registry").put_request(key, row.to_json(), condition=Table.NEW, listed=listed)["Item"]  # type: ignore[no-any-return]


def run_items(model: str, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Runs of a model, the number being the second that they were created at."""
    items = []
    for number in numbers:
        created = f"2026-11-30T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000000+00:00"
        row = replace(RUN, run=run_id(number), model=model, created=created)
        items.append(item(rows.run_key(row.run), row, (rows.RUNS, created)))
    return items


def version_items(first: VersionRow, numbers: Iterable[int], run: str | None = None) -> list[dict[str, Any]]:
    """Versions as they were written before registrations: of one run, or each of its own."""
    versions = [replace(first, version=str(number), run=run or run_id(number)) for number in numbers]
    return [item(rows.version_key(row.model, row.version), row) for row in versions]


def move_items(first: VersionRow, versions: Iterable[str]) -> list[dict[str, Any]]:
    """The moves of a live pointer to these versions, the oldest first, and the pointer as the last one left it."""
    items, live = [], None
    for version in versions:
        live = pointing(replace(first, version=version), live)
        items.append(item(rows.history_key(live.model, live.generation), live))
    assert live is not None
    return [*items, item(rows.live_key(live.model), live, (rows.MODELS, live.model))]


def fill(items: list[dict[str, Any]]) -> None:
    """Writes the items into the registry."""
    client: Any = boto3.client("dynamodb")
    for start in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": each}} for each in items[start : start + 25]]
        client.batch_write_item(RequestItems={"registry": requests})
