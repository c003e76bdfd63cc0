"""The first row of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dropforge.contract.registry import RunRow
from lambdas.common.clock import now

if TYPE_CHECKING:
    from dropforge.contract.steps import ClaimInput


def first_row(request: ClaimInput, model: str, run: str, kind: Literal["training", "batch"], identity: str = "",
              content: str = "", spec: str | None = None) -> RunRow:  # fmt: skip
    """The row of a training run or a batch when it is claimed.

    `identity` and `content` are equal for equal data and equal work; only training runs have them.
    """
    when = now()
    return RunRow(
        run=run,
        model=model,
        status="running",
        step="Claim",
        created=when,
        updated=when,
        execution=request.execution,
        bucket=request.bucket,
        key=request.key,
        object_version=request.version,
        size=request.size,
        identity=identity,
        content=content,
        kind=kind,
        spec=spec,
    )
