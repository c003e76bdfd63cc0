"""The topic that people subscribe to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_app.storage import Storage


class AlarmTopic(Construct):
    """The SNS topic of alarms, and of the messages that Notify sends when a run ends."""

    def __init__(self, scope: Construct, id: str, *, storage: Storage, addresses: Sequence[str] = ()) -> None:
        super().__init__(scope, id)
        self._storage = storage
        self.topic = sns.Topic(self, "Topic", master_key=storage.key, enforce_ssl=True)
        for address in addresses:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        cloudwatch = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[cloudwatch],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        storage.grant_key_to_alarms()

    def allow_publishing(self, role: iam.Role) -> None:
        """Lets `role` publish. CDK's own grant would let it use the key without SNS, too."""
        role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn]))
        self._storage.grant_key(role)
