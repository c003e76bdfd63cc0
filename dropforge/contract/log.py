"""Log lines as JSON, with run, model and step; never a feature value."""

from __future__ import annotations

import json


def log(event: str, **facts: object) -> None:
    """One line on standard output, which Lambda sends to the function's log group."""
    print(json.dumps({"event": event, **facts}, default=str), flush=True)
