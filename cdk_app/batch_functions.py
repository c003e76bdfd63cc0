"""The functions of a batch's states: the package, the size and exactly the rights of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_app.function import Size
from cdk_app.libraries import BATCH_ROWS, DATASETS
from cdk_app.packaging import Package
from cdk_app.pipeline_functions import CLAIM, SMALL, artifact_settings, step_of
from dropforge.contract import names, settings

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.context import Context
    from cdk_app.step import Step
    from cdk_app.storage import Storage

PLAN = Package("batch/plan", (*DATASETS, *BATCH_ROWS))
ANSWER = Package("batch/answer", BATCH_ROWS)
JOIN = Package("batch/join")

EVERY_BATCH = "The function works for every batch, and a batch's folder has its run's id."
PIECE_BYTES = 32 << 20
"""Size of a piece: some 300,000 rows of twenty numbers, seconds for most models and minutes for the slowest."""
MAX_SECONDS = 900
"""The longest timeout that Lambda allows."""


def claim(scope: Construct, context: Context) -> Step:
    """Claim writes claims; it reads nothing from S3."""
    environment = settings.RegistrySettings(registry=context.table_name)
    step = step_of(scope, "Claim", context, environment, SMALL, CLAIM)
    context.registry.grant(step.role, ["GetItem", "PutItem"])
    return step


def plan(scope: Construct, context: Context) -> Step:
    """Plan reads dropped files one after the other; it writes the plan, and texts that cannot be cut in place."""
    environment = settings.PlanSettings(
        registry=context.table_name, artifacts=context.artifact_bucket, piece_bytes=str(PIECE_BYTES)
    )
    size = Size(memory=1769, seconds=MAX_SECONDS, disk=10240)
    step = step_of(scope, "Plan", context, environment, size, PLAN)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    _allow_reading_drops(step, context.storage)
    # No condition on the prefix, as for Inspect: Plan lists the bucket to see the parts of a set.
    step.allow(["s3:ListBucket", "s3:ListBucketVersions"], [context.storage.drop.bucket_arn])
    manifests = context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{names.MANIFEST_FILE}")
    step.allow(["s3:GetObject"], [manifests], EVERY_BATCH)
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [_pieces(context.storage)], EVERY_BATCH)
    return step


def answer(scope: Construct, context: Context) -> Step:
    """Answer reads models and pieces; it writes predicted pieces and the progress."""
    size = Size(memory=1769, seconds=MAX_SECONDS)
    step = step_of(scope, "Answer", context, artifact_settings(context), size, ANSWER)
    context.registry.grant(step.role, ["UpdateItem"])
    _allow_reading_drops(step, context.storage)
    models = context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/{names.MODEL_FILE}")
    step.allow(["s3:GetObject"], [models, _pieces(context.storage)], EVERY_BATCH)
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [_pieces(context.storage)], EVERY_BATCH)
    return step


def join(scope: Construct, context: Context) -> Step:
    """Join reads and deletes pieces, and writes the predictions."""
    size = Size(memory=1769, seconds=MAX_SECONDS, disk=10240)
    step = step_of(scope, "Join", context, artifact_settings(context), size, JOIN)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    step.allow(["s3:GetObject", "s3:DeleteObject"], [_pieces(context.storage)], EVERY_BATCH)
    written = context.storage.artifacts.arn_for_objects(f"{names.PREDICTIONS}*")
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [written], EVERY_BATCH)
    return step


def _allow_reading_drops(step: Step, storage: Storage) -> None:
    files = storage.drop.arn_for_objects(f"{names.BATCH}*")
    step.allow(["s3:GetObject", "s3:GetObjectVersion"], [files], "Files to predict are dropped there for every model.")


def _pieces(storage: Storage) -> str:
    return storage.artifacts.arn_for_objects(f"{names.RUNS}*/batch/*")
