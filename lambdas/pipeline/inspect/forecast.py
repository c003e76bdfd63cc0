"""Where a run should train, and what it costs at most."""

from __future__ import annotations

from dropforge.contract.figures import figure
from dropforge.contract.instances import PLACES, SMALL_PLACES, Place, has_gpu, parse_place
from dropforge.contract.prices import LIST, Prices
from dropforge.contract.spec import SpecFault

SMALL_BYTES = 2 << 20
"""Up to this unpacked size, a GPU waits for its data more than it computes, and costs five times as much."""

OVERHEAD_SECONDS = 600
"""Time of a job besides the budget for training: reading, export, parity check and report."""


def places_for(size: int, chosen: str = "", prices: Prices = LIST) -> tuple[Place, ...]:
    """The places to try, in order, for a data set of `size` bytes unpacked.

    Args:
        chosen: the deployment's own places, with commas between them; small data try those without a GPU first.
        prices: what the deployment pays; a place of its own has a price there.
    """
    small = size <= SMALL_BYTES
    if not chosen:
        return (*SMALL_PLACES, *PLACES) if small else PLACES
    places = tuple(parse_place(part, prices.training) for part in chosen.split(","))
    return tuple(sorted(places, key=lambda place: has_gpu(place.instance_type))) if small else places


def affordable(places: tuple[Place, ...], seconds: int, most: str, prices: Prices = LIST) -> tuple[Place, ...]:
    """Those of the places at which a job of `seconds` cannot cost more than `most` US dollars; all if it is empty.

    Raises:
        SpecFault: there is none.
    """
    if not most:
        return places
    costs = {place: prices.expected(place, seconds) for place in places}
    left = tuple(place for place, dollars in costs.items() if dollars <= float(most))
    if not left:
        raise SpecFault(
            f"budget: training could cost ${figure(min(costs.values()))} at the cheapest place; expected at most "
            f"${figure(float(most))}, the cap of this deployment: set a smaller budget, or raise dropforge:budget-cap"
        )
    return left


def max_seconds(budget: float) -> int:
    """The job's time limit for a budget in minutes."""
    return round(budget * 60) + OVERHEAD_SECONDS


def forecast(places: tuple[Place, ...], seconds: int, prices: Prices = LIST) -> float:
    """The cost in US dollars at the first place if the job takes all its time, which is an upper bound."""
    return prices.expected(places[0], seconds)
