"""The settings of a deployment, read from CDK context in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dropforge.contract.names import check_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Node

Packaging = Literal["full", "code"]


@dataclass(frozen=True)
class Warmth:
    """What makes cold starts rarer or shorter, and costs while nobody calls."""

    snap_start: bool = False
    """Whether functions that predict start from a snapshot."""
    provisioned: int = 0
    """How many instances of each stand by."""

    def __post_init__(self) -> None:
        if self.snap_start and self.provisioned:
            raise ValueError(
                "dropforge:snap-start and dropforge:provisioned-concurrency: expected one of them, got both; "
                "Lambda has no provisioned concurrency for functions with SnapStart"
            )


@dataclass(frozen=True)
class Settings:
    """What a deployment can choose; everything else is the same everywhere."""

    packaging: Packaging = "full"
    """`full` packs the functions' dependencies with them, `code` leaves them to the Python that runs them."""
    training_image: str = ""
    """An image that exists; empty builds one from training_container/Dockerfile."""
    remove_data: bool = False
    """Whether buckets, table and key go with the stack: only when two switches say so."""
    warmth: Warmth = Warmth()
    """Of the function that predicts for every model."""
    hot: Mapping[str, Warmth] = field(default_factory=dict)
    """Models that have a function of their own, and its warmth."""

    @classmethod
    def from_context(cls, node: Node) -> Settings:
        """The settings that `cdk.json` and `-c` give.

        Raises:
            ValueError: an unknown way of packaging, a number that is none, two kinds of warmth at once, or a model's
                name that cannot be.
        """
        packaging: Packaging = node.try_get_context("dropforge:packaging") or "full"
        if packaging not in ("full", "code"):
            raise ValueError(f"dropforge:packaging: expected 'full' or 'code', got {packaging!r}")
        switches = [node.try_get_context(f"dropforge:{name}") for name in ("remove-data", "yes-remove-data")]
        snap_start = str(node.try_get_context("dropforge:snap-start") or "").lower() == "true"
        provisioned = _count(node.try_get_context("dropforge:provisioned-concurrency"), "provisioned-concurrency")
        return cls(
            packaging=packaging,
            training_image=node.try_get_context("dropforge:training-image") or "",
            remove_data=all(str(switch).lower() == "true" for switch in switches),
            warmth=Warmth(snap_start, provisioned),
            hot=_hot(node.try_get_context("dropforge:hot-models") or "", snap_start),
        )


def _hot(given: str, snap_start: bool) -> dict[str, Warmth]:
    """`houses=2,income`: a function each, two instances of the first standing by."""
    found = {}
    for each in filter(None, (part.strip() for part in given.split(","))):
        name, _, count = each.partition("=")
        provisioned = _count(count, f"hot-models: {name}")
        found[check_model(name)] = Warmth(snap_start and not provisioned, provisioned)
    return found


def _count(given: str | int | None, name: str) -> int:
    text = str(given or 0)
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"dropforge:{name}: expected a whole number, got {given!r}")
    return int(text)
