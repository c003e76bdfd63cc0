"""The scores as progress lines on standard output, where SageMaker's metric definitions read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from training_container.progress import Progress


def log_scores(metrics: Metrics, progress: Progress) -> None:
    """Prints one line a candidate with its validation score, then one with the hold-out's."""
    metric = metrics.metric
    for candidate in metrics.candidates:
        if metric in candidate.validation:
            score = candidate.validation[metric]
            progress.update(0.5, model=candidate.name, metric=metric, validation_score=score)
    values: dict[str, object] = {"model": metrics.chosen, "metric": metric, "notes": len(metrics.notes)}
    if metric in metrics.holdout and metric in metrics.baseline:
        values |= {"holdout": metrics.holdout[metric], "baseline": metrics.baseline[metric]}
    if metric in metrics.intervals:
        values |= {"holdout_low": metrics.intervals[metric].low, "holdout_high": metrics.intervals[metric].high}
    if metric in metrics.gains:
        gain = metrics.gains[metric]
        values |= {"gain": gain.value, "gain_low": gain.interval.low, "gain_high": gain.interval.high}
    progress.update(1.0, **values)
