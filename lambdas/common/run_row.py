"""The first row of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract.registry import BatchRun, TrainingRun
from lambdas.common.clock import now

if TYPE_CHECKING:
    from dropforge.contract.steps import ClaimInput, NotifyInput


def training_row(request: ClaimInput | NotifyInput, model: str, run: str) -> TrainingRun:
    """The row of a training run when it is claimed."""
    return TrainingRun(**_claimed(request, model, run))


def batch_row(request: ClaimInput | NotifyInput, model: str, run: str) -> BatchRun:
    """The row of a batch when it is claimed."""
    return BatchRun(**_claimed(request, model, run))


def _claimed(request: ClaimInput | NotifyInput, model: str, run: str) -> dict[str, Any]:
    """What all runs have when they are claimed."""
    when = now()
    return {
        "run": run,
        "model": model,
        "status": "running",
        "step": "Claim",
        "created": when,
        "updated": when,
        "execution": request.execution,
        "bucket": request.bucket,
        "key": request.key,
        "object_version": request.version,
        "size": request.size,
    }
