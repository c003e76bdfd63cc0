"""The scores as they are told while the job runs: metrics lines on standard output, and TensorBoard's summaries."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.results import Candidate, Metrics
    from training_container.progress import Progress

HOLDOUT_RUN = "holdout"
"""TensorBoard's run of the chosen model's scores; the candidates' runs have their names."""


def log_scores(measured: Metrics, progress: Progress) -> None:
    """One line a candidate with its validation score, then one with the hold-out's."""
    metric = measured.metric
    for each in measured.candidates:
        if metric in each.validation:
            progress.update(0.5, model=each.name, metric=metric, validation_score=each.validation[metric])
    values: dict[str, object] = {"model": measured.chosen, "metric": metric, "notes": len(measured.notes)}
    if metric in measured.holdout and metric in measured.baseline:
        values |= {"holdout": measured.holdout[metric], "baseline": measured.baseline[metric]}
    if metric in measured.intervals:
        values |= {"holdout_low": measured.intervals[metric].low, "holdout_high": measured.intervals[metric].high}
    if metric in measured.gains:
        gain = measured.gains[metric]
        values |= {"gain": gain.value, "gain_low": gain.interval.low, "gain_high": gain.interval.high}
    progress.update(1.0, **values)


def write_summaries(folder: Path, measured: Metrics) -> None:
    """Hyperparameters and validation scores of every candidate, and the hold-out's scores with their intervals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages that TensorBoard looks for and this project does not need
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams
    for each in measured.candidates:
        place = folder / each.name
        with SummaryWriter(log_dir=str(place)) as writer:
            scores = {f"validation/{name}": value for name, value in each.validation.items()}
            for summary in hparams(_settings(each), scores):  # type: ignore[no-untyped-call]  # torch leaves it so
                writer.file_writer.add_summary(summary)
            for name, value in scores.items():
                writer.add_scalar(name, value, 0)
        _rename(place, each.name, "hparams")
    with SummaryWriter(log_dir=str(folder / HOLDOUT_RUN)) as writer:
        for name, value in _scalars(measured).items():
            writer.add_scalar(name, value, 0)
        for note in measured.notes:
            writer.add_text("note", note, 0)
    _rename(folder / HOLDOUT_RUN, HOLDOUT_RUN, "scores")


def _settings(candidate: Candidate) -> dict[str, Any]:
    """The settings as TensorBoard takes them: plain values stay, anything else is its text."""
    plain = (str, bool, int, float)
    found = {name: value if isinstance(value, plain) else str(value) for name, value in candidate.settings.items()}
    return {"model": candidate.name, **found}


def _scalars(measured: Metrics) -> dict[str, float]:
    found = {f"holdout/{name}": value for name, value in measured.holdout.items()}
    found |= {f"baseline/{name}": value for name, value in measured.baseline.items()}
    for kind, intervals in (
        ("holdout", measured.intervals),
        ("gain", {name: gain.interval for name, gain in measured.gains.items()}),
    ):
        found |= {f"{kind}/{name}/low": each.low for name, each in intervals.items()}
        found |= {f"{kind}/{name}/high": each.high for name, each in intervals.items()}
    found |= {f"gain/{name}": gain.value for name, gain in measured.gains.items()}
    if measured.calibration is not None:
        found |= {"calibration/error": measured.calibration.error, "calibration/brier": measured.calibration.brier}
    return found | {f"importance/{each.column}": each.fall for each in measured.importances}


def _rename(place: Path, name: str, kind: str) -> None:
    """The event file's given name holds this machine's."""
    for number, path in enumerate(sorted(place.glob("events.out.tfevents.*"))):
        if not path.name.endswith(f".{name}"):
            path.rename(place / f"events.out.tfevents.{number}.{kind}.{name}")
