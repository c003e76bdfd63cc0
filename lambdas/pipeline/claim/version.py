"""The claim on one version of one object, which makes a repeated event harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.log import log
from dropforge.contract.names import NameFault
from dropforge.contract.registry import claim_key
from dropforge.contract.steps import Claimed

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.contract.names import Drop
    from dropforge.contract.steps import ClaimInput
    from lambdas.common.registry import Registry


def claim_version(request: ClaimInput, run: str, parse: Callable[[str], Drop], registry: Registry) -> Drop | Claimed:
    """The drop if this execution has its object's version now; otherwise the outcome, `ignored` or `duplicate`.

    Args:
        request: names the object.
        run: the run that the object would start.
        parse: reads the object's key, or raises `NameFault`.
        registry: holds the claims.
    """
    try:
        drop = parse(request.key)
    except NameFault as fault:
        log("ignored", run=run, reason=str(fault))
        return Claimed("ignored", run, "")
    if not drop.starts_run:
        return Claimed("ignored", run, drop.model)
    holder = registry.claim(claim_key(request.bucket, request.key, request.version), request.execution, run)
    return drop if holder.owner == request.execution else Claimed("duplicate", run, drop.model)
