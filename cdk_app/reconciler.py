"""The reconciler: a function that looks every quarter of an hour for what no event told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk_app.function import Function, Size
from cdk_app.packaging import Package
from dropforge.contract import settings

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from cdk_app.batch import Batch
    from cdk_app.context import Context
    from cdk_app.notifications import AlarmTopic
    from cdk_app.pipeline import Pipeline
    from cdk_app.rollouts import Rollouts

RECONCILE = Package("upkeep/reconcile")
MINUTES = 15
"""Between two looks: 5,760 list requests a month at an idle bucket, which cost three cents."""


class Reconciler(Construct):
    """The function, its schedule and its rights."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: Context,
        pipeline: Pipeline,
        batch: Batch,
        rollouts: Rollouts,
        alarm_topic: AlarmTopic,
    ) -> None:
        super().__init__(scope, id)
        machines, topic, bucket = (pipeline.machine, batch.machine), alarm_topic.topic, context.storage.drop
        self.reconcile = Function(
            self,
            "Reconcile",
            environment=settings.ReconcileSettings(
                registry=context.table_name,
                drops=bucket.bucket_name,
                machine=machines[0].state_machine_arn,
                batch_machine=machines[1].state_machine_arn,
                topic=topic.topic_arn,
                rollouts=rollouts.machine.state_machine_arn,
            ),
            packaging=context.packaging,
            storage=context.storage,
            size=Size(memory=512, seconds=600),
            package=RECONCILE,
        )
        role = self.reconcile.role
        context.registry.grant(role, ["GetItem", "BatchGetItem", "PutItem", "UpdateItem"], listing=True)
        self.reconcile.allow(["s3:ListBucketVersions"], [bucket.bucket_arn])
        started = [machine.state_machine_arn for machine in (*machines, rollouts.machine)]
        self.reconcile.allow(["states:StartExecution"], started)
        self.reconcile.allow(["states:ListExecutions"], [rollouts.machine.state_machine_arn])
        for workflow in (pipeline, batch):
            why = "Every execution of this state machine, which no other has."
            self.reconcile.allow(["states:DescribeExecution"], [workflow.executions_of(workflow.machine)], why)
        alarm_topic.allow_publishing(role)
        # A look that fails is made good by the next one, so that an event need not wait for it.
        schedule = events.Schedule.rate(Duration.minutes(MINUTES))
        target = targets.LambdaFunction(self.reconcile.function, retry_attempts=0)
        events.Rule(
            self, "Rule", description="Dropforge: look for what was missed", schedule=schedule, targets=[target]
        )

    @property
    def errors(self) -> cloudwatch.Metric:
        """The looks that failed."""
        return self.reconcile.function.metric_errors(period=Duration.minutes(MINUTES))
