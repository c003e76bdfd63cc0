"""Where a run may train, in order of preference, and what an hour costs there.

Prices are SageMaker training on demand, us-east-1, US dollars an hour, from the public price list of autumn 2026;
managed spot is billed by the seconds that the job reports, so a forecast uses the on-demand price and is an upper
bound.
"""

from __future__ import annotations

from dropforge.contract.documents import Record

PRICES = {"ml.g6.xlarge": 1.127, "ml.g5.xlarge": 1.408, "ml.m5.xlarge": 0.23, "ml.m5.4xlarge": 0.922}

OWN_DISK = frozenset({"ml.g6.xlarge", "ml.g5.xlarge"})
"""Types with a local, self-encrypted disk; SageMaker refuses a volume key for them."""


def has_gpu(instance_type: str) -> bool:
    """Whether machines of the type have a GPU: those of the families g and p."""
    return instance_type.startswith(("ml.g", "ml.p"))


class Place(Record):
    """One way to get a machine: an instance type, on spot or on demand."""

    instance_type: str
    spot: bool

    @property
    def price(self) -> float:
        """US dollars per hour, on demand."""
        return PRICES[self.instance_type]


PLACES = (
    Place("ml.g6.xlarge", spot=True),
    Place("ml.g6.xlarge", spot=False),
    Place("ml.g5.xlarge", spot=False),
    Place("ml.m5.4xlarge", spot=False),
)
"""A spot GPU, the same on demand, the next type, then a CPU; a new account often has no GPU quota at all."""


def cost(instance_type: str, billable_seconds: float) -> float:
    """US dollars for `billable_seconds` on one instance, at the on-demand price."""
    return round(PRICES[instance_type] * billable_seconds / 3600, 6)
