"""The settings of a deployment, read from CDK context in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from constructs import Node

Packaging = Literal["full", "code"]


@dataclass(frozen=True)
class Settings:
    """What a deployment can choose; everything else is the same everywhere."""

    packaging: Packaging = "full"
    """`full` packs the functions' dependencies with them, `code` leaves them to the Python that runs them."""
    training_image: str = ""
    """An image that exists; empty builds one from training_container/Dockerfile."""
    remove_data: bool = False
    """Whether buckets, table and key go with the stack: only when two switches say so."""

    @classmethod
    def from_context(cls, node: Node) -> Settings:
        """The settings that `cdk.json` and `-c` give.

        Raises:
            ValueError: an unknown way of packaging.
        """
        packaging: Packaging = node.try_get_context("dropforge:packaging") or "full"
        if packaging not in ("full", "code"):
            raise ValueError(f"dropforge:packaging: expected 'full' or 'code', got {packaging!r}")
        switches = [node.try_get_context(f"dropforge:{name}") for name in ("remove-data", "yes-remove-data")]
        return cls(
            packaging=packaging,
            training_image=node.try_get_context("dropforge:training-image") or "",
            remove_data=all(str(switch).lower() == "true" for switch in switches),
        )
