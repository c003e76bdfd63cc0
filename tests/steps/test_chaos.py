"""Whatever call of AWS fails, no run is stuck; however events come, each drop is trained once (`make chaos`).

Small forms of both run always; `SEEDS`, `EVENTS` and `OBJECTS` size the whole ones.
"""

from __future__ import annotations

import os
import random
from itertools import product

import pytest

from benchmarks.report import Row, publish
from tests.steps.chaos import FAULTS, Chaos, Fault, Site, let_time_pass
from tests.steps.cloud import cloud_in_memory, run_of

SEEDS, EVENTS, OBJECTS = (
    int(os.environ.get(name, default)) for name, default in (("SEEDS", "3"), ("EVENTS", "10000"), ("OBJECTS", "2000"))
)
RATE = 0.04
"""The share of the calls of a storm that fail."""


def seen_sites() -> list[Site]:
    """Every call of an execution that nothing disturbs, and of a look of the reconciler that starts a drop."""
    with pytest.MonkeyPatch.context() as patch, cloud_in_memory(patch) as cloud:
        let_time_pass(patch)
        chaos = Chaos(cloud)
        chaos.execute("seen", cloud.drop("datasets/seen/a.csv", b"seen"), chaos.whole_way)
        chaos.settle([cloud.drop("datasets/missed/a.csv", b"missed")], chaos.short_way)
        return sorted(chaos.sites)


def stuck(fault: Fault, sites: list[Site], for_good: bool) -> int:
    """How many of one run a call site are stuck; faults of the reconciler itself last one attempt or two looks."""
    with pytest.MonkeyPatch.context() as patch, cloud_in_memory(patch) as cloud:
        let_time_pass(patch)
        chaos, left = Chaos(cloud), {"": 0}
        at: dict[str, Site] = {}

        def choose(run: str, site: Site) -> Fault | None:
            if site != at.get(run) or left[run] == 0:
                return None
            left[run] -= 1
            return fault

        chaos.choose = choose
        given = []
        for number, site in enumerate(sites):
            model = f"m{number}"
            drop = cloud.drop(f"datasets/{model}/a.csv", model.encode())
            given.append(drop)
            run = "" if site[0] == "reconcile" else run_of(drop)
            at[run], left[run] = site, (6 if not run else -1) if for_good else 1
            if run:
                chaos.execute(f"first-{number}", drop, chaos.whole_way)
            else:  # its event was lost
                chaos.settle([drop], chaos.short_way)
        left_over = chaos.settle(given, chaos.whole_way)
        assert chaos.faults >= len(sites), "every site has failed at least once"
        return left_over


def storm(events: int, objects: int, seed: int) -> tuple[int, int, int]:
    """How many drops were trained once, more than once, and never or left without an end."""
    chance = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch, cloud_in_memory(patch) as cloud:
        let_time_pass(patch)
        given = [cloud.drop(f"datasets/m{at % 50}/{at}.csv", b"%d" % at) for at in range(objects)]
        coming = given + chance.choices(given, k=events - objects)
        chance.shuffle(coming)
        chaos = Chaos(cloud, lambda _run, _site: chance.choice(FAULTS) if chance.random() < RATE else None)
        for number, drop in enumerate(coming):
            chaos.execute(f"event-{number}", drop, chaos.short_way)
        lost = chaos.settle(given, chaos.short_way)
        assert chaos.faults, "calls have failed"
        counts = [chaos.trained.get(run_of(drop), 0) for drop in given]
    return counts.count(1), sum(count > 1 for count in counts), lost + counts.count(0)


def test_a_fault_at_any_step_leaves_no_run_stuck() -> None:
    sites = seen_sites()
    first = sorted({(step, 1) for step, _call in sites})
    assert {step for step, _call in first} == {"claim", "judge", "register", "promote", "notify", "reconcile"}
    assert stuck("refused", first, for_good=True) == 0


def test_a_small_storm_trains_each_drop_once() -> None:
    assert storm(40, 10, seed=1) == (10, 0, 0)


@pytest.mark.chaos
def test_the_whole_matrix_and_the_whole_storm() -> None:
    """Minutes: every call × 4 faults × once and for good, where nothing is left to chance, and storms by seeds."""
    sites = seen_sites()
    cases = list(product(FAULTS, (False, True)))
    all_stuck = sum(stuck(fault, sites, for_good) for fault, for_good in cases)
    once, twice, lost = map(sum, zip(*(storm(EVENTS, OBJECTS, seed) for seed in range(SEEDS)), strict=True))
    rows = [
        Row("call sites", len(sites), "calls", "higher"),
        Row("runs with a fault", len(sites) * len(cases), "runs", "higher"),
        Row("stuck", all_stuck, "runs", "lower", 0),
        Row("events of the storms", EVENTS * SEEDS, "events", "higher"),
        Row("drops trained once", once, "drops", "higher", OBJECTS * SEEDS),
        Row("drops trained twice", twice, "drops", "lower", 0),
        Row("drops lost", lost, "drops", "lower", 0),
    ]
    publish("chaos", rows, ["boto3", "moto"], ["SEEDS", "EVENTS", "OBJECTS"])
    assert (all_stuck, once, twice, lost) == (0, OBJECTS * SEEDS, 0, 0)
