"""Where a run goes on whose training job failed, decided from its places and from what stood in the way so far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from dropforge.contract.hops import OBSTACLES, Hop
from dropforge.contract.instances import cores, has_gpu, memory
from dropforge.contract.steps import Rerouted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.hops import Fact
    from dropforge.contract.instances import Place
    from dropforge.contract.steps import RerouteInput
    from lambdas.pipeline.reroute.obstacles import Ended

SAME_PLACE = 2
"""How often a run tries a place again that failed with an error of the service."""
SERVICE_WAIT = 20
"""Seconds before that."""
FIRST_WAIT, LONGEST_WAIT = 30, 600
"""Seconds before all places are tried again; the wait doubles each time."""
ROUNDS = 75
"""How often all places are tried again: for about twelve hours."""


def reroute(request: RerouteInput, ended: Ended) -> Rerouted:
    """The next place to train at, if any."""
    here, obstacle = request.place, ended.obstacle
    if obstacle is None:
        return Rerouted("failed", here, request.hops, request.round)
    hops = with_hop(request.hops, Hop(*_fields(here), obstacle, 1, request.round, ended.billable_seconds))
    possible = [place for place in request.places if may_train(place, hops)]
    if OBSTACLES[obstacle].then == "same" and here in possible:
        return Rerouted("train", here, hops, request.round, SERVICE_WAIT)
    tried = {hop.place for hop in hops if hop.round == request.round}
    untried = [place for place in possible if place not in tried]
    if untried:
        return Rerouted("train", untried[0], hops, request.round)
    if possible and request.round < ROUNDS:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2**request.round)
        return Rerouted("train", possible[0], hops, request.round + 1, wait)
    return Rerouted("failed", here, hops, request.round)


def _fields(place: Place) -> tuple[str, bool]:
    return place.instance_type, place.spot


def with_hop(hops: Sequence[Hop], new: Hop) -> tuple[Hop, ...]:
    """The hops with one more; one obstacle at one place is one hop with a count, so that the list stays short."""
    same = next((hop for hop in hops if (hop.place, hop.obstacle) == (new.place, new.obstacle)), None)
    if same is None:
        return (*hops, new)
    merged = replace(
        same,
        times=same.times + new.times,
        round=new.round,
        billable_seconds=same.billable_seconds + new.billable_seconds,
    )
    return tuple(merged if hop is same else hop for hop in hops)


def may_train(place: Place, hops: Sequence[Hop]) -> bool:
    """Whether nothing that stood in the way so far speaks against the place for good."""
    return not any(_forbids(hop, OBSTACLES[hop.obstacle], place) for hop in hops if hop.obstacle in OBSTACLES)


def _forbids(hop: Hop, fact: Fact, place: Place) -> bool:
    match fact.then:
        case "another":
            return not fact.passes and hop.place == place
        case "same":
            return hop.times > SAME_PLACE and hop.place == place
        case "more_memory":
            return memory(place.instance_type) <= memory(hop.instance_type)
        case "more_cores":
            return cores(place.instance_type) <= cores(hop.instance_type)
        case "no_gpu":
            return has_gpu(place.instance_type)
        case _:
            assert_never(fact.then)
