"""The pipeline's functions: what each may use and what each may do, no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cdk_app.function import Size
from cdk_app.packaging import files_in
from cdk_app.step import Step
from dropforge.contract import names, settings
from dropforge.contract.artifacts import ArtifactSettings

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.monitoring import AlarmTopic
    from cdk_app.registry import RegistryTable
    from cdk_app.settings import Packaging
    from cdk_app.storage import Storage

EVERY_RUN = "The function works for every run, and a run's folder has its id."
INFERENCE = files_in("dropforge/inference")
"""Without its protocols, which Predict alone speaks."""
PICTURES = "dropforge/pictures.py"
METRICS = "dropforge/metrics"
READING = ("dropforge/datasets",)
HTTP = ("dropforge/inference/__init__.py", "dropforge/inference/http.py")


@dataclass(frozen=True)
class Context:
    """What every step is put among."""

    storage: Storage
    registry: RegistryTable
    packaging: Packaging

    @property
    def table(self) -> str:
        """Name of the registry's table."""
        return self.registry.table.table_name

    @property
    def artifacts(self) -> str:
        """Name of the artifact bucket."""
        return self.storage.artifacts.bucket_name


def claim(scope: Construct, context: Context, image: str) -> Step:
    """Reads the heads of dropped objects, writes claims."""
    environment = settings.ClaimSettings(registry=context.table, image=image)
    step = step_of(scope, "Claim", context, environment, Size(memory=256, seconds=60))
    context.registry.grant(step.role, ["GetItem", "PutItem"])
    _read_drops(step, context.storage)
    return step


def inspect(scope: Construct, context: Context, image: str) -> Step:
    """Reads dropped objects, writes plans, copies of data, and quarantine."""
    environment = settings.InspectSettings(registry=context.table, artifacts=context.artifacts, image=image)
    size = Size(memory=3008, seconds=600, disk=10240)
    step = step_of(scope, "Inspect", context, environment, size, *READING)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    _read_drops(step, context.storage)
    bucket = context.storage.artifacts
    written = [bucket.arn_for_objects(f"{prefix}*") for prefix in (names.RUNS, names.QUARANTINE)]
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], written, EVERY_RUN)
    return step


def judge(scope: Construct, context: Context) -> Step:
    """Reads and writes the runs' files."""
    size, extra = Size(memory=3008, seconds=300), (*INFERENCE, PICTURES, METRICS)
    step = step_of(scope, "Judge", context, artifact_settings(context), size, *extra)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    bucket = context.storage.artifacts
    step.allow(["s3:GetObject", "s3:PutObject"], [bucket.arn_for_objects(f"{names.RUNS}*")], EVERY_RUN)
    # S3 answers 404 for a champion that is gone only to those who may list.
    step.allow(["s3:ListBucket"], [bucket.bucket_arn])
    return step


def register(scope: Construct, context: Context) -> Step:
    """Reads the runs' files, writes versions."""
    step = step_of(scope, "Register", context, artifact_settings(context), Size(memory=256, seconds=60))
    context.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem", "Query"])
    step.allow(["s3:GetObject"], [context.storage.artifacts.arn_for_objects(f"{names.RUNS}*")], EVERY_RUN)
    return step


def promote(scope: Construct, context: Context) -> Step:
    """Moves the live pointer."""
    environment = settings.RegistrySettings(registry=context.table)
    step = step_of(scope, "Promote", context, environment, Size(memory=256, seconds=60))
    context.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem"])
    return step


def notify(scope: Construct, context: Context, alarm_topic: AlarmTopic) -> Step:
    """Closes runs, publishes to the topic."""
    environment = settings.NotifySettings(registry=context.table, topic=alarm_topic.topic.topic_arn)
    step = step_of(scope, "Notify", context, environment, Size(memory=256, seconds=60))
    context.registry.grant(step.role, ["GetItem", "UpdateItem", "DeleteItem"])
    alarm_topic.topic.grant_publish(step.role)
    return step


def step_of(
    scope: Construct,
    id: str,
    context: Context,
    environment: NamedTuple,
    size: Size,
    *extra: str,
    room: str = "pipeline",
) -> Step:
    """The function of a state, in `lambdas/<room>/<id>`, without any right yet."""
    return Step(
        scope,
        id,
        environment=environment,
        packaging=context.packaging,
        key=context.storage.key,
        size=size,
        extra=extra,
        folder=f"{room}/{id.lower()}",
    )


def artifact_settings(context: Context) -> ArtifactSettings:
    """Of the functions that read and write artifacts."""
    return ArtifactSettings(registry=context.table, artifacts=context.artifacts)


def _read_drops(step: Step, storage: Storage) -> None:
    objects = storage.drop.arn_for_objects(f"{names.DATASETS}*")
    step.allow(["s3:GetObject", "s3:GetObjectVersion"], [objects], "Data sets of every model are dropped there.")
    # Without a condition on the prefix: S3 answers 404 for a missing spec.yaml only to those who may list.
    step.allow(["s3:ListBucket"], [storage.drop.bucket_arn])
