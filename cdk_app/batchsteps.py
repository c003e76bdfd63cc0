"""The functions of a batch: what each may use and what each may do, no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_app.function import Size
from cdk_app.steps import INFERENCE, READING, artifact_settings, step_of
from dropforge.contract import names, settings

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.lake import Lake
    from cdk_app.step import Step
    from cdk_app.steps import Surroundings

EVERY_BATCH = "The function works for every batch, and a batch's folder has its run's id."
ROWS = ("lambdas/batch/common", *INFERENCE)

PIECE = 32 << 20
"""Bytes of a piece: some 300,000 rows of twenty numbers, seconds for most models and minutes for the slowest."""

LONGEST = 900
"""Seconds: Lambda gives no more."""


def claim(scope: Construct, around: Surroundings) -> Step:
    """Writes claims; S3 is not asked."""
    step = step_of(
        scope, "Claim", around, settings.RegistrySettings(registry=around.table), Size(memory=256, seconds=60)
    )
    around.registry.grant(step.role, ["GetItem", "PutItem"])
    return step


def plan(scope: Construct, around: Surroundings) -> Step:
    """Reads dropped files one after the other, writes the plan and the texts that cannot be cut where they lie."""
    environment = settings.PlanSettings(registry=around.table, artifacts=around.artifacts, piece_bytes=str(PIECE))
    size = Size(memory=1769, seconds=LONGEST, disk=10240)
    step = step_of(scope, "Plan", around, environment, size, *READING, *ROWS, room="batch")
    around.registry.grant(step.role, ["GetItem", "UpdateItem"])
    _read_files(step, around.lake)
    # Without a condition on the prefix, as for Inspect: the parts of a set are found by listing.
    step.allow(["s3:ListBucket"], [around.lake.drop.bucket_arn])
    manifests = around.lake.artifacts.arn_for_objects(f"{names.RUNS}*/{names.MANIFEST_FILE}")
    step.allow(["s3:GetObject"], [manifests], EVERY_BATCH)
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [_pieces(around.lake)], EVERY_BATCH)
    return step


def answer(scope: Construct, around: Surroundings) -> Step:
    """Reads models and pieces, writes pieces and how far it is."""
    step = step_of(
        scope, "Answer", around, artifact_settings(around), Size(memory=1769, seconds=LONGEST), *ROWS, room="batch"
    )
    around.registry.grant(step.role, ["UpdateItem"])
    _read_files(step, around.lake)
    models = around.lake.artifacts.arn_for_objects(f"{names.RUNS}*/{names.MODEL_FILE}")
    step.allow(["s3:GetObject"], [models, _pieces(around.lake)], EVERY_BATCH)
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [_pieces(around.lake)], EVERY_BATCH)
    return step


def join(scope: Construct, around: Surroundings) -> Step:
    """Reads and deletes pieces, writes predictions."""
    size = Size(memory=1769, seconds=LONGEST, disk=10240)
    step = step_of(scope, "Join", around, artifact_settings(around), size, room="batch")
    around.registry.grant(step.role, ["GetItem", "UpdateItem"])
    step.allow(["s3:GetObject", "s3:DeleteObject"], [_pieces(around.lake)], EVERY_BATCH)
    written = around.lake.artifacts.arn_for_objects(f"{names.PREDICTIONS}*")
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], [written], EVERY_BATCH)
    return step


def _read_files(step: Step, lake: Lake) -> None:
    files = lake.drop.arn_for_objects(f"{names.BATCH}*")
    step.allow(["s3:GetObject", "s3:GetObjectVersion"], [files], "Files to predict are dropped there for every model.")


def _pieces(lake: Lake) -> str:
    return lake.artifacts.arn_for_objects(f"{names.RUNS}*/batch/*")
