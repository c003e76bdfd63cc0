"""Queues for what could not be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs

from cdk_app.acknowledgements import acknowledge

if TYPE_CHECKING:
    from constructs import Construct


def dead_letter_queue(scope: Construct) -> sqs.Queue:
    """An encrypted queue that keeps its messages for two weeks."""
    queue = sqs.Queue(
        scope,
        "DeadLetters",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    acknowledge(queue, "SQS3", "It is the dead-letter queue.")
    return queue
