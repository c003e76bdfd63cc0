"""Where a run may train, in order of preference, what an hour costs there, and what a machine has.

Prices are SageMaker training on demand, us-east-1, US dollars an hour, as noted on `prices.DATE`; a deployment that
pays other prices says so (`prices.Prices`). Managed spot is billed by fewer seconds, which the job reports, at the same
price: a forecast is an upper bound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dropforge.contract.documents import Record

if TYPE_CHECKING:
    from collections.abc import Collection

PRICES = {
    "ml.g6.xlarge": 1.127,
    "ml.g5.xlarge": 1.408,
    "ml.m5.xlarge": 0.23,
    "ml.m6i.xlarge": 0.23,
    "ml.c5.xlarge": 0.204,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.m6i.4xlarge": 0.922,
    "ml.r5.4xlarge": 1.21,
}
"""US dollars an hour of training on demand in us-east-1. Those of m5, c5, g5 and g6 are AWS's, as independent public
programs repeat them, and so is r5.4xlarge, as four of r5.xlarge's 0.302. Those of m6i are computed, as EC2's price and
a fifth, which is what SageMaker adds for m5, c5 and r5; the one public copy that was found has 0.226 for m6i.xlarge,
2 % less."""

OWN_DISK = re.compile(r"ml\.(?:[a-z]\d[a-z]*d[a-z]*|g[5-9][a-z]*|gr\d|p[4-9][a-z0-9-]*|trn\d[a-z]*|dl\d|i\d[a-z]*)\.")
"""Families with a local, self-encrypted disk (EC2's instance store): those with a `d` behind the number, and every
family of GPUs since g5 and p4, so that a newer one is taken to have it too. SageMaker refuses a volume key for them."""

INSTANCE_TYPE = re.compile(r"ml\.[a-z]+\d[a-z0-9-]*\.(?:medium|large|\d*xlarge)")
"""How SageMaker spells an instance type."""


class Place(Record):
    """One way to get a machine: an instance type, on spot or on demand."""

    instance_type: str
    spot: bool

    @property
    def name(self) -> str:
        """The place as people read it: `ml.g6.xlarge on spot`."""
        return f"{self.instance_type} on spot" if self.spot else self.instance_type


def parse_place(text: str, priced: Collection[str] = tuple(PRICES)) -> Place:
    """A place from `ml.m5.xlarge`, or `ml.g6.xlarge:spot` for spot.

    Args:
        priced: the types whose price is known.

    Raises:
        ValueError: a type whose price is not known, or something else than `spot` behind it.
    """
    name, _, kind = text.partition(":")
    if name not in priced or kind not in ("", "spot"):
        raise ValueError(
            f"{text!r}: expected one of {', '.join(priced)}, with ':spot' behind it for spot; "
            "dropforge:prices gives the price of another type"
        )
    return Place(name, spot=kind == "spot")


def _on_demand(*types: str) -> tuple[Place, ...]:
    return tuple(Place(name, spot=False) for name in types)


PLACES = (
    Place("ml.g6.xlarge", spot=True),
    *_on_demand("ml.g6.xlarge", "ml.g5.xlarge", "ml.m5.4xlarge", "ml.m6i.4xlarge", "ml.m5.2xlarge", "ml.r5.4xlarge"),
)
"""A spot GPU, the same on demand, the next type, then CPUs; a new account often has no GPU quota at all. The last one
has the most memory."""

SMALL_PLACES = _on_demand("ml.m5.xlarge", "ml.m6i.xlarge", "ml.c5.xlarge")
"""The places of small data before all others: a quota of 0 for the first must not lead to a GPU at five times the
price."""

GPU_TYPE = re.compile(r"ml\.[gp]\d")
SIZE = re.compile(r"\.(?:(\d*)x)?large$")
MEMORY_A_CORE = {"c": 2, "m": 4, "r": 8, "g": 4, "p": 8, "t": 4}
"""GiB by the first letter of the instance's family; of most GPU types it is a lower bound."""


def has_own_disk(instance_type: str) -> bool:
    """Whether machines of this type have a disk of their own, so that SageMaker refuses a key for their volume."""
    return OWN_DISK.match(instance_type) is not None


def has_gpu(instance_type: str) -> bool:
    """Whether machines of this type have a GPU; False for an empty or unknown name."""
    return GPU_TYPE.match(instance_type) is not None


def cores(instance_type: str) -> int:
    """Number of virtual cores, by the size in the name: 2 of `large`, 4 of `xlarge`, 16 of `4xlarge`; 0 if unknown."""
    size = SIZE.search(instance_type)
    if size is None:
        return 0
    return 2 if size[1] is None else 4 * int(size[1] or 1)


def memory(instance_type: str) -> int:
    """Main memory in GiB, by the family and the size in the name; 0 if unknown."""
    family = instance_type.removeprefix("ml.")[:1]
    return cores(instance_type) * MEMORY_A_CORE.get(family, 0)
