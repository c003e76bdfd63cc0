"""The run itself: epochs until the time is up or the validation part stops gaining, with a checkpoint each minute.

The learning rate follows the share of the budget that is spent, not a number of epochs fixed beforehand: on a machine
that others use too, the run ends in time, and ends with its cycle complete.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from dropforge.metrics import scores as metrics
from training_container.checkpoints import Checkpoints
from training_container.tasks.images.checkpoint import RunCheckpoint
from training_container.tasks.images.choosing import choose
from training_container.tasks.images.recipe import Recipe
from training_container.tasks.images.state import RunState
from training_container.tasks.images.steps import BATCH_SIZE, Learner, Material, logits_of

if TYPE_CHECKING:
    import numpy as np

    from training_container.budget import Budget
    from training_container.progress import Progress
    from training_container.tasks.images.network import Network
    from training_container.tasks.images.sets import ImageSet

MOST_EPOCHS = 60
"""However long the budget: what is learned by then is learned."""
PATIENCE_EPOCHS = 12
"""Epochs without a better validation score before the run ends."""
MOST_CHOOSING = 0.3
"""Part of the budget that choosing a recipe counts as at most: on a starved machine, training still has the rest."""
SAVE_EVERY = 60.0
"""Seconds."""
UPDATE_EVERY = 5.0


@dataclass(frozen=True)
class Fitted:
    """The network that answers, on the CPU."""

    network: Network
    temperature: float
    recipe: Recipe
    validation: dict[str, float]
    curves: dict[str, list[float]]
    epochs: int
    seconds: float
    resumed: bool


def fit(images: ImageSet, *, minutes: float, seed: int, progress: Progress, device: torch.device,
        checkpoints: Checkpoints | None = None, budget: Budget | None = None) -> Fitted:  # fmt: skip
    """Trains within `minutes`, from the job's checkpoint where there is one.

    When `budget` is cut from outside, fitting ends with what is learned by then.
    """
    start, material = time.monotonic(), Material.of(images, device)
    checkpoint = RunCheckpoint(checkpoints or Checkpoints())
    saved = checkpoint.read()
    recipe = Recipe(**saved["recipe"]) if saved else choose(material, minutes * 60, seed)
    learner, state = Learner.fresh(material, recipe, seed), RunState()
    if saved:
        state = checkpoint.restore(saved, learner)
    else:
        state.spent = min(time.monotonic() - start, MOST_CHOOSING * minutes * 60)
    progress.update(0.1, width=recipe.width, flip=recipe.flip, threads=recipe.threads, resumed=bool(saved))
    Run(learner, state, checkpoint, minutes * 60, seed, progress, budget).go()
    return finished(images, learner, state, resumed=bool(saved))


@dataclass
class Run:
    """The loop over epochs and batches."""

    learner: Learner
    state: RunState
    checkpoint: RunCheckpoint
    seconds: float
    seed: int
    progress: Progress
    budget: Budget | None = None

    def go(self) -> None:
        """Until the budget is spent, the epochs are done, or nothing is gained any more."""
        self._clock = time.monotonic() - self.state.spent
        self._saved = self._told = time.monotonic()
        self._validation = 0.0
        while self.share() < 1.0 and self.state.epoch < MOST_EPOCHS and self.state.stale < PATIENCE_EPOCHS:
            self.epoch()
        if not self.state.best_weights:  # cut before the first look: what was learned by then answers
            self._look()

    def share(self) -> float:
        """How much of the run is over, 0 to 1; time is kept for the last look at the validation part."""
        self.state.spent = time.monotonic() - self._clock
        if self.budget is not None and self.budget.stopped:  # its clock, unlike ours, has all of choosing in it
            return 1.0
        in_time = self.state.spent / max(1e-9, self.seconds * 0.97 - self._validation)
        batches = self.learner.material.batches
        done = (self.state.epoch * batches + self.state.batch) / (MOST_EPOCHS * batches)
        return min(1.0, max(in_time, done))

    def epoch(self) -> None:
        """An epoch of training pictures, or what the time still allows of it; then a look at the validation part."""
        order = self.learner.material.order(self.state.epoch, self.seed)
        losses = []
        while self.state.batch < self.learner.material.batches and (share := self.share()) < 1.0:
            first = self.state.batch * BATCH_SIZE
            losses.append(self.learner.step(order[first : first + BATCH_SIZE], share))
            self.state.batch += 1
            self._tell(share)
            self._save()
        if losses:
            self.state.curves["train/loss"].append(float(torch.stack(losses).mean()))
        self._look()
        self.state.epoch, self.state.batch = self.state.epoch + 1, 0

    def _look(self) -> None:
        """Scores the averaged weights and keeps them when they are the best so far."""
        start, material = time.monotonic(), self.learner.material
        logits = logits_of(self.learner.averaged(), material.validation)
        codes = material.validation_codes.cpu()
        loss = float(torch.nn.functional.cross_entropy(logits, codes))
        right = float((logits.argmax(dim=1) == codes).float().mean())
        self.state.curves["validation/logloss"].append(loss)
        self.state.curves["validation/accuracy"].append(right)
        self.state.stale += 1
        if loss < self.state.best:
            self.state.best, self.state.stale = loss, 0
            self.state.best_weights = copy.deepcopy(self.learner.average.state_dict())
        self._validation = time.monotonic() - start
        self.progress.update(self.share(), epoch=self.state.epoch, validation_logloss=loss, validation_accuracy=right)

    def _tell(self, share: float) -> None:
        if time.monotonic() - self._told > UPDATE_EVERY:
            self._told = time.monotonic()
            self.progress.update(share, epoch=self.state.epoch, batch=self.state.batch)

    def _save(self) -> None:
        if time.monotonic() - self._saved > SAVE_EVERY:
            self.checkpoint.write(self.learner, self.state)
            self._saved = time.monotonic()


def finished(images: ImageSet, learner: Learner, state: RunState, *, resumed: bool) -> Fitted:
    """The best averaged weights, at the temperature that fits the validation part."""
    network = learner.averaged()
    network.load_state_dict(state.best_weights)
    network = network.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # the stubs lack it
    logits = logits_of(network, torch.from_numpy(images.validation.pixels))
    temperature = fitting_temperature(logits, torch.from_numpy(images.validation.codes))
    answers: np.ndarray = torch.softmax(logits / temperature, dim=1).numpy()
    return Fitted(
        network=network,
        temperature=temperature,
        recipe=learner.recipe,
        validation=metrics.scores(images.task, images.validation.codes, answers),
        curves=state.curves,
        epochs=state.epoch,
        seconds=state.spent,
        resumed=resumed,
    )


def fitting_temperature(logits: torch.Tensor, codes: torch.Tensor) -> float:
    """The divisor of the logits, 0.5 to 3, with the lowest log-loss (temperature scaling, Guo et al. 2017)."""
    grid = torch.linspace(0.5, 3.0, 126)
    losses = torch.stack([torch.nn.functional.cross_entropy(logits / temperature, codes) for temperature in grid])
    return float(grid[int(losses.argmin())])
