"""The claim on a file to predict, which is on the object's version alone.

The same file dropped again is predicted again, because the live model may have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.ids import run_id
from dropforge.contract.steps import Claimed
from lambdas.common.registry import Registry
from lambdas.common.run_row import batch_row
from lambdas.pipeline.claim.version import claim_object, drop_of

if TYPE_CHECKING:
    from dropforge.contract.settings import RegistrySettings
    from dropforge.contract.steps import ClaimInput


def claim_batch(request: ClaimInput, settings: RegistrySettings) -> Claimed:
    """Claims the object for this execution, unless another one has it."""
    run = run_id(request.bucket, request.key, request.version)
    drop = drop_of(request, run)
    if isinstance(drop, Claimed):
        return drop
    return claim_object(batch_row(request, drop.model, run), Registry(settings.registry))
