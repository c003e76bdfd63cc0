"""Work side by side on the cores that this process may use: LightGBM and CatBoost let go of the interpreter."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def in_parallel(function: Callable[[Argument], Result], arguments: Iterable[Argument]) -> list[Result]:
    """What `function` makes of each, a core each."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, arguments))
