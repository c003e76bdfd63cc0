"""What can be read from the lines that training prints, `dropforge key=value …`: the metric definitions of its jobs.

Written here once, so that SageMaker looks for what the trainer prints: a test holds every definition against a run.
"""

from __future__ import annotations

LINE_METRICS = (
    "progress",
    "train_loss",
    "validation_loss",
    "validation_score",
    "holdout",
    "holdout_low",
    "holdout_high",
    "baseline",
    "gain",
    "gain_low",
    "gain_high",
)
"""Keys whose values are figures. `validation_score`, `holdout` and `baseline` are of the metric that decides; `_low`
and `_high` are the ends of the 95 % interval; a gain is positive when the model is better than the baseline."""


def definition(name: str) -> dict[str, str]:
    """SageMaker's metric definition of one key; the space keeps `train_loss` apart from a longer key that ends so."""
    return {"Name": name, "Regex": f" {name}=([0-9.eE+-]+)"}
