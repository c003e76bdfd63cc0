"""The registry's table. Only `dropforge.contract.registry` knows how its keys are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from dropforge.contract import registry as rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_app.settings import Settings
    from cdk_app.storage import Storage


class RegistryTable(Construct):
    """A table on demand, encrypted, restorable to any second of the last 35 days; or the table of a destroyed stack."""

    def __init__(self, scope: Construct, id: str, *, storage: Storage, settings: Settings) -> None:
        super().__init__(scope, id)
        self._storage = storage
        self.table: dynamodb.ITable = (
            self._make(settings.protect_table)
            if settings.adopt is None
            else dynamodb.Table.from_table_name(self, "Table", settings.adopt.table)
        )

    def _make(self, protected: bool) -> dynamodb.Table:
        text = dynamodb.AttributeType.STRING
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=rows.PARTITION, type=text),
            sort_key=dynamodb.Attribute(name=rows.SORT, type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._storage.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=protected,
            removal_policy=self._storage.removal_policy,
        )
        table.add_global_secondary_index(
            index_name=rows.INDEX,
            partition_key=dynamodb.Attribute(name=rows.INDEX_PARTITION, type=text),
            sort_key=dynamodb.Attribute(name=rows.INDEX_SORT, type=text),
        )
        # DynamoDB adds one index per update of a table that has rows: never add two in one release.
        table.add_global_secondary_index(
            index_name=rows.MODEL_INDEX,
            partition_key=dynamodb.Attribute(name=rows.MODEL_INDEX_PARTITION, type=text),
            sort_key=dynamodb.Attribute(name=rows.INDEX_SORT, type=text),
        )
        return table

    def grant(self, role: iam.Role, actions: Sequence[str], *, listing: bool = False) -> None:
        """Grants `role` these DynamoDB actions on the table, and queries of its indexes when `listing`."""
        role.add_to_policy(
            iam.PolicyStatement(actions=[f"dynamodb:{name}" for name in actions], resources=[self.table.table_arn])
        )
        if listing:
            indexes = [f"{self.table.table_arn}/index/{name}" for name in (rows.INDEX, rows.MODEL_INDEX)]
            role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:Query"], resources=indexes))
        self._storage.grant_key(role)
