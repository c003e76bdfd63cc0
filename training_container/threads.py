"""Parallel work in threads, one a core: LightGBM and CatBoost release the interpreter lock."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def in_parallel(function: Callable[[Argument], Result], arguments: Iterable[Argument]) -> list[Result]:
    """Calls `function` with each argument in a thread of its own, a core each; the results in the same order."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, arguments))
