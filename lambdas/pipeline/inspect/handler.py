"""Inspect: the claimed object is judged as a data set; a plan and a copy of the data, or a reason in quarantine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropforge.contract.environment import load
from dropforge.contract.log import log
from dropforge.contract.names import PLAN_FILE, RunFiles, parse_drop, quarantine_prefix
from dropforge.contract.plan import Lineage, Plan
from dropforge.contract.settings import InspectSettings
from dropforge.contract.spec import SpecFault
from dropforge.contract.steps import Inspected, InspectInput
from dropforge.datasets.faults import DataFault
from lambdas.common.clock import now
from lambdas.common.registry import Registry
from lambdas.common.sources import dropped, fetch, sources
from lambdas.pipeline.inspect import objects
from lambdas.pipeline.inspect.forecast import forecast, max_seconds, places_for
from lambdas.pipeline.inspect.logic import check_drop, decide
from lambdas.pipeline.inspect.spec_file import read_spec

if TYPE_CHECKING:
    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow
    from lambdas.common.sources import Source
    from lambdas.pipeline.inspect.decision import Decision

REASON_FILE = "reason.json"
REASON_SCHEMA = "dropforge.reason/1"


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The state's task: `InspectInput` in, `Inspected` out."""
    return inspect(InspectInput.from_json(event), load(InspectSettings)).to_json()


def inspect(given: InspectInput, settings: InspectSettings) -> Inspected:
    """Accepts or rejects the data set of a run; what is wrong with data or wishes is an answer, not an exception."""
    registry = Registry(settings.registry)
    registry.update_run(given.run, step="Inspect")
    row = registry.run(given.run)
    drop = parse_drop(row.key)
    try:
        found = sources(row, drop)
        decision = examine(row, drop, found)
    except (DataFault, SpecFault) as fault:
        return reject(row, drop, str(fault), settings)
    answer = accept(row, found, decision, settings)
    registry.update_run(given.run, step="Train", task=decision.task, target=decision.target, forecast=answer.forecast)
    log("accepted", run=row.run, model=row.model, step="Inspect", task=decision.task, bytes=decision.size)
    return answer


def examine(row: RunRow, drop: Drop, found: list[Source]) -> Decision:
    """What is to be learned from the objects; they lie on disk only as long as that takes."""
    check_drop(drop, [source.size for source in found])
    metadata = objects.metadata_of(dropped(row, drop))
    spec, target = read_spec(objects.read_spec(row)).for_drop(metadata), metadata.get("target") or None
    with tempfile.TemporaryDirectory() as folder:
        return decide([fetch(source, Path(folder)) for source in found], spec, target)


def accept(row: RunRow, found: list[Source], decision: Decision, settings: InspectSettings) -> Inspected:
    """The data and the plan lie in the run's folder; the answer says where, where to train, and for how much."""
    files, places, seconds = RunFiles(row.run), places_for(decision.size), max_seconds(decision.spec.budget)
    objects.copy_into(found, settings.artifacts, files.data)
    plan = Plan(
        run=row.run,
        model=row.model,
        target=decision.target,
        task=decision.task,
        data=decision.data,
        lineage=Lineage(row.bucket, row.key, row.object_version, row.size, row.identity, settings.image),
        spec=decision.spec,
    )
    objects.write_json(settings.artifacts, f"{files.plan}{PLAN_FILE}", plan.to_json())
    return Inspected(
        outcome="accepted",
        reason="",
        task=decision.task,
        target=decision.target,
        data_uri=f"s3://{settings.artifacts}/{files.data}",
        plan_uri=f"s3://{settings.artifacts}/{files.plan}",
        output_uri=f"s3://{settings.artifacts}/{files.training}",
        checkpoint_uri=f"s3://{settings.artifacts}/{files.checkpoints}",
        max_seconds=seconds,
        places=places,
        forecast=forecast(places, seconds),
    )


def reject(row: RunRow, drop: Drop, reason: str, settings: InspectSettings) -> Inspected:
    """The object that started the run is in quarantine, with a reason that a person can act on."""
    prefix = quarantine_prefix(row.run)
    objects.copy_into([dropped(row, drop)], settings.artifacts, prefix)
    told = {"schema": REASON_SCHEMA, "run": row.run, "model": row.model, "key": row.key, "reason": reason}
    objects.write_json(settings.artifacts, f"{prefix}{REASON_FILE}", {**told, "when": now()})
    log("rejected", run=row.run, model=row.model, step="Inspect")
    return Inspected(outcome="rejected", reason=reason)
