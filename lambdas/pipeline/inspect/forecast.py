"""Where a run should train, and what it costs at most."""

from __future__ import annotations

from dropforge.contract.instances import PLACES, SMALL_PLACES, Place, cost

SMALL_BYTES = 2 << 20
"""Up to this unpacked size, a GPU waits for its data more than it computes, and costs five times as much."""

OVERHEAD_SECONDS = 600
"""Time of a job besides the budget for training: reading, export, parity check and report."""


def places_for(size: int) -> tuple[Place, ...]:
    """The places to try, in order, for a data set of `size` bytes unpacked."""
    return (*SMALL_PLACES, *PLACES) if size <= SMALL_BYTES else PLACES


def max_seconds(budget: float) -> int:
    """The job's time limit for a budget in minutes."""
    return round(budget * 60) + OVERHEAD_SECONDS


def forecast(places: tuple[Place, ...], seconds: int) -> float:
    """The cost in US dollars at the first place if the job takes all its time, which is an upper bound."""
    return cost(places[0].instance_type, seconds)
