"""The live models this process has loaded: the pointer is read anew every few seconds, a model's bytes once."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropforge.contract.settings import METRIC_NAMESPACE, NO_HEALTHY_MODEL
from lambdas.serving.faults import ModelFault
from lambdas.serving.model import ServedModel
from lambdas.shared.artifacts import ArtifactFault, Artifacts
from lambdas.shared.log import log
from lambdas.shared.registry import Registry

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.settings import ArtifactSettings

POINTER_SECONDS = 5.0
"""How long a pointer is believed: the longest that a promotion takes to be seen."""

MOST_MODELS = 8


@dataclass
class Models:
    """Live models by name, loaded by content."""

    settings: ArtifactSettings
    pointers: dict[str, tuple[float, LiveRow | None]] = field(default_factory=dict)
    loaded: OrderedDict[str, ServedModel] = field(default_factory=OrderedDict)

    def live(self, model: str) -> LiveRow | None:
        """The live pointer of a model, at most `POINTER_SECONDS` old.

        Raises:
            ModelFault: the registry cannot be read.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        read, row = self.pointers.get(model, (float("-inf"), None))
        if time.monotonic() - read > POINTER_SECONDS:
            try:
                row = Registry(self.settings.registry).live(model)
            except (BotoCoreError, ClientError) as fault:
                raise ModelFault(f"model {model!r}: its live pointer cannot be read: {fault}") from fault
            self.pointers[model] = (time.monotonic(), row)
            if row is None:
                del self.pointers[model]  # names that nobody has must not fill the memory
        return row

    def load(self, row: LiveRow) -> ServedModel:
        """The model that the pointer names.

        Raises:
            ModelFault: its file is gone, changed, or not to be loaded.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        if row.sha256 not in self.loaded:
            try:
                body = Artifacts(self.settings.artifacts).read_checked(row.artifact, row.sha256)
            except (ArtifactFault, BotoCoreError, ClientError) as fault:
                raise ModelFault(f"model {row.model!r} version {row.version}: {fault}") from fault
            self.loaded[row.sha256] = ServedModel.from_bytes(body, row.sha256)
        self.loaded.move_to_end(row.sha256)
        while len(self.loaded) > MOST_MODELS:
            self.loaded.popitem(last=False)
        return self.loaded[row.sha256]

    def report(self, model: str, fault: ModelFault) -> None:
        """A log line, and a count that the alarm watches: by model, and over all."""
        from botocore.exceptions import BotoCoreError, ClientError

        from lambdas.shared.aws import cloudwatch

        log("no healthy model", step="Predict", model=model, reason=str(fault))
        over_all = {"MetricName": NO_HEALTHY_MODEL, "Value": 1.0, "Unit": "Count"}
        data: Any = [over_all, {**over_all, "Dimensions": [{"Name": "model", "Value": model}]}]
        try:
            cloudwatch().put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=data)
        except (BotoCoreError, ClientError) as lost:  # the caller's answer must not hang on the metric
            log("metric lost", step="Predict", model=model, reason=str(lost))
