"""What SIGTERM does: it ends a job, unless there is something to make a model of."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training_container.budget import Budget


class Stopped(BaseException):
    """SIGTERM came. Not an `Exception`, so that no library takes it for a fault of its own and goes on."""


def stop_on_sigterm() -> None:
    """From now on SIGTERM raises `Stopped`."""
    signal.signal(signal.SIGTERM, _stop)


@contextmanager
def finishing(budget: Budget) -> Iterator[None]:
    """Within, a first SIGTERM cuts the budget, so that fitting ends and the model is made; a second one stops."""

    def finish(*_: object) -> None:
        budget.cut()
        stop_on_sigterm()

    before = signal.signal(signal.SIGTERM, finish)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(*_: object) -> NoReturn:
    raise Stopped
