"""Reconcile makes good what no event told of: it runs every quarter of an hour, and a look at nothing costs nothing.

It ends the runs whose executions have ended without a result, has rollouts looked at again that nobody looks at, and
compares the drop bucket with the registry: a drop
without a run, or whose Claim failed, is started again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dropforge.contract.environment import load
from dropforge.contract.log import begin_step, log
from dropforge.contract.settings import ReconcileSettings
from dropforge.contract.steps import Reconciled
from lambdas.common.registry import Registry
from lambdas.upkeep.reconcile.missed import start_missed
from lambdas.upkeep.reconcile.rollouts import start_looks
from lambdas.upkeep.reconcile.sweep import sweep


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes the event of the schedule and returns `Reconciled`."""
    begin_step("Reconcile", event, context)
    settings = load(ReconcileSettings)
    registry = Registry(settings.registry)
    ended = sweep(registry, settings.topic)
    now = datetime.now(UTC)
    looked_at = start_looks(registry, settings.rollouts, now)
    started, given_up = start_missed(registry, settings, now)
    log("reconciled", ended=ended, started=started, given_up=given_up, looked_at=looked_at)
    return Reconciled(ended, started, given_up).to_json()
