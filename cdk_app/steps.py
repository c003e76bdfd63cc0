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

    from cdk_app.lake import Lake
    from cdk_app.registry import RegistryTable
    from cdk_app.settings import Packaging
    from cdk_app.watch import Bell

EVERY_RUN = "The function works for every run, and a run's folder has its id."
INFERENCE = files_in("dropforge/inference")
"""Without its protocols, which Predict alone speaks."""
PICTURES = "dropforge/pictures.py"
METRICS = "dropforge/metrics"
READING = ("dropforge/datasets",)
HTTP = ("dropforge/inference/__init__.py", "dropforge/inference/http.py")


@dataclass(frozen=True)
class Surroundings:
    """What every step is put among."""

    lake: Lake
    registry: RegistryTable
    packaging: Packaging

    @property
    def table(self) -> str:
        """Name of the registry's table."""
        return self.registry.table.table_name

    @property
    def artifacts(self) -> str:
        """Name of the artifact bucket."""
        return self.lake.artifacts.bucket_name


def claim(scope: Construct, around: Surroundings, image: str) -> Step:
    """Reads the heads of dropped objects, writes claims."""
    environment = settings.ClaimSettings(registry=around.table, image=image)
    step = step_of(scope, "Claim", around, environment, Size(memory=256, seconds=60))
    around.registry.grant(step.role, ["GetItem", "PutItem"])
    _read_drops(step, around.lake)
    return step


def inspect(scope: Construct, around: Surroundings, image: str) -> Step:
    """Reads dropped objects, writes plans, copies of data, and quarantine."""
    environment = settings.InspectSettings(registry=around.table, artifacts=around.artifacts, image=image)
    size = Size(memory=3008, seconds=600, disk=10240)
    step = step_of(scope, "Inspect", around, environment, size, *READING)
    around.registry.grant(step.role, ["GetItem", "UpdateItem"])
    _read_drops(step, around.lake)
    bucket = around.lake.artifacts
    written = [bucket.arn_for_objects(f"{prefix}*") for prefix in (names.RUNS, names.QUARANTINE)]
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], written, EVERY_RUN)
    return step


def judge(scope: Construct, around: Surroundings) -> Step:
    """Reads and writes the runs' files."""
    size, extra = Size(memory=3008, seconds=300), (*INFERENCE, PICTURES, METRICS)
    step = step_of(scope, "Judge", around, artifact_settings(around), size, *extra)
    around.registry.grant(step.role, ["GetItem", "UpdateItem"])
    bucket = around.lake.artifacts
    step.allow(["s3:GetObject", "s3:PutObject"], [bucket.arn_for_objects(f"{names.RUNS}*")], EVERY_RUN)
    # S3 answers 404 for a champion that is gone only to those who may list.
    step.allow(["s3:ListBucket"], [bucket.bucket_arn])
    return step


def register(scope: Construct, around: Surroundings) -> Step:
    """Reads the runs' files, writes versions."""
    step = step_of(scope, "Register", around, artifact_settings(around), Size(memory=256, seconds=60))
    around.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem", "Query"])
    step.allow(["s3:GetObject"], [around.lake.artifacts.arn_for_objects(f"{names.RUNS}*")], EVERY_RUN)
    return step


def promote(scope: Construct, around: Surroundings) -> Step:
    """Moves the live pointer."""
    environment = settings.RegistrySettings(registry=around.table)
    step = step_of(scope, "Promote", around, environment, Size(memory=256, seconds=60))
    around.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem"])
    return step


def notify(scope: Construct, around: Surroundings, bell: Bell) -> Step:
    """Closes runs, publishes to the topic."""
    environment = settings.NotifySettings(registry=around.table, topic=bell.topic.topic_arn)
    step = step_of(scope, "Notify", around, environment, Size(memory=256, seconds=60))
    around.registry.grant(step.role, ["GetItem", "UpdateItem", "DeleteItem"])
    bell.topic.grant_publish(step.role)
    return step


def step_of(
    scope: Construct,
    id: str,
    around: Surroundings,
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
        packaging=around.packaging,
        key=around.lake.key,
        size=size,
        extra=extra,
        folder=f"{room}/{id.lower()}",
    )


def artifact_settings(around: Surroundings) -> ArtifactSettings:
    """Of the functions that read and write artifacts."""
    return ArtifactSettings(registry=around.table, artifacts=around.artifacts)


def _read_drops(step: Step, lake: Lake) -> None:
    objects = lake.drop.arn_for_objects(f"{names.DATASETS}*")
    step.allow(["s3:GetObject", "s3:GetObjectVersion"], [objects], "Data sets of every model are dropped there.")
    # Without a condition on the prefix: S3 answers 404 for a missing spec.yaml only to those who may list.
    step.allow(["s3:ListBucket"], [lake.drop.bucket_arn])
