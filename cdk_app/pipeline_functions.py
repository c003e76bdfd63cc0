"""The functions of the pipeline's states: the package, the size and exactly the rights of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cdk_app.function import Size
from cdk_app.libraries import DATASETS, INFERENCE, METRICS, PICTURES, ROLLOUTS
from cdk_app.packaging import Package
from cdk_app.step import Step
from dropforge.contract import names, settings
from dropforge.contract.artifacts import ArtifactSettings

if TYPE_CHECKING:
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from cdk_app.context import Context
    from cdk_app.function import Function
    from cdk_app.notifications import AlarmTopic
    from cdk_app.storage import Storage

CLAIM = Package("pipeline/claim")
INSPECT = Package("pipeline/inspect", DATASETS)
REROUTE = Package("pipeline/reroute")
JUDGE = Package("pipeline/judge", (*INFERENCE, PICTURES, METRICS), keep=("numpy/random",))
"""Judge draws resamples, so that it needs `numpy.random`."""
REGISTER = Package("pipeline/register")
REHEARSE = Package("pipeline/rehearse", ROLLOUTS)
PROMOTE = Package("pipeline/promote")
NOTIFY = Package("pipeline/notify")

SMALL = Size(memory=256, seconds=60)
"""For functions that read and write a few rows and small files."""
EVERY_RUN = "The function works for every run, and a run's folder has its id."


def claim(scope: Construct, context: Context, image: str) -> Step:
    """Claim reads the metadata of dropped objects and writes claims."""
    environment = settings.ClaimSettings(registry=context.table_name, image=image)
    step = step_of(scope, "Claim", context, environment, SMALL, CLAIM)
    context.registry.grant(step.role, ["GetItem", "PutItem"])
    _allow_reading_drops(step, context.storage)
    return step


def inspect(scope: Construct, context: Context, image: str) -> Step:
    """Inspect reads dropped objects and writes plans, copies of the data, and the quarantine."""
    environment = settings.InspectSettings(
        registry=context.table_name,
        artifacts=context.artifact_bucket,
        image=image,
        places=context.places,
        most_cost=context.most_cost,
        prices=context.prices,
    )
    step = step_of(scope, "Inspect", context, environment, Size(memory=3008, seconds=600, disk=10240), INSPECT)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    _allow_reading_drops(step, context.storage)
    bucket = context.storage.artifacts
    written = [bucket.arn_for_objects(f"{prefix}*") for prefix in (names.RUNS, names.QUARANTINE)]
    step.allow(["s3:PutObject", "s3:AbortMultipartUpload"], written, EVERY_RUN)
    step.allow(["s3:PutObjectTagging"], [bucket.arn_for_objects(f"{names.RUNS}*/input/data/*")], EVERY_RUN)
    return step


def reroute(scope: Construct, context: Context) -> Step:
    """Reroute reads and writes a run's row."""
    environment = settings.RegistrySettings(registry=context.table_name)
    step = step_of(scope, "Reroute", context, environment, SMALL, REROUTE)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    step.allow_counting(context.metrics)
    return step


def judge(scope: Construct, context: Context) -> Step:
    """Judge reads and writes the files of runs."""
    environment = settings.JudgeSettings(context.table_name, context.artifact_bucket, context.prices)
    step = step_of(scope, "Judge", context, environment, Size(memory=3008, seconds=300), JUDGE)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    bucket = context.storage.artifacts
    step.allow(["s3:GetObject", "s3:PutObject"], [bucket.arn_for_objects(f"{names.RUNS}*")], EVERY_RUN)
    # S3 answers 404 for a champion's missing file only to those who may list; to others it answers 403.
    step.allow(["s3:ListBucket"], [bucket.bucket_arn])
    step.allow_counting(context.metrics)
    return step


def register(scope: Construct, context: Context) -> Step:
    """Register reads the files of runs and writes versions."""
    step = step_of(scope, "Register", context, artifact_settings(context), SMALL, REGISTER)
    context.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem", "Query"])
    step.allow(["s3:GetObject"], [context.storage.artifacts.arn_for_objects(f"{names.RUNS}*")], EVERY_RUN)
    return step


def rehearse(scope: Construct, context: Context, predict: Function) -> Step:
    """Rehearse invokes the deployed prediction function, reads what it asks it, and draws into the report."""
    target = predict.target.function_arn
    environment = settings.RehearseSettings(context.table_name, context.artifact_bucket, target)
    step = step_of(scope, "Rehearse", context, environment, Size(memory=1024, seconds=300), REHEARSE)
    context.registry.grant(step.role, ["GetItem", "UpdateItem"])
    bucket = context.storage.artifacts
    files = (names.GOLDEN_FILE, names.VERDICT_FILE, f"input/plan/{names.PLAN_FILE}")
    step.allow(["s3:GetObject"], [bucket.arn_for_objects(f"{names.RUNS}*/{name}") for name in files], EVERY_RUN)
    drawn = [bucket.arn_for_objects(f"{names.RUNS}*/{name}") for name in (names.REPORT_FILE, names.MANIFEST_FILE)]
    step.allow(["s3:GetObject", "s3:PutObject"], drawn, EVERY_RUN)
    captured = [bucket.arn_for_objects(f"{names.CAPTURES}*")]
    step.allow(["s3:GetObject"], captured, "It rehearses the versions of every model, and each has a folder there.")
    step.allow(["s3:ListBucket"], [bucket.bucket_arn])
    step.allow(["lambda:InvokeFunction"], [target])
    return step


def promote(scope: Construct, context: Context, rollouts: sfn.StateMachine) -> Step:
    """Promote moves the live pointer, and has the rollouts that it begins looked at."""
    machine = rollouts.state_machine_arn
    environment = settings.PromoteSettings(context.table_name, context.artifact_bucket, machine)
    step = step_of(scope, "Promote", context, environment, SMALL, PROMOTE)
    context.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem"])
    plan = context.storage.artifacts.arn_for_objects(f"{names.RUNS}*/input/plan/{names.PLAN_FILE}")
    step.allow(["s3:GetObject"], [plan], EVERY_RUN)
    step.allow(["states:StartExecution"], [machine])
    return step


def notify(scope: Construct, context: Context, alarm_topic: AlarmTopic) -> Step:
    """Notify ends runs whose executions failed, and publishes to the topic."""
    environment = settings.NotifySettings(registry=context.table_name, topic=alarm_topic.topic.topic_arn)
    step = step_of(scope, "Notify", context, environment, SMALL, NOTIFY)
    context.registry.grant(step.role, ["GetItem", "PutItem", "UpdateItem"])
    alarm_topic.allow_publishing(step.role)
    return step


def step_of(scope: Construct, id: str, context: Context, environment: NamedTuple, size: Size, package: Package) -> Step:
    """The function of the state `id`, still without any rights but to its log."""
    return Step(
        scope,
        id,
        environment=environment,
        packaging=context.packaging,
        storage=context.storage,
        size=size,
        package=package,
    )


def artifact_settings(context: Context) -> ArtifactSettings:
    """The environment of functions that read and write artifacts."""
    return ArtifactSettings(registry=context.table_name, artifacts=context.artifact_bucket)


def _allow_reading_drops(step: Step, storage: Storage) -> None:
    objects = storage.drop.arn_for_objects(f"{names.DATASETS}*")
    step.allow(["s3:GetObject", "s3:GetObjectVersion"], [objects], "Data sets of every model are dropped there.")
    # No condition on the prefix: S3 answers 404 for a missing spec.yaml only to those who may list the bucket.
    step.allow(["s3:ListBucket", "s3:ListBucketVersions"], [storage.drop.bucket_arn])
