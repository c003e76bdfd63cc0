"""Counts of our own in CloudWatch, which alarms watch."""

from __future__ import annotations

from typing import Any

from dropforge.contract.environment import load
from dropforge.contract.log import log
from dropforge.contract.settings import MetricSettings
from lambdas.common.aws import cloudwatch


def count(name: str, model: str) -> None:
    """Adds one to the metric `name`: over all, and of the model. A count that is lost fails no run."""
    from botocore.exceptions import BotoCoreError, ClientError

    over_all = {"MetricName": name, "Value": 1.0, "Unit": "Count"}
    data: Any = [over_all, {**over_all, "Dimensions": [{"Name": "model", "Value": model}]}]
    try:
        cloudwatch().put_metric_data(Namespace=load(MetricSettings).namespace, MetricData=data)
    except (BotoCoreError, ClientError) as lost:
        log("metric lost", level="warning", model=model, reason=str(lost))
