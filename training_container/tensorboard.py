"""TensorBoard logs: a folder a family, with its learning curves; scores are `scoring.telling`'s."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from training_container.tasks.table.selection import Trial

POINTS = 300
"""Most points of one curve; longer ones are thinned evenly, their last point kept."""


def thinned(values: list[float]) -> list[tuple[int, float]]:
    """(iteration, value) pairs, at most `POINTS` and the last."""
    step = max(1, len(values) // POINTS)
    places = sorted({*range(0, len(values), step), len(values) - 1}) if values else []
    return [(at, values[at]) for at in places]


def write_tensorboard(folder: Path, trials: tuple[Trial, ...]) -> None:
    """Writes `<folder>/<family>/events.out.tfevents.<family>` for every trial."""
    for trial in trials:
        write_scalars(folder, trial.name, trial.fitted.curves, {})


def write_scalars(folder: Path, model: str, curves: dict[str, list[float]], scores: dict[str, float]) -> None:
    """Writes `<folder>/<model>/events.out.tfevents.<model>`: the curves, and each score under `validation/`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages that TensorBoard looks for and this project does not need
        from torch.utils.tensorboard import SummaryWriter
    place = folder / model
    with SummaryWriter(log_dir=str(place)) as writer:
        for name, values in curves.items():
            for at, value in thinned(values):
                writer.add_scalar(name, value, at)
        for name, value in scores.items():
            writer.add_scalar(f"validation/{name}", value, 0)
    for number, path in enumerate(sorted(place.iterdir())):  # the given name holds this machine's
        path.rename(place / f"events.out.tfevents.{number}.{model}")
