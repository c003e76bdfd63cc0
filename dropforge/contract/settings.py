"""The environment of every function: written by its construct, read by its handler."""

from __future__ import annotations

from typing import NamedTuple

NO_HEALTHY_MODEL = "NoHealthyModel"
"""Count of predict calls whose live model could not be loaded, in the namespace of the stack."""

UNKNOWN_VALUES_METRIC = "UnknownValues"
"""Count of the values that a model did not know, in requests that it answered nevertheless."""

GPU_NOT_SEEN_METRIC = "GpuNotSeen"
"""Count of training jobs that did not see the GPU of their machine."""


class RegistrySettings(NamedTuple):
    """Settings of the functions that only use the registry."""

    registry: str
    """Name of the registry table."""


class ClaimSettings(NamedTuple):
    """Settings of Claim."""

    registry: str
    image: str
    """The training image, identified by content: a new trainer turns old data into new work."""


class InspectSettings(NamedTuple):
    """Settings of Inspect."""

    registry: str
    artifacts: str
    """Bucket of runs and models."""
    image: str
    places: str
    """The places to train as `ml.g6.xlarge:spot,ml.m5.xlarge`; empty for `instances.PLACES`."""
    most_cost: str
    """The most US dollars that a training job may cost; empty for any."""
    prices: str
    """The deployment's own prices of training, as `prices.Prices` writes them; empty for AWS's list."""


class JudgeSettings(NamedTuple):
    """Settings of Judge."""

    registry: str
    artifacts: str
    prices: str
    """As `InspectSettings` has them."""


class RehearseSettings(NamedTuple):
    """Settings of Rehearse."""

    registry: str
    artifacts: str
    predict: str
    """ARN of the prediction function, or of its alias."""


class PromoteSettings(NamedTuple):
    """Settings of Promote."""

    registry: str
    artifacts: str
    rollouts: str
    """ARN of the state machine of rollouts."""


class LiveSettings(NamedTuple):
    """Settings of Live."""

    registry: str
    rollouts: str
    """ARN of the state machine of rollouts."""


class WeighSettings(NamedTuple):
    """Settings of Weigh."""

    registry: str
    artifacts: str
    topic: str
    """ARN of the topic that people subscribe to."""


class PlanSettings(NamedTuple):
    """Settings of Plan."""

    registry: str
    artifacts: str
    piece_bytes: str
    """Target size of a piece of a batch, in bytes."""


class MetricSettings(NamedTuple):
    """Settings of every function that counts something, beside its own."""

    namespace: str
    """CloudWatch namespace of the stack's own metrics, whose dimension is `model`."""


class HotSettings(NamedTuple):
    """Settings of a predict function for a single model."""

    registry: str
    artifacts: str
    hot: str
    """The model's name."""


class ReconcileSettings(NamedTuple):
    """Settings of Reconcile."""

    registry: str
    drops: str
    """The drop bucket."""
    machine: str
    """ARN of the state machine that trains."""
    batch_machine: str
    topic: str
    """ARN of the topic that people subscribe to."""
    rollouts: str
    """ARN of the state machine of rollouts."""


class NotifySettings(NamedTuple):
    """Settings of Notify."""

    registry: str
    topic: str
    """ARN of the topic that people subscribe to."""


class ImageSettings(NamedTuple):
    """Settings of the function that has training images built."""

    project: str
    """Name of the CodeBuild project."""
    repository: str
    """Name of the ECR repository."""
