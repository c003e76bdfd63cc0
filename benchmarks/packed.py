"""Thirty-two ensembles of the neural family, 4 folds under 8 configurations: one program against one after another.

Run it by `make bench-packed`. The reference is the loop that people write: torch's AdamW, clipping, a one-cycle rate, a
moving average, the best epoch kept; one ensemble (TabM-mini, of two members) at a time. Both see the same features, as
many epochs, and judge every epoch. `EPOCHS` and `ROWS` shorten it.
"""

from __future__ import annotations

import copy
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from benchmarks.report import Row, publish
from dropforge.contract.results import PRIMARY
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare
from examples.datasets import SOURCES, load
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.devices import use_cores
from training_container.encoding import Encoder
from training_container.models.data import assign_folds
from training_container.models.network import PackedCore, Settings
from training_container.models.packed_training import Trainer
from training_container.models.scales import RegressionTail
from training_container.progress import SilentProgress
from training_container.tasks.table.selection import pose

if TYPE_CHECKING:
    from collections.abc import Callable

    from training_container.models.family import Problem

SET = "houses"
FOLDS = 4
EPOCHS = int(os.environ.get("EPOCHS", "10"))
CONFIGURATIONS = [
    Settings(epochs=EPOCHS, patience=EPOCHS, rate=rate, dropout=dropout)
    for rate in (1e-3, 2e-3, 3e-3, 5e-3)
    for dropout in (0.0, 0.1)
]


def main() -> None:
    """Both ways on the same rows, the one after the other."""
    use_cores()
    problem = posed()
    Trainer(problem, CONFIGURATIONS[:1], "neural").pace()  # what torch does once is neither's
    ensembles = FOLDS * len(CONFIGURATIONS)
    packed, packed_seconds = timed(lambda: together(problem))
    alone, alone_seconds = timed(lambda: one_by_one(problem))
    hour = f"ensembles an hour, {ensembles} of {EPOCHS} epochs on {len(problem.target):,} rows, {problem.device.type}"
    peer = "one after another"
    publish("packed", [
        Row(hour, 3600 * ensembles / packed_seconds, "1/h", "higher", None, peer, 3600 * ensembles / alone_seconds),
        Row("the same as a ratio", alone_seconds / packed_seconds, "ratio", "higher",
            10 if problem.device.type == "cuda" else None),
        Row("mean out-of-fold RMSE over the configurations", float(np.mean(packed)), "rmse", "lower", None, peer,
            float(np.mean(alone))),
        Row("least of the configurations", min(packed), "rmse", "lower", None, peer, min(alone)),
    ], ["torch"], ["EPOCHS", "ROWS"])  # fmt: skip


def posed() -> Problem:
    """The problem on the device, its rows dealt into four folds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.csv"
        load(SET).head(int(os.environ.get("ROWS", "1000000"))).write_csv(path)
        dataset = prepare([path], Options(target=SOURCES[SET].target))
    encoder = Encoder.learn(dataset.columns, dataset.learning.columns)
    problem = pose(dataset, encoder, PRIMARY[dataset.task], 0, Checkpoints())
    problem.fold[:] = assign_folds(problem.target, problem.classes, FOLDS)
    assert problem.scale is not None  # chosen now, for it is nobody's training
    return problem


def timed(work: Callable[[], list[float]]) -> tuple[list[float], float]:
    """What it answers, and the seconds that it took."""
    start = time.monotonic()
    found = work()
    return found, time.monotonic() - start


def together(problem: Problem) -> list[float]:
    """Out-of-fold RMSE of each configuration, all of one program."""
    trainer = Trainer(problem, CONFIGURATIONS, "neural")
    trainer.run(Budget(1e6), SilentProgress())
    return [rmse(problem, each.margins) for each in trainer.trained() if each is not None]


def one_by_one(problem: Problem) -> list[float]:
    """Out-of-fold RMSE of each configuration, an ensemble at a time."""
    found = []
    for at, settings in enumerate(CONFIGURATIONS, start=1):
        found.append(rmse(problem, [Alone(problem, settings, fold).train() for fold in range(FOLDS)]))
        print(f"one after another: {at * FOLDS} of {len(CONFIGURATIONS) * FOLDS}", flush=True)
    return found


def rmse(problem: Problem, margins: list[torch.Tensor]) -> float:
    """Of every row, answered by the fold that has not seen it."""
    answers, scale = problem.empty(), problem.scale
    assert scale is not None
    for (_, held), each in zip(problem.folds, margins, strict=True):
        answers[held] = RegressionTail(scale)(each)[:, 0].numpy()
    return problem.score(answers)["rmse"]


class Alone:
    """The usual training loop, of one ensemble on one fold."""

    def __init__(self, problem: Problem, settings: Settings, fold: int) -> None:
        torch.manual_seed(problem.seed)
        self.settings, scale = settings, problem.scale
        assert scale is not None
        self.core = PackedCore(problem, settings, 1).to(problem.device)
        self.core.net.kept.fill_(1 - settings.dropout)
        self.average = copy.deepcopy(self.core).eval()
        with torch.no_grad():
            self.dense = self.core.dense(problem.rows.groups)
        self.codes = problem.rows.codes
        self.target = torch.from_numpy(scale.encode(problem.target)).float().to(problem.device)
        self.learn, self.held = (torch.from_numpy(rows).to(problem.device) for rows in problem.folds[fold])
        self.optimizer = torch.optim.AdamW(self.core.parameters(), lr=settings.rate, weight_decay=settings.decay)
        steps = settings.epochs * -(-len(self.learn) // settings.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.rate, total_steps=steps + 1, pct_start=0.15
        )

    def train(self) -> torch.Tensor:
        """The margins of the held rows at the best epoch, on the CPU: [rows, 1]."""
        best, least = self.held_margins(), float("inf")
        for _ in range(self.settings.epochs):
            self.core.train()
            order = self.learn[torch.randperm(len(self.learn), device=self.learn.device)]
            for rows in torch.split(order, self.settings.batch):
                self.step(rows)
            margins = self.held_margins()
            loss = float(((margins[:, 0] - self.target[self.held]) ** 2).mean())
            if loss < least:
                best, least = margins, loss
        return best.cpu()

    def step(self, rows: torch.Tensor) -> None:
        """On a mini-batch."""
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=rows.device.type == "cuda"):
            margins = self.core.margins(self.dense[rows][None], self.codes[rows][None])
        loss = ((margins.float()[0, :, :, 0] - self.target[rows]) ** 2).mean()
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.core.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.core.parameters(), strict=True):
                mean.lerp_(new, 1 - self.settings.average)

    @torch.no_grad()
    def held_margins(self) -> torch.Tensor:
        """Of the averaged ensemble: [rows, 1]."""
        parts = [self.average.margins(self.dense[part][None], self.codes[part][None]).mean(dim=(0, 1))
                 for part in torch.split(self.held, 2048)]  # fmt: skip
        return torch.cat(parts)


if __name__ == "__main__":
    main()
