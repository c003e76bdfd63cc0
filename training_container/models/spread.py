"""Folds over the devices of a machine: all in this process on one, a process each where there are several GPUs.

Folds share nothing while they train, so nothing has to be exchanged: each process gets the rows and its folds and gives
their weights back. Why no torchrun: `docs/decisions/0020-a-process-a-gpu.md`.
"""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from training_container.budget import Budget
from training_container.models.adamw import PackedWeights
from training_container.models.network import PackedCore
from training_container.models.packed_training import Trained, Trainer
from training_container.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.synchronize import Event

    from torch import nn

    from training_container.models.family import After, Problem
    from training_container.models.network import Settings
    from training_container.progress import Progress

POLL_SECONDS = 0.5
"""Seconds between two looks whether the budget was cut."""


@dataclass(frozen=True)
class Share:
    """What one process trains."""

    problem: Problem
    """On the CPU."""
    device: torch.device
    configurations: Sequence[Settings]
    name: str
    folds: tuple[int, ...]
    seconds: float
    progress: Progress


def devices() -> list[torch.device]:
    """All GPUs, or the CPU."""
    return [torch.device("cuda", number) for number in range(torch.cuda.device_count())] or [torch.device("cpu")]


def train(problem: Problem, configurations: Sequence[Settings], name: str, budget: Budget, progress: Progress,
          after: After | None = None) -> list[list[Trained | None]]:  # fmt: skip
    """Trains every fold under every configuration: what each device leaves of each configuration.

    A training that `after` may end early (one of many trials) stays on one device.
    """
    places = devices()[: len(problem.folds)]
    if len(places) == 1 or after is not None:
        trainer = Trainer(problem, configurations, name)
        trainer.run(budget, progress, after)
        return [trainer.trained()]
    return _together(shares(problem, configurations, name, budget, progress, places), budget)


def shares(problem: Problem, configurations: Sequence[Settings], name: str, budget: Budget, progress: Progress,
           places: Sequence[torch.device]) -> list[Share]:  # fmt: skip
    """The folds dealt to the devices in turn; the first one's process tells how far all are."""
    local, shares = problem.on(torch.device("cpu")), []
    for number, place in enumerate(places):
        folds = tuple(range(number, len(problem.folds), len(places)))
        reporting = progress if number == 0 else SilentProgress()
        shares.append(
            Share(local, place, configurations, f"{name}/{number + 1}-of-{len(places)}", folds, budget.left, reporting)
        )
    return shares


def _together(shares: Sequence[Share], budget: Budget) -> list[list[Trained | None]]:
    context = multiprocessing.get_context("spawn")  # a process with threads must not be forked
    cut = context.Event()
    with ProcessPoolExecutor(len(shares), context, initializer=_begin, initargs=(cut,)) as pool:
        # as bytes: tensors would go by shared memory, of which a container has little
        results = [pool.submit(_train, pickle.dumps(share)) for share in shares]
        try:
            while wait(results, timeout=POLL_SECONDS).not_done:
                if budget.stopped:
                    cut.set()
        except BaseException:
            cut.set()  # leaving waits for the processes
            raise
        return [pickle.loads(result.result()) for result in results]


_cut: list[Any] = []
"""Of a worker: the event that ends its budget."""


def _begin(cut: Event) -> None:
    _cut[:] = [cut]
    torch.set_num_threads(1)


def _train(content: bytes) -> bytes:
    share: Share = pickle.loads(content)
    if share.device.type == "cuda":
        torch.cuda.set_device(share.device)
    trainer = Trainer(share.problem.on(share.device), share.configurations, share.name, share.folds)
    trainer.run(Budget(share.seconds / 60, cut=_cut[0]), share.progress)
    return pickle.dumps(trainer.trained())


def whole(problem: Problem, settings: Settings, parts: Sequence[Trained]) -> PackedCore:
    """The network of all folds, on the problem's device."""
    core = PackedCore(problem, settings, len(problem.folds)).to(problem.device)
    values = PackedWeights.of(core)
    for part in parts:
        values[list(part.folds)] = part.weights.to(problem.device)
    PackedWeights(core, values).leave()
    return core


def out_of_fold(problem: Problem, tail: nn.Module, parts: Sequence[Trained]) -> np.ndarray:
    """Every row answered by the fold that has not seen it: float32 [N] or [N, classes]."""
    answers = problem.empty()
    for part in parts:
        for fold, margins in zip(part.folds, part.margins, strict=True):
            predicted = tail(margins).numpy()
            answers[problem.folds[fold][1]] = predicted if problem.classes else predicted[:, 0]
    return answers


def curve(parts: Sequence[Trained], name: str) -> list[float]:
    """The mean over the folds of `train` or `validation`, epoch by epoch; who ended earlier stays at the last loss."""
    curves = [getattr(part.history, name) for part in parts]
    most = max(map(len, curves))
    padded = np.array([[*curve, *curve[-1:] * (most - len(curve))] for curve in curves])
    mean_curve: list[float] = np.average(padded, axis=0, weights=[len(part.folds) for part in parts]).tolist()
    return mean_curve
