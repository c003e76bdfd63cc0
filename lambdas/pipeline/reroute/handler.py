"""Reroute decides where a run goes on whose training job failed, and tells of it in the run's row.

What no other machine mends ends the run, and so does the want of a place that is left to try.
"""

from __future__ import annotations

from typing import Any

from dropforge.contract.environment import load
from dropforge.contract.hops import HOP_CODES, hop_remarks
from dropforge.contract.log import begin_step, log
from dropforge.contract.remarks import row_fields, worst_first
from dropforge.contract.settings import GPU_NOT_SEEN_METRIC, RegistrySettings
from dropforge.contract.steps import Rerouted, RerouteInput
from lambdas.common.metrics import count
from lambdas.common.registry import Registry
from lambdas.pipeline.reroute.logic import reroute
from lambdas.pipeline.reroute.obstacles import Ended


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `RerouteInput` and returns `Rerouted`."""
    begin_step("Reroute", event, context)
    request = RerouteInput.from_json(event)
    return decide(request, Registry(load(RegistrySettings).registry)).to_json()


def decide(request: RerouteInput, registry: Registry) -> Rerouted:
    """Decides, and writes what happened into the run's row."""
    ended = Ended(request.error, request.cause)
    rerouted = reroute(request, ended)
    if ended.obstacle is not None:
        row = registry.training_run(request.run)
        others = [remark for remark in row.remarks if remark.code not in HOP_CODES]
        fields = row_fields(worst_first([*hop_remarks(rerouted.hops), *others]))
        fields["more_remarks"] += row.more_remarks
        hops = [hop.to_json() for hop in rerouted.hops]
        registry.update_run(request.run, step="Train", hops=hops, **fields)
    if ended.obstacle == "gpu_not_seen":
        count(GPU_NOT_SEEN_METRIC, request.model)
    log(
        "rerouted",
        run=request.run,
        model=request.model,
        outcome=rerouted.outcome,
        left=request.place.name,
        obstacle=ended.obstacle or "none that another machine mends",
        place=rerouted.place.name,
        wait=rerouted.wait,
    )
    return rerouted
