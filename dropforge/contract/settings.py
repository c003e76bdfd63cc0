"""The environment of every function: written by its construct, read by its handler."""

from __future__ import annotations

from typing import NamedTuple

METRIC_NAMESPACE = "Dropforge"
"""CloudWatch namespace of our own metrics; their dimension is `model`."""

NO_HEALTHY_MODEL = "NoHealthyModel"
"""Count of predict calls whose live model could not be loaded."""


class RegistrySettings(NamedTuple):
    """The functions that read and write the registry alone."""

    registry: str
    """Table name."""


class ClaimSettings(NamedTuple):
    """Claim."""

    registry: str
    image: str
    """Training image by content: a new trainer makes old data new work."""


class InspectSettings(NamedTuple):
    """Inspect."""

    registry: str
    artifacts: str
    """Bucket of runs and models."""
    image: str


class PlanSettings(NamedTuple):
    """Plan."""

    registry: str
    artifacts: str
    piece_bytes: str
    """Size that a piece of a batch is to have."""


class HotSettings(NamedTuple):
    """Predict for one model alone."""

    registry: str
    artifacts: str
    hot: str
    """The model's name."""


class NotifySettings(NamedTuple):
    """Notify."""

    registry: str
    topic: str
    """ARN of the topic that people subscribe to."""
