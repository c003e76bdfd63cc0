"""The settings of a deployment, read from CDK context in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cdk_app.image_settings import ImageChoice
from dropforge.contract.hops import WITHOUT_GPU_CHOICES, WithoutGpu
from dropforge.contract.names import check_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Node

Packaging = Literal["full", "code"]


@dataclass(frozen=True)
class Warmth:
    """Ways to make cold starts rarer or shorter, which cost money while nobody calls."""

    snap_start: bool = False
    """Whether functions that predict start from a snapshot (SnapStart)."""
    provisioned: int = 0
    """Provisioned concurrency: how many instances of each function stand by."""

    def __post_init__(self) -> None:
        if self.snap_start and self.provisioned:
            raise ValueError(
                "dropforge:snap-start and dropforge:provisioned-concurrency: expected one of them, got both; "
                "Lambda has no provisioned concurrency for functions with SnapStart"
            )


@dataclass(frozen=True)
class Settings:
    """What a deployment can choose; everything else is the same in every deployment."""

    packaging: Packaging = "full"
    """`full` packs functions with their dependencies; `code` relies on the packages of the Python that runs them."""
    images: ImageChoice = ImageChoice()
    """The training images, and how they are built."""
    without_gpu: WithoutGpu = "fail-over"
    """What a training job does that does not see the GPU of its machine."""
    remove_data: bool = False
    """Whether buckets, table and key are deleted with the stack, which takes two switches."""
    warmth: Warmth = Warmth()
    """Warmth of the function that predicts for every model."""
    hot: Mapping[str, Warmth] = field(default_factory=dict)
    """Warmth of the function of each model that has one of its own, by the model's name."""
    detailed_metrics: bool = False
    """Whether API Gateway measures every route by itself, for $1.50 a month and called route; no alarm needs it."""
    trace_calls: bool = False
    """Whether X-Ray traces calls of the API: up to $5 a million, more than the calls. Runs are always traced."""

    @classmethod
    def from_context(cls, node: Node) -> Settings:
        """Reads the settings from `cdk.json` and the `-c` options.

        Raises:
            ValueError: an unknown packaging or other choice, a count that is no number, two kinds of warmth at once, or
                an invalid model name.
        """
        packaging: Packaging = node.try_get_context("dropforge:packaging") or "full"
        if packaging not in ("full", "code"):
            raise ValueError(f"dropforge:packaging: expected 'full' or 'code', got {packaging!r}")
        without_gpu: WithoutGpu = node.try_get_context("dropforge:without-gpu") or WITHOUT_GPU_CHOICES[0]
        if without_gpu not in WITHOUT_GPU_CHOICES:
            choices = " or ".join(map(repr, WITHOUT_GPU_CHOICES))
            raise ValueError(f"dropforge:without-gpu: expected {choices}, got {without_gpu!r}")
        snap_start = _switch(node, "snap-start")
        provisioned = _count(node.try_get_context("dropforge:provisioned-concurrency"), "provisioned-concurrency")
        return cls(
            packaging=packaging,
            images=ImageChoice.from_context(node),
            without_gpu=without_gpu,
            remove_data=_switch(node, "remove-data") and _switch(node, "yes-remove-data"),
            warmth=Warmth(snap_start, provisioned),
            hot=_hot(node.try_get_context("dropforge:hot-models") or "", snap_start),
            detailed_metrics=_switch(node, "detailed-metrics"),
            trace_calls=_switch(node, "trace-calls"),
        )


def _switch(node: Node, name: str) -> bool:
    return str(node.try_get_context(f"dropforge:{name}") or "").lower() == "true"


def _hot(models: str, snap_start: bool) -> dict[str, Warmth]:
    """Parses `houses=2,income`: a function for each model, with two provisioned instances for the first."""
    hot = {}
    for part in filter(None, (part.strip() for part in models.split(","))):
        name, _, count = part.partition("=")
        provisioned = _count(count, f"hot-models: {name}")
        hot[check_model(name)] = Warmth(snap_start and not provisioned, provisioned)
    return hot


def _count(value: str | int | None, name: str) -> int:
    text = str(value or 0)
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"dropforge:{name}: expected a whole number, got {value!r}")
    return int(text)
