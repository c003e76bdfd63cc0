"""The compactor: a function that makes Parquet of the captures of each hour, and counts what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk_app.function import Function, Size
from cdk_app.packaging import Package
from dropforge.contract import names
from dropforge.contract.artifacts import CaptureSettings

if TYPE_CHECKING:
    from cdk_app.context import Context

COMPACT = Package("upkeep/compact")
EVERY_CAPTURE = "The function compacts every model's captures, and those of each version lie in its folder."


class Compactor(Construct):
    """The function, its schedule and its rights: it reads and writes captures, and nothing else."""

    def __init__(self, scope: Construct, id: str, *, context: Context) -> None:
        super().__init__(scope, id)
        artifacts = context.storage.artifacts
        self.compact = Function(
            self,
            "Compact",
            environment=CaptureSettings(context.artifact_bucket),
            packaging=context.packaging,
            storage=context.storage,
            size=Size(memory=1769, seconds=900),
            package=COMPACT,
        )
        captures = artifacts.arn_for_objects(f"{names.CAPTURES}*")
        compacted = artifacts.arn_for_objects(f"{names.CAPTURES}*/compacted/*")
        self.compact.allow(["s3:GetObject", "s3:GetObjectTagging"], [captures], EVERY_CAPTURE)
        self.compact.allow(["s3:PutObject", "s3:PutObjectTagging"], [compacted], EVERY_CAPTURE)
        listed = {"StringLike": {"s3:prefix": f"{names.CAPTURES}*"}}
        self.compact.allow(["s3:ListBucket"], [artifacts.bucket_arn], conditions=listed)
        context.storage.grant_key(self.compact.role)
        # A look that fails is made good by the next one, so that an event need not wait for it.
        target = targets.LambdaFunction(self.compact.function, retry_attempts=0)
        schedule = events.Schedule.rate(Duration.hours(1))
        events.Rule(self, "Rule", description="Dropforge: compact captures", schedule=schedule, targets=[target])
