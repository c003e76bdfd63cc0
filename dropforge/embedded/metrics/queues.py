"""AWS/SQS ApproximateNumberOfMessagesVisible, looked up before alarms are evaluated; AWS does it each minute."""

from __future__ import annotations

import importlib
import time

from dropforge.embedded.metrics import alarms
from dropforge.embedded.metrics.record import record

EVERY_SECONDS = 55.0
_LAST: dict[str, tuple[int, float]] = {}


def register() -> None:
    """Record the depth of every queue before each evaluation of the alarms, from now on."""
    alarms.BEFORE.append(measure)


def measure() -> None:
    """Record the number of messages in each queue if it changed or a minute has passed."""
    service = importlib.import_module("ministack.services.sqs")
    for queue in list(service._queues.values()):
        service._refresh_counts(queue)
        visible = int(queue["attributes"]["ApproximateNumberOfMessages"])
        name = queue["name"]
        depth, at = _LAST.get(name, (-1, 0.0))
        if visible != depth or time.monotonic() - at > EVERY_SECONDS:
            _LAST[name] = (visible, time.monotonic())
            record("AWS/SQS", "ApproximateNumberOfMessagesVisible", visible, "Count", {"QueueName": name})
