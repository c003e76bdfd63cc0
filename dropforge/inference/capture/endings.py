"""What is done when a process is told to end."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def on_end(act: Callable[[], object]) -> None:
    """Does something once when the process is told to end, and then ends it as it would have ended."""
    try:
        before = signal.getsignal(signal.SIGTERM)

        def ending(number: int, _frame: object) -> None:
            signal.signal(number, before if before is not None else signal.SIG_DFL)
            act()
            os.kill(os.getpid(), number)

        signal.signal(signal.SIGTERM, ending)
    except ValueError:  # signals are the main thread's, and this is another
        return
