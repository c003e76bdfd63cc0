"""TensorBoard logs: a run a model with its learning curves, settings and validation scores, and one of the hold-out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.results import Candidate, Metrics

MOST_POINTS = 300
"""Points of one curve at most; longer ones are thinned evenly, their last point kept."""

HOLDOUT_RUN = "holdout"
"""The run of the chosen model's scores on the hold-out; the candidates' runs have their names."""


def thinned(values: list[float]) -> list[tuple[int, float]]:
    """(iteration, value) pairs, at most `MOST_POINTS` and the last."""
    step = max(1, len(values) // MOST_POINTS)
    iterations = sorted({*range(0, len(values), step), len(values) - 1}) if values else []
    return [(iteration, values[iteration]) for iteration in iterations]


def write_scalars(folder: Path, model: str, curves: dict[str, list[float]]) -> None:
    """Writes the curves of one model as `<folder>/<model>/events.out.tfevents.<model>`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages that TensorBoard looks for and this project does not need
        from torch.utils.tensorboard import SummaryWriter
    run = folder / model
    with SummaryWriter(log_dir=str(run)) as writer:
        for name, values in curves.items():
            for iteration, value in thinned(values):
                writer.add_scalar(name, value, iteration)
    for number, path in enumerate(sorted(run.iterdir())):  # TensorBoard's own name holds this machine's
        path.rename(run / f"events.out.tfevents.{number}.{model}")


def write_summaries(folder: Path, metrics: Metrics) -> None:
    """Writes settings and validation scores of every candidate, and the hold-out's scores with their intervals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages that TensorBoard looks for and this project does not need
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams
    for candidate in metrics.candidates:
        run = folder / candidate.name
        with SummaryWriter(log_dir=str(run)) as writer:
            scores = {f"validation/{name}": value for name, value in candidate.validation.items()}
            for summary in hparams(_settings(candidate), scores):  # type: ignore[no-untyped-call]  # torch leaves it so
                writer.file_writer.add_summary(summary)
            for name, value in scores.items():
                writer.add_scalar(name, value, 0)
        _rename(run, candidate.name, "hparams")
    with SummaryWriter(log_dir=str(folder / HOLDOUT_RUN)) as writer:
        for name, value in _scalars(metrics).items():
            writer.add_scalar(name, value, 0)
        for note in metrics.notes:
            writer.add_text("note", note, 0)
    _rename(folder / HOLDOUT_RUN, HOLDOUT_RUN, "scores")


def _settings(candidate: Candidate) -> dict[str, Any]:
    """The settings as TensorBoard takes them: plain values as they are, anything else as text."""
    plain = (str, bool, int, float)
    settings = {name: value if isinstance(value, plain) else str(value) for name, value in candidate.settings.items()}
    return {"model": candidate.name, **settings}


def _scalars(metrics: Metrics) -> dict[str, float]:
    scalars = {f"holdout/{name}": value for name, value in metrics.holdout.items()}
    scalars |= {f"baseline/{name}": value for name, value in metrics.baseline.items()}
    for kind, intervals in (
        ("holdout", metrics.intervals),
        ("gain", {name: gain.interval for name, gain in metrics.gains.items()}),
    ):
        scalars |= {f"{kind}/{name}/low": interval.low for name, interval in intervals.items()}
        scalars |= {f"{kind}/{name}/high": interval.high for name, interval in intervals.items()}
    scalars |= {f"gain/{name}": gain.value for name, gain in metrics.gains.items()}
    if metrics.calibration is not None:
        scalars |= {"calibration/error": metrics.calibration.error, "calibration/brier": metrics.calibration.brier}
    return scalars | {f"importance/{importance.column}": importance.fall for importance in metrics.importances}


def _rename(run: Path, name: str, kind: str) -> None:
    """Renames the event file: TensorBoard's own name holds this machine's."""
    for number, path in enumerate(sorted(run.glob("events.out.tfevents.*"))):
        if not path.name.endswith(f".{name}"):
            path.rename(run / f"events.out.tfevents.{number}.{kind}.{name}")
