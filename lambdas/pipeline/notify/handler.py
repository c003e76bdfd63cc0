"""Notify: the run's row is closed, its claim given back where that helps, and its people are told."""

from __future__ import annotations

from typing import Any

from dropforge.contract.environment import load
from dropforge.contract.log import log
from dropforge.contract.registry import content_key
from dropforge.contract.settings import NotifySettings
from dropforge.contract.steps import Notified, NotifyInput
from lambdas.common.aws import sns
from lambdas.common.registry import Registry
from lambdas.pipeline.notify.early_ends import unclosed
from lambdas.pipeline.notify.messages import failure, message, subject

CHILDREN = "States.ExceedToleratedFailureThreshold"
"""What a map of pieces fails with; what a piece failed with stands in the run's row."""

RELEASED = ("failed", "rejected")
"""Runs that trained nothing to keep: the same data may be dropped again."""


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state's task: `NotifyInput` in, `Notified` out; or EventBridge's word of an execution that ended badly."""
    settings = load(NotifySettings)
    if "detail-type" not in event:
        return notify(NotifyInput.from_json(event), settings).to_json()
    given = unclosed(event, Registry(settings.registry))
    return {} if given is None else notify(given, settings).to_json()


def notify(given: NotifyInput, settings: NotifySettings) -> Notified:
    """Closes the run, if Claim came as far as writing one, and publishes to the topic."""
    registry = Registry(settings.registry)
    failed = given.status == "failed"
    row = registry.find_run(given.run) if given.run else None
    cause = row.reason if row is not None and given.error == CHILDREN and row.reason else given.cause
    reason = failure(given.step, given.error, cause) if failed else given.reason
    if row is not None:
        registry.update_run(given.run, status=given.status, reason=reason, step=given.step or "Notify")
        if given.status in RELEASED and row.content:
            registry.release(content_key(row.model, row.content), given.run)
    attributes: Any = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (("status", given.status), ("model", given.model))
        if value
    }
    text = message(given, row, reason)
    sns().publish(TopicArn=settings.topic, Subject=subject(given), Message=text, MessageAttributes=attributes)
    log("closed", step="Notify", run=given.run, model=given.model, status=given.status)
    return Notified(given.status)
