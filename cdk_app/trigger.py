"""Starts an execution for every drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk_app.deadletters import dead_letter_queue

if TYPE_CHECKING:
    from aws_cdk import aws_stepfunctions as sfn

    from cdk_app.storage import Storage


class Trigger(Construct):
    """A rule on the drop bucket's events, and a dead-letter queue for events that could not be delivered.

    Every object created under `folder` starts an execution; Claim ignores those that are no drop: `spec.yaml`, and the
    parts of a set.
    """

    def __init__(
        self, scope: Construct, id: str, *, storage: Storage, machine: sfn.StateMachine, folder: str, what: str
    ) -> None:
        super().__init__(scope, id)
        self.dead_letters = dead_letter_queue(self)
        self.rule = events.Rule(
            self,
            "Rule",
            description=f"Dropforge: {what} was dropped",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [storage.drop.bucket_name]},
                    "object": {"key": [{"prefix": folder}]},
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    machine,
                    dead_letter_queue=self.dead_letters,
                    retry_attempts=185,
                    max_event_age=Duration.hours(24),
                )
            ],
        )
