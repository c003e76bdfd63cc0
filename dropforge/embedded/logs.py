"""FilterLogEvents by the prefix of stream names: MiniStack accepts `logStreamNamePrefix` but ignores it."""

from __future__ import annotations

import importlib
from typing import Any


def register() -> None:
    """Replace the prefix by the names of the streams that have it."""
    service: Any = importlib.import_module("ministack.services.cloudwatch_logs")
    answer = service._filter_log_events

    def filtered(data: dict[str, Any]) -> Any:
        prefix = data.get("logStreamNamePrefix")
        group = service._log_groups.get(service._resolve_log_group_name(data))
        if prefix and group is not None:
            names = [name for name in list(group["streams"]) if name.startswith(prefix)]
            data = {**data, "logStreamNames": names or ["-"]}  # an empty list would mean all of them
        return answer(data)

    service._filter_log_events = filtered
