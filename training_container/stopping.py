"""SIGTERM: it ends a job at once, or ends its fitting where a model can already be made."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training_container.budget import Budget


class Stopped(BaseException):
    """SIGTERM arrived. It is not an `Exception`, so that no library catches it and goes on."""


def stop_on_sigterm() -> None:
    """Makes SIGTERM raise `Stopped` from now on."""
    signal.signal(signal.SIGTERM, _stop)


@contextmanager
def finishing(budget: Budget) -> Iterator[None]:
    """Makes a first SIGTERM cut the budget, so that fitting ends and a model is made; a second one raises `Stopped`."""

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
