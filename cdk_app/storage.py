"""The drop bucket, the artifact bucket, and the key that encrypts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgements import acknowledge
from dropforge.contract import names

if TYPE_CHECKING:
    from cdk_app.settings import Settings

CHECKPOINT_DAYS = 14
"""Days that a job's checkpoints are kept: longer than a job can wait for its next machine."""


class Storage(Construct):
    """Private, versioned, encrypted buckets that require TLS; the drop bucket sends its events to EventBridge."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._removal = RemovalPolicy.DESTROY if settings.remove_data else RemovalPolicy.RETAIN
        self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=self._removal)
        self._grant_key_to_logs()
        self._accesses = self._access_log_bucket()
        self.drop = self._bucket("Drop")
        self.artifacts = self._bucket("Artifacts")
        self.artifacts.add_lifecycle_rule(
            id="checkpoints", prefix=names.CHECKPOINTS, expiration=Duration.days(CHECKPOINT_DAYS)
        )
        self._send_events()

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens to data when the stack is destroyed."""
        return self._removal

    def grant_key(self, role: iam.IRole) -> None:
        """Lets `role` read and write data under the key, in S3, DynamoDB, SNS and on volumes."""
        self.key.grant_encrypt_decrypt(role)
        for action in ("kms:ReEncrypt*", "kms:GenerateDataKey*"):
            acknowledge(
                role, f"IAM5[Action::{action}]", "The two forms of each action that DynamoDB asks of key users."
            )

    def _bucket(self, id: str) -> s3.Bucket:
        return s3.Bucket(
            self,
            id,
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=self._removal,
            server_access_logs_bucket=self._accesses,
            server_access_logs_prefix=f"{id.lower()}/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="old-versions",
                    noncurrent_version_expiration=Duration.days(90),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
        )

    def _access_log_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Accesses",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=self._removal,
            lifecycle_rules=[s3.LifecycleRule(id="a-quarter", expiration=Duration.days(90))],
        )
        acknowledge(bucket, "S1", "This bucket takes the others' access logs; logging itself has no end.")
        return bucket

    def _send_events(self) -> None:
        """Sets the property of CloudFormation, because CDK's own switch adds a custom resource with a function."""
        bucket = self.drop.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    def _grant_key_to_logs(self) -> None:
        stack = Stack.of(self)
        groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:*"
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
