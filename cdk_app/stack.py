"""The stack: a table of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Stack

from cdk_app.api import Api
from cdk_app.batch import Batch
from cdk_app.lake import Lake
from cdk_app.pipeline import Pipeline
from cdk_app.registry import RegistryTable
from cdk_app.steps import Surroundings
from cdk_app.training import Training
from cdk_app.trigger import Trigger
from cdk_app.watch import Bell, Watch
from dropforge.contract import names

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.settings import Settings


class Dropforge(Stack):
    """Drop a data set into S3; get a tested, explained, monitored prediction API."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, **options: Any) -> None:
        super().__init__(scope, id, **options)
        lake = Lake(self, "Lake", settings=settings)
        registry = RegistryTable(self, "Registry", lake=lake, deletion_protection=not settings.remove_data)
        around = Surroundings(lake, registry, settings.packaging)
        bell = Bell(self, "Bell", lake=lake)
        training = Training(self, "Training", lake=lake, settings=settings)
        pipeline = Pipeline(self, "Pipeline", around=around, training=training, bell=bell)
        batch = Batch(self, "Batch", around=around, bell=bell)
        triggers = [
            Trigger(self, "Trigger", lake=lake, machine=pipeline.machine, folder=names.DATASETS, what="a data set"),
            Trigger(
                self, "BatchTrigger", lake=lake, machine=batch.machine, folder=names.BATCH, what="a file to predict"
            ),
        ]
        api = Api(self, "Api", around=around, settings=settings)
        Watch(self, "Watch", bell=bell, pipeline=pipeline, batch=batch, triggers=triggers, api=api)
        outputs = {
            "DropBucket": lake.drop.bucket_name,
            "ArtifactBucket": lake.artifacts.bucket_name,
            "ApiUrl": api.rest.url,
            "ApiId": api.rest.rest_api_id,
            "StateMachineArn": pipeline.machine.state_machine_arn,
            "BatchMachineArn": batch.machine.state_machine_arn,
            "RegistryTable": registry.table.table_name,
            "TopicArn": bell.topic.topic_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
