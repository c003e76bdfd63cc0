"""The stack, as a table of contents: every construct, and what it is passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Stack, Tags

from cdk_app.api import Api
from cdk_app.batch import Batch
from cdk_app.compactor import Compactor
from cdk_app.context import Context
from cdk_app.interpreters import warn_without_compiler
from cdk_app.monitoring import Monitoring
from cdk_app.notifications import AlarmTopic
from cdk_app.pipeline import Pipeline
from cdk_app.reconciler import Reconciler
from cdk_app.registry import RegistryTable
from cdk_app.rollouts import Rollouts
from cdk_app.settings import Adopted
from cdk_app.storage import Storage
from cdk_app.training import Training
from cdk_app.trigger import Trigger
from dropforge.contract import names

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.settings import Settings


class Dropforge(Stack):
    """Drop a data set into S3; get a tested, explained, monitored prediction API."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, **options: Any) -> None:
        super().__init__(scope, id, tags=dict(settings.tags), **options)
        for name, value in settings.tags.items():
            Tags.of(self).add(name, value)
        if settings.packaging == "full":
            warn_without_compiler(self)
        outputs = self._constructs(settings)
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _constructs(self, settings: Settings) -> dict[str, str]:
        """Makes every construct, in the order of the way of a data set; returns the stack's outputs."""
        storage = Storage(self, "Lake", settings=settings)
        registry = RegistryTable(self, "Registry", storage=storage, settings=settings)
        context = context_of(storage, registry, settings)
        alarm_topic = AlarmTopic(self, "Bell", storage=storage, addresses=settings.alarm_addresses)
        training = Training(self, "Training", storage=storage, settings=settings)
        rollouts = Rollouts(self, "Rollouts", context=context, alarm_topic=alarm_topic)
        api = Api(self, "Api", context=context, settings=settings, rollouts=rollouts)
        pipeline = Pipeline(
            self,
            "Pipeline",
            context=context,
            training=training,
            alarm_topic=alarm_topic,
            predict=api.predict,
            rollouts=rollouts,
        )
        batch = Batch(self, "Batch", context=context, alarm_topic=alarm_topic)
        triggers = self._triggers(storage, pipeline, batch)
        reconciler = Reconciler(
            self,
            "Reconciler",
            context=context,
            pipeline=pipeline,
            batch=batch,
            rollouts=rollouts,
            alarm_topic=alarm_topic,
        )
        if settings.capture:
            Compactor(self, "Compactor", context=context)
        Monitoring(
            self,
            "Watch",
            alarm_topic=alarm_topic,
            pipeline=pipeline,
            batch=batch,
            rollouts=rollouts,
            triggers=triggers,
            api=api,
            reconciler=reconciler,
            namespace=context.metrics,
        )
        return {
            "DropBucket": storage.drop.bucket_name,
            "ArtifactBucket": storage.artifacts.bucket_name,
            "ApiUrl": api.rest.url,
            "ApiId": api.rest.rest_api_id,
            "StateMachineArn": pipeline.machine.state_machine_arn,
            "BatchMachineArn": batch.machine.state_machine_arn,
            "RolloutMachineArn": rollouts.machine.state_machine_arn,
            "RegistryTable": registry.table.table_name,
            "TopicArn": alarm_topic.topic.topic_arn,
            "DeadLetters": triggers[0].dead_letters.queue_url,
            "BatchDeadLetters": triggers[1].dead_letters.queue_url,
            "ReconcileFunction": reconciler.reconcile.function.function_name,
            "Adopt": str(adopted(storage, registry)),
        }

    def _triggers(self, storage: Storage, pipeline: Pipeline, batch: Batch) -> list[Trigger]:
        """What starts an execution: of the pipeline for a data set, and of the batch for a file to predict."""
        return [
            Trigger(self, name, storage=storage, machine=machine, folder=folder, what=what)
            for name, machine, folder, what in (
                ("Trigger", pipeline.machine, names.DATASETS, "a data set"),
                ("BatchTrigger", batch.machine, names.BATCH, "a file to predict"),
            )
        ]


def context_of(storage: Storage, registry: RegistryTable, settings: Settings) -> Context:
    """What every construct that makes functions is passed."""
    return Context(
        storage,
        registry,
        settings.packaging,
        metrics=settings.stack,
        places=",".join(settings.places),
        most_cost=f"{settings.budget_cap:g}" if settings.budget_cap else "",
        prices=settings.prices.text,
    )


def adopted(storage: Storage, registry: RegistryTable) -> Adopted:
    """The names by which another stack goes on with the data of this one."""
    return Adopted(
        drop=storage.drop.bucket_name,
        artifacts=storage.artifacts.bucket_name,
        accesses=storage.accesses.bucket_name,
        table=registry.table.table_name,
        key=storage.key.key_arn,
    )
