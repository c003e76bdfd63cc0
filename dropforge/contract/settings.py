"""The environment of every function: written by its construct, read by its handler."""

from __future__ import annotations

from dataclasses import dataclass

from dropforge.contract.environment import Environment

METRIC_NAMESPACE = "Dropforge"
"""CloudWatch namespace of our own metrics; their dimension is `model`."""

NO_HEALTHY_MODEL = "NoHealthyModel"
"""Count of predict calls whose live model could not be loaded."""


@dataclass(frozen=True)
class RegistrySettings(Environment):
    """For the functions that read and write the registry alone (Claim, Promote, Notify, Catalog build on it)."""

    registry: str
    """Table name."""


@dataclass(frozen=True)
class ClaimSettings(RegistrySettings):
    """Claim."""

    image: str
    """Training image by content: a new trainer makes old data new work."""


@dataclass(frozen=True)
class InspectSettings(RegistrySettings):
    """Inspect."""

    artifacts: str
    """Bucket of runs and models."""
    image: str


@dataclass(frozen=True)
class ArtifactSettings(RegistrySettings):
    """Judge, Register, Catalog and Predict; of a batch Answer and Join."""

    artifacts: str


@dataclass(frozen=True)
class PlanSettings(ArtifactSettings):
    """Plan."""

    piece_bytes: str
    """Size that a piece of a batch is to have."""


@dataclass(frozen=True)
class HotSettings(ArtifactSettings):
    """Predict for one model alone."""

    hot: str
    """The model's name."""


@dataclass(frozen=True)
class NotifySettings(RegistrySettings):
    """Notify."""

    topic: str
    """ARN of the topic that people subscribe to."""
