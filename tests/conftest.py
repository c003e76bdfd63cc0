"""Test processes that run side by side share the cores out: libraries that take all of them wait for each other."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    cores, count = sorted(os.sched_getaffinity(0)), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    own = cores[int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % len(cores) :: count]
    os.sched_setaffinity(0, own)  # before any library counts them
