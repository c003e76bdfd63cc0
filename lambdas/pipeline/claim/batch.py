"""The claim on a file to predict, which is on the object's version alone.

The same file dropped again is predicted again, because the live model may have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.ids import run_id
from dropforge.contract.log import log
from dropforge.contract.names import parse_batch
from dropforge.contract.steps import Claimed
from lambdas.common.registry import ATTEMPTS, Registry, RegistryFault
from lambdas.common.run_row import batch_row
from lambdas.pipeline.claim.version import drop_of, outcome_of

if TYPE_CHECKING:
    from dropforge.contract.settings import RegistrySettings
    from dropforge.contract.steps import ClaimInput


def claim_batch(request: ClaimInput, settings: RegistrySettings) -> Claimed:
    """Claims the object for this execution, unless another one has it."""
    run, registry = run_id(request.bucket, request.key, request.version), Registry(settings.registry)
    drop = drop_of(request, run, parse_batch)
    if isinstance(drop, Claimed):
        return drop
    for _ in range(ATTEMPTS):
        before = registry.find_run(run)
        if outcome := outcome_of(before, request.execution):
            return outcome
        if registry.begin(batch_row(request, drop.model, run), before):
            log("claimed", run=run, model=drop.model)
            return Claimed("claimed", run, drop.model)
    raise RegistryFault(f"{run}: expected to write its row in {ATTEMPTS} attempts; run again")
