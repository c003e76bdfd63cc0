"""/opt/ml of one job: the folders and the configuration files that SageMaker puts there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FAILURE_CHARACTERS = 1024
LOCAL = "local"
"""The type of this machine."""


@dataclass(frozen=True)
class Layout:
    """The folder that takes the place of /opt/ml."""

    root: Path

    @property
    def model(self) -> Path:
        """The folder of the model's files."""
        return self.root / "model"

    @property
    def output(self) -> Path:
        """The folder of everything else that the algorithm writes."""
        return self.root / "output" / "data"

    @property
    def checkpoints(self) -> Path:
        """The folder that is kept equal to the checkpoint prefix on S3."""
        return self.root / "checkpoints"

    def channel(self, name: str) -> Path:
        """The folder of one channel's files."""
        return self.root / "input" / "data" / name

    def failure(self) -> str:
        """The failure message of the algorithm, as much as SageMaker shows of it."""
        file = self.root / "output" / "failure"
        return file.read_text(errors="replace").strip()[:FAILURE_CHARACTERS] if file.is_file() else ""

    def make(self, request: dict[str, Any], *, names_machine: bool = False) -> None:
        """Create the folders and the three configuration files.

        The machine's type is `local`, as in SageMaker's local mode, for this machine has not what the requested one
        has; `names_machine` gives the requested type.
        """
        config = self.root / "input" / "config"
        for folder in (config, self.model, self.output, self.checkpoints):
            folder.mkdir(parents=True)
        channels = request.get("InputDataConfig", [])
        for channel in channels:
            self.channel(channel["ChannelName"]).mkdir(parents=True)
        instance = request["ResourceConfig"].get("InstanceType", "") if names_machine else LOCAL
        files = {
            "hyperparameters": request.get("HyperParameters", {}),
            "inputdataconfig": {channel["ChannelName"]: _channel(channel) for channel in channels},
            "resourceconfig": {
                "current_host": "algo-1",
                "current_instance_type": instance,
                "current_group_name": "homogeneousCluster",
                "hosts": ["algo-1"],
                "instance_groups": [
                    {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": ["algo-1"]}
                ],
                "network_interface_name": "lo",
            },
        }
        for name, value in files.items():
            (config / f"{name}.json").write_text(json.dumps(value))


def _channel(channel: dict[str, Any]) -> dict[str, Any]:
    source = channel["DataSource"]["S3DataSource"]
    return {
        "ContentType": channel.get("ContentType"),
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
