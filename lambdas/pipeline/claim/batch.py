"""The claim on a file to predict, which is on the object's version alone.

The same file dropped again is predicted again, because the live model may have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.ids import run_id
from dropforge.contract.log import log
from dropforge.contract.names import NameFault, parse_batch
from dropforge.contract.registry import claim_key
from dropforge.contract.steps import Claimed
from lambdas.common.registry import Registry
from lambdas.pipeline.claim.run_row import batch_row

if TYPE_CHECKING:
    from dropforge.contract.settings import RegistrySettings
    from dropforge.contract.steps import ClaimInput


def claim_batch(request: ClaimInput, settings: RegistrySettings) -> Claimed:
    """Claims the object for this execution, unless another one has it."""
    run, registry = run_id(request.bucket, request.key, request.version), Registry(settings.registry)
    try:
        drop = parse_batch(request.key)
    except NameFault as fault:
        log("ignored", run=run, reason=str(fault))
        return Claimed("ignored", run, "")
    if not drop.starts_run:
        return Claimed("ignored", run, drop.model)
    holder = registry.claim(claim_key(request.bucket, request.key, request.version), request.execution, run)
    if holder.owner != request.execution:
        return Claimed("duplicate", run, drop.model)
    registry.put_run(batch_row(request, drop.model, run))
    log("claimed", run=run, model=drop.model)
    return Claimed("claimed", run, drop.model)
