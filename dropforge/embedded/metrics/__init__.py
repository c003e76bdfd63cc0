"""Metrics that AWS records by itself and MiniStack does not, so that the stack's own alarms work here too.

One module a service, each of them removable alone when MiniStack has caught up.
"""

from __future__ import annotations

from dropforge.embedded.metrics import alarms, functions, queues, states


def register() -> None:
    """Install every addition; MiniStack must not be serving yet."""
    alarms.register()
    functions.register()
    queues.register()
    states.register()
