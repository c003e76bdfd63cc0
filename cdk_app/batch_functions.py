"""The functions of a batch: what each may use and what each may do, no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_app.function import Size
from cdk_app.pipeline_functions import INFERENCE, READING, artifact_settings, step_of
from dropforge.contract import names, settings

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.pipeline_functions import Context
    from cdk_app.step import Step
    from cdk_app.storage import Storage

EVERY_BATCH = "The function works for every batch, and a batch's folder has its run's id."
ROWS = ("lambdas/batch/common", *INFERENCE)

PIECE = 32 << 20
"""Bytes of a piece: some 300,000 rows of twenty numbers, seconds for most models and minutes for the slowest."""

LONGEST = 900
"""Seconds: Lambda gives no more."""


def claim(scope: Construct, context: Context) -> Step:
    """Writes claims; S3 is not asked."""
    step = step_of(
        scope, "Claim", context, settings.RegistrySettings(registry=context.table), Size(memory=256, seconds=60)
    )
    context.registry.grant(step.role, ["GetItem", "PutItem"])
    return step


def plan(scope: Construct, context: Context) -> Step:
    """Reads dropped files one after the other, writes the plan and the texts that cannot be cut where they lie."""
    environment = settings.PlanSettings(registry=context.table, artifacts=context.artifacts, piece_bytes=str(PIECE))
    size = Size(memory=1769, seconds=LONGEST, disk=10240)
    step = step_of(scope, "Plan", context, environment, size, *READING, *ROWS, room="batch")
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    _read_files(step, context.storage)
    # Without a condition on the prefix, as for Inspect: the parts of a set are found by listing.
    step.allow(["s3:ListBucket"], [context.storage.drop.bucket_arn])
    manifests = context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{names.MANIFEST_FILE}")
    step.allow(["s3:GetObject"], [manifests], EVERY_BATCH)
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [_pieces(context.storage)], EVERY_BATCH)
    return step


def answer(scope: Construct, context: Context) -> Step:
    """Reads models and pieces, writes pieces and how far it is."""
    step = step_of(
        scope, "Answer", context, artifact_settings(context), Size(memory=1769, seconds=LONGEST), *ROWS, room="batch"
    )
    context.registry.grant(step.role, ["UpdateItem"])
    _read_files(step, context.storage)
    models = context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{names.MODEL_FILE}")
    step.allow(["s3:GetObject"], [models, _pieces(context.storage)], EVERY_BATCH)
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [_pieces(context.storage)], EVERY_BATCH)
    return step


def join(scope: Construct, context: Context) -> Step:
    """Reads and deletes pieces, writes predictions."""
    size = Size(memory=1769, seconds=LONGEST, disk=10240)
    step = step_of(scope, "Join", context, artifact_settings(context), size, room="batch")
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    step.allow(["s3:GetObject", "s3:DeleteObject"], [_pieces(context.storage)], EVERY_BATCH)
    written = context.storage.artifacts.arn_for_objects(f"{names.PREDICTIONS}*")
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [written], EVERY_BATCH)
    return step


def _read_files(step: Step, storage: Storage) -> None:
    files = storage.drop.arn_for_objects(f"{names.BATCH}*")
    step.allow(["s3:GetObject", "s3:GetObjectVersion"], [files], "Files to predict are dropped there for every model.")


def _pieces(storage: Storage) -> str:
    return storage.artifacts.arn_for_objects(f"{names.RUNS}*/batch/*")
