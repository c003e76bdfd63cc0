"""The drop bucket, the artifact bucket, and the key that encrypts them: new ones, or those of a destroyed stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgements import acknowledge
from dropforge.contract import names
from dropforge.contract.captures import KEEP_DAYS, KEEP_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cdk_app.settings import Adopted, Settings

CHECKPOINT_DAYS = 14
"""Days that a job's checkpoints are kept: longer than a job can wait for its next machine."""
KEY_USE = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
"""What DynamoDB asks of those who read and write a table under a key; S3 and SNS ask for the first and the third."""
DATA_SERVICES = ("dynamodb", "s3", "sns")
"""The services that hold data under the key, and ask KMS on behalf of whoever calls them."""


class Storage(Construct):
    """Private, versioned, encrypted buckets that require TLS; the drop bucket sends its events to EventBridge.

    Adopted buckets are used as they are: their policies, their rules and the key's policy stay what the stack that made
    them wrote, and nothing of them belongs to this stack.
    """

    key: kms.IKey
    drop: s3.IBucket
    artifacts: s3.IBucket
    accesses: s3.IBucket
    """The access logs of both."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self.retention = settings.retention
        self.removal_policy = (
            RemovalPolicy.DESTROY if settings.remove_data else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        )
        """What happens to data when the stack is destroyed; a stack that could not be created leaves nothing."""
        if settings.adopt is None:
            self._make()
        else:
            self._adopt(settings.adopt)
        kms.Alias(self, "Alias", alias_name=f"alias/{settings.stack}", target_key=self.key)

    def grant_key(self, role: iam.IRole) -> None:
        """Lets `role` read and write data under the key in S3, DynamoDB and SNS.

        The role may not ask KMS itself: with nothing but the key, nobody decrypts what a service would not hand out.
        """
        stack = Stack.of(self)
        services = [f"{name}.{stack.region}.{stack.url_suffix}" for name in DATA_SERVICES]
        self._allow_key(role, KEY_USE, {"StringEquals": {"kms:ViaService": services}})

    def grant_key_to_jobs(self, role: iam.IRole) -> None:
        """Lets SageMaker, which alone can take on `role`, read and write data under the key and encrypt volumes.

        No condition names a service here, because AWS does not document through which ones SageMaker uses the key for
        a job. Grants can only be made for resources of AWS, such as a volume.
        """
        self._allow_key(role, (*KEY_USE, "kms:DescribeKey"), None)
        self._allow_key(role, ("kms:CreateGrant",), {"Bool": {"kms:GrantIsForAWSResource": "true"}})

    def grant_key_to_alarms(self) -> None:
        """Lets the account's own alarms publish to a topic under the key. An adopted key's policy stays as it is."""
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )

    def _allow_key(
        self, role: iam.IRole, actions: Sequence[str], conditions: Mapping[str, Mapping[str, object]] | None
    ) -> None:
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=[self.key.key_arn], conditions=conditions)
        )
        for action in actions:
            if action.endswith("*"):
                acknowledge(role, f"IAM5[Action::{action}]", "The two forms that DynamoDB asks of key users.")

    def _make(self) -> None:
        key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=self.removal_policy)
        self._grant_to_logs(key)
        accesses = self._access_log_bucket()
        drop, artifacts = (self._bucket(id, key, accesses) for id in ("Drop", "Artifacts"))
        _send_events(drop)
        self._expire(artifacts)
        for bucket in (accesses, drop, artifacts):
            assert bucket.policy is not None
            bucket.policy.apply_removal_policy(self.removal_policy)  # what is kept still requires TLS
        self.key, self.accesses, self.drop, self.artifacts = key, accesses, drop, artifacts

    def _adopt(self, adopted: Adopted) -> None:
        self.key = kms.Key.from_key_arn(self, "Key", adopted.key)
        self.accesses, self.drop, self.artifacts = (
            s3.Bucket.from_bucket_attributes(self, id, bucket_name=name, encryption_key=self.key)
            for id, name in (("Accesses", adopted.accesses), ("Drop", adopted.drop), ("Artifacts", adopted.artifacts))
        )

    def _expire(self, artifacts: s3.Bucket) -> None:
        """Rules for what is needed for a time only; models, their scores and reports are kept."""
        kept = self.retention
        tag = {names.EXPIRES_TAG: names.EXPIRES_INPUT}
        for id, prefix, tags, days in (
            ("checkpoints", names.CHECKPOINTS, None, CHECKPOINT_DAYS),
            ("inputs", names.RUNS, tag, kept.inputs),
            ("quarantine", names.QUARANTINE, None, kept.quarantine),
            ("predictions", names.PREDICTIONS, None, kept.predictions),
        ):
            if days:
                artifacts.add_lifecycle_rule(id=id, prefix=prefix, tag_filters=tags, expiration=Duration.days(days))
        for days in KEEP_DAYS:
            kept_for = {KEEP_TAG: f"{days}d"}
            artifacts.add_lifecycle_rule(
                id=f"captures-{days}", prefix=names.CAPTURES, tag_filters=kept_for, expiration=Duration.days(days)
            )

    def _bucket(self, id: str, key: kms.IKey, accesses: s3.Bucket) -> s3.Bucket:
        versions = self.retention.versions
        return s3.Bucket(
            self,
            id,
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=self.removal_policy,
            server_access_logs_bucket=accesses,
            server_access_logs_prefix=f"{id.lower()}/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="old-versions",
                    noncurrent_version_expiration=Duration.days(versions) if versions else None,
                    expired_object_delete_marker=True,
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
            removal_policy=self.removal_policy,
            lifecycle_rules=[s3.LifecycleRule(id="a-quarter", expiration=Duration.days(90))],
        )
        acknowledge(bucket, "S1", "This bucket takes the others' access logs; logging itself has no end.")
        return bucket

    def _grant_to_logs(self, key: kms.Key) -> None:
        stack = Stack.of(self)
        groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:*"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )


def _send_events(bucket: s3.Bucket) -> None:
    """Sets the property of CloudFormation, because CDK's own switch adds a custom resource with a function."""
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
