"""What things cost: AWS's list prices in one dated table, and a deployment's own prices where it pays others.

Noted on 30 November 2026. Source: the public price pages of each service for us-east-1, on demand. The program does not
look prices up; other regions differ, some by half, and so may contracts: `Prices` holds what a deployment pays instead.
Whoever changes a price changes `DATE` with it. Training instances are in `instances.PRICES`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.contract.instances import INSTANCE_TYPE
from dropforge.contract.instances import PRICES as TRAINING
from dropforge.contract.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.contract.instances import Place

DATE, REGION = "2026-11-30", "us-east-1"
HOURS = 730
"""Hours of a month, as AWS counts them."""


class Price(NamedTuple):
    """What one unit costs."""

    dollars: float
    unit: str
    free: float = 0.0
    """Units a month that every account has free, without end; all stacks of the account share them."""


MILLION = 1_000_000

PRICES = {
    "alarm": Price(0.10, "alarms, a month", 10),
    "dashboard": Price(3.00, "dashboards, a month", 3),
    "metric": Price(0.30, "custom metrics, a month", 10),
    "log_bytes": Price(0.50, "GB written to logs", 5),
    "key": Price(1.00, "KMS keys, a month"),
    "key_requests": Price(0.03 / 10_000, "requests to KMS", 20_000),
    "object_bytes": Price(0.023, "GB in S3, a month"),
    "object_puts": Price(0.005 / 1_000, "requests to S3 that write or list"),
    "object_gets": Price(0.0004 / 1_000, "objects read from S3"),
    "table_bytes": Price(0.25, "GB in DynamoDB, a month", 25),
    "table_backup_bytes": Price(0.20, "GB of point-in-time recovery, a month"),
    "table_writes": Price(0.625 / MILLION, "rows written"),
    "table_reads": Price(0.125 / MILLION, "rows read"),
    "image_bytes": Price(0.10, "GB of images in ECR, a month"),
    "function_requests": Price(0.20 / MILLION, "invocations", MILLION),
    "function_seconds": Price(0.0000166667, "GB-seconds of functions", 400_000),
    "api_requests": Price(3.50 / MILLION, "requests to the REST API"),
    "transitions": Price(0.025 / 1_000, "state transitions", 4_000),
    "events": Price(1.00 / MILLION, "events of S3"),
    "traces": Price(5.00 / MILLION, "traces recorded by X-Ray", 100_000),
    "serverless_seconds": Price(0.00002, "GB-seconds of a serverless endpoint"),
}
"""The services' prices by what is counted."""

ENDPOINTS = {"ml.m5.large": 0.115, "ml.m5.xlarge": 0.23}
"""US dollars an hour of an instance behind a SageMaker real-time endpoint."""

ENDPOINT = "endpoint:"
"""What stands before an instance type that serves; alone it trains."""
SPOT = "spot_share"
"""The name of the share of the on-demand price that a run on spot is expected to cost."""


class Prices(NamedTuple):
    """The prices of a deployment: AWS's list, and its own where its region or its contract has others.

    Example: `Prices.of({"ml.m5.xlarge": 0.276, "spot_share": 0.4}).cost("ml.m5.xlarge", 3600)` is 0.276.
    """

    own: Mapping[str, float] = {}
    """US dollars by name: an instance type that trains, `endpoint:` and one that serves, a name of `PRICES`, or `SPOT`,
    which is a share."""

    @classmethod
    def of(cls, pairs: Mapping[str, Any]) -> Prices:
        """Reads numbers, or texts of numbers, by name.

        Raises:
            ValueError: a name that has no price, with the nearest; or something that is no price.
        """
        return cls({name: _dollars(name, value) for name, value in pairs.items()})

    @classmethod
    def from_text(cls, text: str) -> Prices:
        """Reads what `text` wrote; empty for the list."""
        return cls(json.loads(text)) if text else LIST

    @property
    def text(self) -> str:
        """Its own prices of training and `SPOT` as JSON, for the functions that read them; empty if there are none."""
        own = {name: value for name, value in self.own.items() if name == SPOT or name in self.training}
        return json.dumps(own, sort_keys=True, separators=(",", ":")) if own else ""

    @property
    def training(self) -> dict[str, float]:
        """US dollars an hour of training on demand, by instance type: all types whose price is known."""
        own = {name: value for name, value in self.own.items() if INSTANCE_TYPE.fullmatch(name)}
        return {**TRAINING, **own}

    @property
    def endpoints(self) -> dict[str, float]:
        """US dollars an hour of an instance behind a real-time endpoint."""
        return {name: self.own.get(f"{ENDPOINT}{name}", dollars) for name, dollars in ENDPOINTS.items()}

    def unit(self, name: str) -> Price:
        """The price of one unit of a service, by a name of `PRICES`."""
        price = PRICES[name]
        return price._replace(dollars=self.own.get(name, price.dollars))

    def cost(self, instance_type: str, billable_seconds: float) -> float:
        """US dollars of `billable_seconds` on one instance. Managed spot is cheaper by having fewer of them."""
        return round(self.training[instance_type] * billable_seconds / 3600, 6)

    def expected(self, place: Place, seconds: float) -> float:
        """US dollars of a job that takes `seconds`: an upper bound, unless the deployment names its `SPOT`."""
        share = self.own.get(SPOT, 1.0) if place.spot else 1.0
        return round(self.cost(place.instance_type, seconds) * share, 6)


LIST = Prices()
"""AWS's list prices."""


def _dollars(name: str, value: Any) -> float:
    """The price that a deployment gives under a name."""
    known = [SPOT, *TRAINING, *PRICES, *(f"{ENDPOINT}{each}" for each in ENDPOINTS)]
    if name not in known and not INSTANCE_TYPE.fullmatch(name):
        near = did_you_mean(name, known)
        raise ValueError(f"{name!r}: no such price; {near}expected an instance type or one of {', '.join(known)}")
    try:
        dollars = float(value)
    except (TypeError, ValueError):
        dollars = -1.0
    most = 1.0 if name == SPOT else float("inf")
    if isinstance(value, bool) or not 0 <= dollars <= most or dollars == float("inf"):
        expected = "a share from 0 to 1" if name == SPOT else "US dollars, 0 or more"
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
    return dollars
