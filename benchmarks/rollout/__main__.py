"""`make bench-rollout`: equal models are kept, broken ones are refused, and callers switch once.

Two real versions of three data sets answer real rows, and are timed row by row; simulated rollouts draw their requests
from these. `fold` and `decide` are those of the service. From 1,000 requests an hour on, the sums of a look are drawn
instead of its records, since both come to the same (tests/metrics/test_rollout_bench.py).

`ROLLOUTS=1000` says how many rollouts of equal models.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report import Row, publish
from benchmarks.rollout.pairs import pools
from benchmarks.rollout.regressions import failing_rows, regressions
from benchmarks.rollout.simulated import Outcome, Simulation, honest
from dropforge.contract.rollouts import RolloutWish
from dropforge.inference.sticky import is_candidates
from dropforge.metrics.evidence import is_slower

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.rollout.pairs import Pool

ROLLOUTS = int(os.environ.get("ROLLOUTS", "1000"))
RATES, ERRORS = (10, 100, 1_000, 10_000), (0.0005, 0.01)
BY_COUNTS = 1_000
FAILING, FAILING_ROLLOUTS = (0.01, 0.1, 0.5), 30
CALLERS, SHARES = 20_000, (0.05, 0.25, 0.5, 1.0)
LABELLED = 0.2
"""The share of the requests of regressions whose true answer comes, an hour later."""


def main() -> None:
    """Every measure, and the table."""
    began = time.monotonic()
    found = pools()
    print(f"{time.monotonic() - began:.0f} s to train and time {', '.join(pool.name for pool in found)}", flush=True)
    rows = [*of_pools(found), *equal_models(found), *failing(found), *wrong(found), *callers()]
    publish("rollout", rows, ["numpy", "onnxruntime"], ["ROLLOUTS"])
    print(f"{time.monotonic() - began:.0f} s")


def of_pools(found: list[Pool]) -> Iterator[Row]:
    """What was measured of the pairs."""
    for pool in found:
        theirs, ours = pool.milliseconds.T
        slower = [is_slower(*each, RolloutWish().slower) for each in zip(ours, theirs, strict=True)]
        yield Row(f"{pool.name}: median time of a row, champion", float(np.median(theirs)), "ms", "lower")
        yield Row(f"{pool.name}: median time of a row, successor", float(np.median(ours)), "ms", "lower")
        yield Row(f"{pool.name}: requests in which the successor counts as slower", float(np.mean(slower)), "share",
                  "lower")  # fmt: skip
        yield Row(f"{pool.name}: rows that differ on the hold-out", pool.holdout.share, "share", "lower")


def equal_models(found: list[Pool]) -> Iterator[Row]:
    """Honest successors, at every rate and error rate: how many are refused by chance."""
    refused, per_cell = [], max(1, ROLLOUTS // (len(RATES) * len(ERRORS)))
    for rate in RATES:
        ended = [
            Simulation(honest(found[seed % len(found)], (errors, errors)), rate, seed).run(by_counts=rate >= BY_COUNTS)
            for errors in ERRORS for seed in range(per_cell)
        ]  # fmt: skip
        refused += [each.refused for each in ended]
        print(f"{rate} requests an hour: {sum(each.refused for each in ended)} of {len(ended)} refused", flush=True)
        yield Row(f"equal models, {rate:,} requests an hour: requests of a rollout",
                  statistics.median(each.requests for each in ended), "requests", "lower")  # fmt: skip
    yield Row(f"equal models, {len(refused):,} rollouts: refused by chance", float(np.mean(refused)), "share", "lower",
              0.01)  # fmt: skip


def failing(found: list[Pool]) -> Iterator[Row]:
    """Candidates that fail on some of the rows, with a shadow before and straight into a canary."""
    for share in FAILING:
        ended = []
        for seed in range(FAILING_ROLLOUTS):
            behaviour, wish = honest(found[seed % len(found)]), RolloutWish(mode="auto" if seed % 2 else "canary")
            fails = failing_rows(share, len(behaviour.answers), np.random.default_rng(seed))
            ended.append(Simulation(replace(behaviour, fails=fails), 100, seed, wish).run())
        yield Row(f"fails on {share:.0%} of the rows: refused", float(np.mean([each.refused for each in ended])),
                  "share", "higher", 1.0)  # fmt: skip
        yield Row(f"fails on {share:.0%} of the rows: answers that failed", sum(each.failed for each in ended),
                  "answers", "lower", 0)  # fmt: skip


def wrong(found: list[Pool]) -> Iterator[Row]:
    """Seeded regressions at 1,000 requests an hour: refused or rolled back, with a reason that names the figure."""
    ended: dict[str, list[tuple[bool, Outcome]]] = {}
    for seed, each in enumerate(regressions(found)):
        outcome = Simulation(each.behaviour, 1_000, seed, labels=LABELLED).run()
        named = outcome.refused and any(words in outcome.reason for words in each.named)
        ended.setdefault(each.what, []).append((named, outcome))
        if not named:
            print(f"missed: {each.what} on {each.behaviour.pool.name}: {outcome}", flush=True)
    for what, outcomes in ended.items():
        yield Row(f"{what}: requests until refused", statistics.median(each.requests for _, each in outcomes),
                  "requests", "lower")  # fmt: skip
        print(f"{what}: {outcomes[0][1].reason}", flush=True)
    every = [named for outcomes in ended.values() for named, _ in outcomes]
    yield Row(f"{len(every)} regressions: refused, the reason naming the figure", sum(every), "regressions", "higher",
              len(every))  # fmt: skip


def callers() -> Iterator[Row]:
    """How often each caller switches between the versions while the share grows."""
    arms = np.array([[is_candidates(f"caller-{at}", "salt", share) for share in SHARES] for at in range(CALLERS)])
    moves = np.abs(np.diff(arms.astype(int), axis=1, prepend=0)).sum(axis=1)
    yield Row(f"{CALLERS:,} callers: most switches of one", int(moves.max()), "switches", "lower", 1)
    for at, share in enumerate(SHARES[:-1]):
        yield Row(f"{CALLERS:,} callers: at a share of {share}", float(arms[:, at].mean()), "share", "lower")


if __name__ == "__main__":
    main()
