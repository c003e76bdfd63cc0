"""The row of what a claim begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dropforge.contract.registry import RunRow
from lambdas.common.clock import now

if TYPE_CHECKING:
    from dropforge.contract.steps import ClaimInput


def first_row(given: ClaimInput, model: str, run: str, kind: Literal["training", "batch"], identity: str = "",
              content: str = "", spec: str | None = None) -> RunRow:  # fmt: skip
    """The run or batch as it begins; `identity` and `content` are what equal data have in common, of trainings."""
    when = now()
    return RunRow(
        run=run,
        model=model,
        status="running",
        step="Claim",
        created=when,
        updated=when,
        execution=given.execution,
        bucket=given.bucket,
        key=given.key,
        object_version=given.version,
        size=given.size,
        identity=identity,
        content=content,
        kind=kind,
        spec=spec,
    )
