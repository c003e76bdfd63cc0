"""One Lambda function with everything that belongs to it: code, role, log group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from aws_cdk import Duration
from aws_cdk import Size as CdkSize
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_app.acknowledgements import acknowledge, acknowledge_wildcards
from cdk_app.logs import log_group
from cdk_app.packaging import RUNTIME, function_code
from dropforge.contract.environment import variables
from dropforge.contract.settings import MetricSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cdk_app.packaging import Package
    from cdk_app.settings import Packaging, Warmth
    from cdk_app.storage import Storage

LIBRARY_VARIABLES = {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2"}
"""By default onnxruntime opens a database in the home folder at import, and BLAS threads slow a cold start."""


@dataclass(frozen=True)
class Size:
    """The resources that a function may use."""

    memory: int
    """MiB."""
    seconds: int
    disk: int = 512
    """MiB of /tmp."""


class Function(Construct):
    """A Lambda function with its own role and log group. The role has no rights but those granted to it.

    Args:
        scope: the construct that it belongs to.
        id: its construct id, and the state's name where it is a state.
        environment: a settings record of `dropforge.contract.settings`, which the handler loads.
        packaging: whether its dependencies are packed with it.
        storage: has the key that encrypts its log, and says how long it is kept.
        size: its resources.
        package: its sources.
        warmth: SnapStart or provisioned concurrency; None for neither.
        traced: whether X-Ray records its invocations.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: NamedTuple,
        packaging: Packaging,
        storage: Storage,
        size: Size,
        package: Package,
        warmth: Warmth | None = None,
        traced: bool = True,
    ) -> None:
        super().__init__(scope, id)
        snap_start = warmth is not None and warmth.snap_start
        self.log_group = log_group(self, "Logs", storage)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            code=function_code(package, packaging),
            handler=package.handler,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.X86_64,
            memory_size=size.memory,
            timeout=Duration.seconds(size.seconds),
            ephemeral_storage_size=CdkSize.mebibytes(size.disk),
            environment={**LIBRARY_VARIABLES, **variables(environment)},
            role=self.role,
            log_group=self.log_group,
            tracing=lambda_.Tracing.ACTIVE if traced else lambda_.Tracing.DISABLED,
            description=f"Dropforge: {id}",
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        )
        self.target = self._target(warmth)
        """What callers invoke: the function, or its alias."""
        acknowledge(self.role, "IAM5[Resource::*]", "X-Ray takes segments without a resource; so does PutMetricData.")
        acknowledge(self.function, "L1", "3.13 is the newest runtime that every pinned wheel was tested on.")

    def _target(self, warmth: Warmth | None) -> lambda_.IFunction:
        """An alias where snapshots or provisioned instances are used: both belong to a published version."""
        if warmth is None or not (warmth.snap_start or warmth.provisioned):
            return self.function
        return lambda_.Alias(
            self,
            "Alias",
            alias_name="live",
            version=self.function.current_version,
            provisioned_concurrent_executions=warmth.provisioned or None,
        )

    def allow_counting(self, namespace: str) -> None:
        """Lets the function write metrics, into this namespace alone, and tells it the namespace."""
        for name, value in variables(MetricSettings(namespace)).items():
            self.function.add_environment(name, value)
        self.allow(
            ["cloudwatch:PutMetricData"], ["*"], conditions={"StringEquals": {"cloudwatch:namespace": namespace}}
        )

    def allow(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        why: str = "",
        conditions: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Grants exactly these actions on these resources; `why` justifies wildcards among the resources."""
        acknowledge_wildcards(self.role, [resource for resource in resources if resource != "*"], why)
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
        )
