"""Notify closes the run's row, releases its claim if the data may be dropped again, and publishes a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.registry import TrainingRun, content_key
from dropforge.contract.settings import NotifySettings
from dropforge.contract.steps import Notified, NotifyInput
from lambdas.common.aws import sns
from lambdas.common.registry import Registry
from lambdas.pipeline.notify.early_ends import input_of_early_end
from lambdas.pipeline.notify.messages import failure, message, subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.hops import Hop
    from dropforge.contract.registry import RunRow

PIECE_FAILED = "States.ExceedToleratedFailureThreshold"
"""Error of the map over pieces. It does not say why a piece failed; Answer writes that into the run's row."""

RELEASING_STATUSES = ("failed", "rejected")
"""How runs end that registered no version, so that the same data may be dropped again."""


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `NotifyInput` and returns `Notified`, or takes EventBridge's event of an execution that failed."""
    begin_step("Notify", event, context)
    settings = load(NotifySettings)
    if "detail-type" not in event:
        return notify(NotifyInput.from_json(event), settings).to_json()
    request = input_of_early_end(event, Registry(settings.registry))
    return {} if request is None else notify(request, settings).to_json()


def hops_of(row: RunRow | None) -> Sequence[Hop]:
    """The places where the run's training could not start or finish."""
    return row.hops if isinstance(row, TrainingRun) else ()


def notify(request: NotifyInput, settings: NotifySettings) -> Notified:
    """Closes the run, if Claim wrote one, and publishes to the topic."""
    registry = Registry(settings.registry)
    failed = request.status == "failed"
    row = registry.find_run(request.run) if request.run else None
    cause = row.reason if row is not None and request.error == PIECE_FAILED and row.reason else request.cause
    reason = failure(request.step, request.error, cause, hops_of(row)) if failed else request.reason
    if row is not None:
        registry.update_run(request.run, status=request.status, reason=reason, step=request.step or "Notify")
        if request.status in RELEASING_STATUSES and isinstance(row, TrainingRun) and row.content:
            registry.release(content_key(row.model, row.content), request.run)
    attributes: Any = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (("status", request.status), ("model", request.model))
        if value
    }
    text = message(request, row, reason)
    sns().publish(TopicArn=settings.topic, Subject=subject(request), Message=text, MessageAttributes=attributes)
    log("closed", run=request.run, model=request.model, status=request.status)
    return Notified(request.status)
