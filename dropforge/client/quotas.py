"""Quotas of an AWS account that decide whether runs can train and functions can answer, and how to ask for more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropforge.contract.instances import PLACES, SMALL_PLACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dropforge.contract.instances import Place

TRAINING, FUNCTIONS = "sagemaker", "lambda"
"""Service codes."""
CONCURRENCY = "L-B99A9384"
"""Code of Lambda's quota of concurrent executions."""
ENOUGH_CONCURRENCY = 100
"""Concurrent executions that should not be shared by many callers and a batch if there are fewer; a new account may
have 10."""


@dataclass(frozen=True)
class Quota:
    """One quota of an account."""

    service: str
    code: str
    name: str
    value: float

    def command(self, wanted: int, region: str) -> str:
        """The command that asks for `wanted`."""
        return (
            f"aws service-quotas request-service-quota-increase --region {region} --service-code {self.service} "
            f"--quota-code {self.code} --desired-value {wanted}"
        )

    def link(self, region: str) -> str:
        """The page of the console where more can be asked for."""
        return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/{self.service}/quotas/{self.code}"


def quota_name(place: Place) -> str:
    """SageMaker's name for the quota of a place."""
    return f"{place.instance_type} for {'spot ' if place.spot else ''}training job usage"


def training_quotas(client: Callable[[str], Any], places: Sequence[Place] | None = None) -> dict[Place, Quota | None]:
    """The quota of every place where a run may train, in their order; None where the region has no such quota.

    Args:
        client: makes boto3 clients.
        places: the places; those that a stack uses by default.
    """
    found = {quota.name: quota for quota in _quotas(client("service-quotas"))}
    return {place: found.get(quota_name(place)) for place in places or (*SMALL_PLACES, *PLACES)}


def _quotas(service_quotas: Any) -> Iterator[Quota]:
    """SageMaker has thousands of quotas and no search: all pages are read."""
    more: dict[str, str] = {}
    while True:
        page = service_quotas.list_service_quotas(ServiceCode=TRAINING, MaxResults=100, **more)
        for quota in page["Quotas"]:
            yield Quota(TRAINING, quota["QuotaCode"], quota["QuotaName"], quota["Value"])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def concurrency_quota(client: Callable[[str], Any]) -> Quota:
    """How many executions of functions the account and region allow at a time."""
    limit = client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    return Quota(FUNCTIONS, CONCURRENCY, "Concurrent executions", limit)
