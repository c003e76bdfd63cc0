"""Notify tells how a run ended. It ends the run itself only where no step did: where the execution failed."""

from __future__ import annotations

from typing import Any

from dropforge.contract.environment import load
from dropforge.contract.log import begin_step
from dropforge.contract.settings import NotifySettings
from dropforge.contract.steps import NotifyInput
from lambdas.common.endings import conclude
from lambdas.common.registry import Registry
from lambdas.pipeline.notify.early_ends import input_of_early_end


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `NotifyInput` and returns `Notified`, or takes EventBridge's event of an execution that failed."""
    begin_step("Notify", event, context)
    settings = load(NotifySettings)
    registry = Registry(settings.registry)
    if "detail-type" not in event:
        return conclude(NotifyInput.from_json(event), registry, settings.topic).to_json()
    request = input_of_early_end(event, registry)
    return {} if request is None else conclude(request, registry, settings.topic).to_json()
