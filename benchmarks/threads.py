"""How waiting threads wait, in LightGBM and torch: the trainer's way against sleeping at once and libgomp's own.

Run it by `make bench-threads`. Each way is a process of its own, for it is read when torch loads: alone on the machine,
then two at once, each with as many threads as there are cores.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.report import Row, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WAYS: dict[str, dict[str, str]] = {
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "libgomp's default": {},
}
"""The first is the trainer's."""

CROWDS = {"alone": 1, "two at once": 2}
ROUNDS, STEPS, REPEATS = 100, 300, 5


def main() -> None:
    """Every way in every crowd."""
    found = {(way, crowd): measured(given, count) for way, given in WAYS.items() for crowd, count in CROWDS.items()}
    ours, *others = WAYS
    publish("threads", [
        Row(f"{work}, {crowd}: {ours}", found[ours, crowd][work], "ms", "lower", None, other, found[other, crowd][work])
        for crowd in CROWDS for work in found[ours, crowd] for other in others
    ], ["lightgbm", "torch"])  # fmt: skip


def measured(given: Mapping[str, str], count: int) -> dict[str, float]:
    """What processes under this environment tell, the mean of `count` that run at once."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    words = [sys.executable, "-m", "benchmarks.threads", "child"]
    crowd = [subprocess.Popen(words, env={**known, **given}, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    told = [json.loads(each.communicate()[0]) for each in crowd]
    return {work: statistics.mean(each[work] for each in told) for work in told[0]}


def child() -> dict[str, float]:
    """Median milliseconds of a round of boosting and of a step of a network, on the homes of California."""
    import torch  # before LightGBM, as everywhere

    torch.set_num_threads(threads := len(os.sched_getaffinity(0)))
    import lightgbm

    from examples.datasets import load

    table = load("houses").to_numpy().astype("float32")
    data, target = table[:, :-1], table[:, -1]
    network = torch.nn.Sequential(torch.nn.Linear(8, 128), torch.nn.ReLU(), torch.nn.Linear(128, 1))
    steps = torch.optim.AdamW(network.parameters())
    few = torch.from_numpy(data[:256])

    def boost(count: int) -> None:
        settings = {"num_leaves": 31, "num_threads": count, "verbosity": -1, "force_row_wise": True}
        lightgbm.train(settings, lightgbm.Dataset(data, target), ROUNDS)

    def learn() -> None:
        for _ in range(STEPS):
            steps.zero_grad()
            network(few).square().mean().backward()
            steps.step()

    return {
        "a round of boosting, one thread": timed(lambda: boost(1)) / ROUNDS,
        f"a round of boosting, {threads} threads": timed(lambda: boost(threads)) / ROUNDS,
        f"a step of a network, {threads} threads": timed(learn) / STEPS,
    }


def timed(work: Callable[[], None]) -> float:
    """Median milliseconds, after one time that does not count."""
    found = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        work()
        found.append(1e3 * (time.perf_counter() - start))
    return statistics.median(found[1:])


if __name__ == "__main__":
    if sys.argv[1:] == ["child"]:
        print(json.dumps(child()))
    else:
        main()
