"""The end of an execution: its run is ended, if no step ended it, and how it ended is published.

How a run ends is decided by the step where it ends: Inspect rejects, Register keeps a refused version, Promote moves
the pointer. Only failures are decided here, and never against what such a step has written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropforge.contract.ids import run_id
from dropforge.contract.log import log
from dropforge.contract.names import BATCH, drop_at, spellings
from dropforge.contract.registry import TrainingRun
from dropforge.contract.steps import Notified
from lambdas.common.aws import sns
from lambdas.common.messages import failure, message, subject
from lambdas.common.run_row import batch_row, training_row

if TYPE_CHECKING:
    from dropforge.contract.registry import RunRow
    from dropforge.contract.steps import NotifyInput, Status
    from lambdas.common.registry import Registry

PIECE_FAILED = "States.ExceedToleratedFailureThreshold"
"""Error of the map over pieces. It does not say why a piece failed; Answer writes that into the run's row."""

ENDINGS: tuple[Status, ...] = ("promoted", "predicted", "refused", "rejected", "failed")
"""The statuses of an ended run that its owner is told of."""


def conclude(request: NotifyInput, registry: Registry, topic: str) -> Notified:
    """Ends the run of an ended execution, if it is still running, and publishes how it ended; safe to repeat.

    An execution that failed before Claim had written a row gets one, so that its run can be looked up.

    Returns:
        The status of the run by its row, which may be better than `request` says: an execution that failed after its
        model was promoted has promoted it.
    """
    known = [run_id(request.bucket, key, request.version) for key in spellings(request.key)] if request.key else []
    runs = [request.run] if request.run else known
    row = next((row for run in runs if (row := registry.find_run(run)) is not None), None)
    reason = reason_of(request, row)
    if row is None and request.status == "failed":
        row = begin_failed(request, registry)
    status: Status = request.status
    if row is not None and row.execution == request.execution:
        step = request.step or "Notify"
        ended = registry.end(row.run, request.status, reason, step=step, execution=request.execution)
        if not ended and step == "Notify":
            registry.update_run(row.run, step=step)
        row = registry.run(row.run)
        status, reason = next((name for name in ENDINGS if name == row.status), status), row.reason
        request = replace(request, run=row.run, model=row.model, status=status)
    publish(request, row, reason, topic)
    return Notified(status)


def reason_of(request: NotifyInput, row: RunRow | None) -> str:
    """Why the execution ended as it did."""
    if request.status != "failed":
        return request.reason
    cause = row.reason if row is not None and request.error == PIECE_FAILED and row.reason else request.cause
    return failure(request.step, request.error, cause, row.hops if isinstance(row, TrainingRun) else ())


def begin_failed(request: NotifyInput, registry: Registry) -> RunRow | None:
    """The first row of a run whose Claim failed; None if the object starts no run."""
    batch, drop = request.key.startswith(BATCH), drop_at(request.key)
    if not drop.starts_run:
        return None
    run = run_id(request.bucket, request.key, request.version)
    registry.begin((batch_row if batch else training_row)(request, drop.model, run), None)
    return registry.find_run(run)


def publish(request: NotifyInput, row: RunRow | None, reason: str, topic: str) -> None:
    """Publishes a message about the end of a run to `topic`."""
    attributes: Any = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (("status", request.status), ("model", request.model))
        if value
    }
    text = message(request, row, reason)
    sns().publish(TopicArn=topic, Subject=subject(request), Message=text, MessageAttributes=attributes)
    log("told", run=request.run, model=request.model, status=request.status)
