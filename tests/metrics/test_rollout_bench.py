"""What `make bench-rollout` simulates: sums of a look come to what its records come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.rollout.pairs import Pool
from benchmarks.rollout.regressions import FITS, KINDS, regressions
from benchmarks.rollout.simulated import Simulation, honest
from dropforge.contract.rollouts import Disagreement

ROWS = 400
CHANCE = np.random.default_rng(0)
CHAMPION = [f"c{each}" for each in CHANCE.integers(3, size=ROWS)]
CANDIDATE = [answer if at % 20 else "c0" for at, answer in enumerate(CHAMPION)]
TIMES = CHANCE.lognormal(0, 0.1, (ROWS, 2))
POOL = Pool(
    "drawn", ("c0", "c1", "c2"), CHAMPION, CHAMPION, CANDIDATE, TIMES, TIMES.sum(axis=1), Disagreement(0.035, 3000)
)


@pytest.mark.parametrize("errors", [0.0, 0.05])
def test_sums_come_to_what_records_come_to(errors: float) -> None:
    one, other = (Simulation(honest(POOL, (errors, errors)), 100, seed=1) for _ in range(2))
    assert one.run() == other.run(by_counts=True)
    assert not one.evidence.proof and one.evidence.streams == other.evidence.streams
    assert one.evidence.logarithm == other.evidence.logarithm and one.evidence.streams["outputs"].trials > 2000


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_refused_and_named(kind: str, seed: int) -> None:
    each = [each for each in regressions([POOL]) if each.what == kind or kind in each.what][9 - seed]
    outcome = Simulation(each.behaviour, 1000, seed, labels=0.2).run()
    assert outcome.refused and any(words in outcome.reason for words in each.named), outcome


def test_a_kind_is_dealt_to_pools_that_can_show_it() -> None:
    quick = replace(POOL, name="quick", classes=(), milliseconds=TIMES / 100, twice=TIMES.sum(axis=1) / 100)
    dealt = {(each.what, each.behaviour.pool.name) for each in regressions([POOL, quick])}
    assert {name for what, name in dealt if what in FITS} == {"drawn"}
    assert {name for what, name in dealt if what == "constant output"} == {"drawn", "quick"}
    assert len(regressions([POOL])) == 50
