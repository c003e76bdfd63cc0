"""The log groups of everything in the stack: encrypted, and kept as long as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_app.storage import Storage


def log_group(scope: Construct, id: str, storage: Storage) -> logs.LogGroup:
    """A log group under the stack's key, which is deleted with the stack."""
    group = logs.LogGroup(
        scope,
        id,
        encryption_key=storage.key,
        removal_policy=RemovalPolicy.DESTROY,
        retention=logs.RetentionDays.INFINITE,
    )
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    # CDK has a name for each number of days; the property is the number itself.
    resource.retention_in_days = storage.retention.logs or None
    return group
