"""Inspect accepts a data set, with a plan and a copy of the data, or rejects it, with a reason in quarantine."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropforge.contract.environment import load
from dropforge.contract.fitting import shortened
from dropforge.contract.log import begin_step, log
from dropforge.contract.names import (
    EXPIRES_INPUT,
    EXPIRES_TAG,
    PLAN_FILE,
    NameFault,
    RunFiles,
    drop_at,
    quarantine_prefix,
    spec_key,
)
from dropforge.contract.plan import Lineage, Plan
from dropforge.contract.prices import Prices
from dropforge.contract.remarks import row_fields
from dropforge.contract.settings import InspectSettings
from dropforge.contract.spec import SpecFault
from dropforge.contract.steps import Inspected, InspectInput
from dropforge.datasets.faults import DataFault
from dropforge.datasets.spec_file import read_spec
from lambdas.common.clock import now
from lambdas.common.registry import Registry
from lambdas.common.sources import dropped, fetch, sources
from lambdas.pipeline.inspect import objects as s3_objects
from lambdas.pipeline.inspect.forecast import affordable, forecast, max_seconds, places_for
from lambdas.pipeline.inspect.logic import check_drop, decide

if TYPE_CHECKING:
    from dropforge.contract.instances import Place
    from dropforge.contract.names import Drop
    from dropforge.contract.registry import TrainingRun
    from lambdas.common.sources import Source
    from lambdas.pipeline.inspect.decision import Decision

LONGEST_KEPT = 200
"""Characters of a name in quarantine, the last ones: with its folder it must fit into a key of S3."""
REASON_FILE = "reason.json"
REASON_SCHEMA = "dropforge.reason/1"


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes `InspectInput` and returns `Inspected`."""
    begin_step("Inspect", event, context)
    return inspect(InspectInput.from_json(event), load(InspectSettings)).to_json()


def inspect(request: InspectInput, settings: InspectSettings) -> Inspected:
    """Accepts or rejects the data set of a run. Wrong data or options are an outcome, not an exception."""
    registry = Registry(settings.registry)
    registry.update_run(request.run, step="Inspect")
    row = registry.training_run(request.run)
    drop = drop_at(row.key)
    try:
        objects = sources(row, drop.checked(), registry)
        decision = examine(row, drop, objects)
        seconds, prices = max_seconds(decision.spec.budget), Prices.from_text(settings.prices)
        places = affordable(places_for(decision.size, settings.places, prices), seconds, settings.most_cost, prices)
    except (DataFault, NameFault) as fault:
        return reject(row, drop, str(fault), settings)
    except SpecFault as fault:
        return reject(row, drop, f"{fault}{standing_options(row)}", settings)
    inspected = accept(row, objects, decision, settings, places)
    registry.update_run(
        request.run,
        step="Train",
        task=decision.task,
        target=decision.target,
        forecast=inspected.forecast,
        budget=decision.spec.budget,
        **row_fields(decision.remarks),
    )
    log("accepted", run=row.run, model=row.model, task=decision.task, bytes=decision.size)
    return inspected


def examine(row: TrainingRun, drop: Drop, objects: list[Source]) -> Decision:
    """Decides what to learn from the objects, which are on disk only meanwhile."""
    check_drop(drop, [source.size for source in objects])
    metadata = s3_objects.metadata_of(dropped(row, drop))
    spec, target = read_spec(s3_objects.read_spec(row)).for_drop(metadata), metadata.get("target") or None
    with tempfile.TemporaryDirectory() as folder:
        return decide([fetch(source, Path(folder)) for source in objects], spec, target)


def accept(
    row: TrainingRun,
    objects: list[Source],
    decision: Decision,
    settings: InspectSettings,
    places: tuple[Place, ...],
) -> Inspected:
    """Writes the data and the plan into the run's folder; says where they are, where to train, and the cost limit."""
    files, seconds = RunFiles(row.run), max_seconds(decision.spec.budget)
    s3_objects.copy_into(objects, settings.artifacts, files.data, f"{EXPIRES_TAG}={EXPIRES_INPUT}")
    plan = Plan(
        run=row.run,
        model=row.model,
        target=decision.target,
        task=decision.task,
        data=decision.data,
        lineage=Lineage(row.bucket, row.key, row.object_version, row.size, row.identity, settings.image),
        spec=decision.spec,
    )
    s3_objects.write_json(settings.artifacts, f"{files.plan}{PLAN_FILE}", plan.to_json())
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
        forecast=forecast(places, seconds, Prices.from_text(settings.prices)),
    )


def standing_options(row: TrainingRun) -> str:
    """Where the options are that apply to every drop of the model; empty where it has none."""
    if row.spec == "":
        return ""
    return f"; the options for all drops are in {spec_key(row.model)}: `dropforge spec {row.model}` shows them"


def reject(row: TrainingRun, drop: Drop, reason: str, settings: InspectSettings) -> Inspected:
    """Copies the object that started the run into quarantine, with a reason that a person can act on; ends the run."""
    prefix = quarantine_prefix(row.run)
    source = dropped(row, drop)
    kept = replace(source, name=source.name[-LONGEST_KEPT:])
    s3_objects.copy_into([kept], settings.artifacts, prefix)
    document = {"schema": REASON_SCHEMA, "run": row.run, "model": row.model, "key": row.key, "reason": reason}
    s3_objects.write_json(settings.artifacts, f"{prefix}{REASON_FILE}", {**document, "when": now()})
    Registry(settings.registry).end(row.run, "rejected", shortened(reason))
    log("rejected", run=row.run, model=row.model)
    return Inspected(outcome="rejected", reason=shortened(reason))
