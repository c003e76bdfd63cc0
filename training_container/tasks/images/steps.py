"""One step of learning and what it needs: the pictures on their device, network, optimizer, averaged weights."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training_container.tasks.images.augment import Augmentation
from training_container.tasks.images.network import Network

if TYPE_CHECKING:
    from torch import Tensor

    from training_container.tasks.images.recipe import Recipe
    from training_container.tasks.images.sets import ImageSet

BATCH_SIZE = 128
FEWEST_STEPS = 20
"""Of one epoch: of a small data set it is several passes, or the averaged weights would hardly have moved."""
LEARNING_RATE = 6e-3
WARM_UP_SHARE = 0.2
"""Part of the run in which the learning rate rises; it falls along a cosine after."""
WEIGHT_DECAY = 0.02
LABEL_SMOOTHING = 0.05
"""Of the labels: keeps the logits small."""
AVERAGE_DECAY = 0.995
TRIAL_PICTURES = 5_000
"""Validation pictures that a trial is measured on."""


@dataclass(frozen=True)
class Material:
    """Training and validation pictures on the training device."""

    train: Tensor
    train_codes: Tensor
    validation: Tensor
    validation_codes: Tensor
    classes: int
    device: torch.device

    @classmethod
    def of(cls, images: ImageSet, device: torch.device) -> Material:
        """The two parts of a data set that training may see."""
        (train, codes), (validation, their_codes) = (
            (torch.from_numpy(part.pixels).to(device), torch.from_numpy(part.codes).to(device))
            for part in (images.train, images.validation)
        )
        return cls(train, codes, validation, their_codes, len(images.classes), device)

    @property
    def passes(self) -> int:
        """Over the training pictures, in one epoch."""
        return max(1, math.ceil(FEWEST_STEPS * BATCH_SIZE / len(self.train_codes)))

    @property
    def batches(self) -> int:
        """Of one epoch."""
        return max(1, self.passes * len(self.train_codes) // BATCH_SIZE)

    def order(self, epoch: int, seed: int) -> Tensor:
        """The order of the training pictures in one epoch, pass after pass; the same whenever it is asked for."""
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        orders = [torch.randperm(len(self.train_codes), generator=generator) for _ in range(self.passes)]
        return torch.cat(orders).to(self.device)

    def some(self, number: int) -> Tensor:
        """Positions of the `at`-th batch of a trial: epoch after epoch, whole batches."""
        first = number % self.batches * BATCH_SIZE
        return self.order(number // self.batches, seed=7)[first : first + BATCH_SIZE]

    def wait(self) -> None:
        """Until the device has done what it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()


@dataclass
class Learner:
    """A network that learns, the average of its weights that will answer, and its own source of chance."""

    material: Material
    recipe: Recipe
    network: Network
    average: Network
    optimizer: torch.optim.AdamW
    generator: torch.Generator
    augmentation: Augmentation
    steps: int = 0

    @classmethod
    def fresh(cls, material: Material, recipe: Recipe, seed: int) -> Learner:
        """Before the first step."""
        torch.manual_seed(seed)
        torch.set_num_threads(recipe.threads)
        side, channels = material.train.shape[1], material.train.shape[3]
        network = Network(side=side, channels=channels, classes=material.classes, width=recipe.width)
        network.normalise(material.train)
        network = network.to(material.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # the stubs lack it
        bent = [value for value in network.parameters() if value.ndim > 1]
        rest = [value for value in network.parameters() if value.ndim <= 1]
        groups = [{"params": bent, "weight_decay": WEIGHT_DECAY}, {"params": rest, "weight_decay": 0.0}]
        return cls(
            material=material,
            recipe=recipe,
            network=network,
            average=copy.deepcopy(network).requires_grad_(False),
            optimizer=torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.99)),
            generator=torch.Generator(material.device).manual_seed(seed),
            augmentation=Augmentation.of_side(side, flip=recipe.flip),
        )

    def step(self, rows: Tensor, share: float) -> Tensor:
        """Learns from the pictures at `rows`; `share` (0 to 1) is how much of the run is over. Gives the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * one_cycle(share)
        pixels = self.augmentation.apply(self.material.train[rows], self.generator)
        self.network.train()
        with torch.autocast(self.material.device.type, torch.bfloat16, enabled=self.recipe.half):
            logits = self.network(pixels)
        loss = functional.cross_entropy(
            logits.float(), self.material.train_codes[rows], label_smoothing=LABEL_SMOOTHING
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()
        self.steps += 1
        self._average()
        return loss.detach()

    def _average(self) -> None:
        """Moves the averaged weights, by more in the first steps, when they are still those of chance."""
        kept = min(AVERAGE_DECAY, self.steps / (self.steps + 10))
        with torch.no_grad():
            mine, theirs = self.average.state_dict(), self.network.state_dict()
            for name, value in mine.items():
                if value.is_floating_point():
                    value.lerp_(theirs[name], 1 - kept)
                else:
                    value.copy_(theirs[name])

    def averaged(self) -> Network:
        """The network that answers."""
        return self.average.eval()


def one_cycle(share: float) -> float:
    """The learning rate's part of its highest value: up in a line, down along a cosine to a thousandth."""
    if share < WARM_UP_SHARE:
        return 0.05 + 0.95 * share / WARM_UP_SHARE
    return 1e-3 + (1 - 1e-3) * 0.5 * (1 + math.cos(math.pi * min(1.0, (share - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))))


@torch.no_grad()
def logits_of(network: Network, pixels: Tensor, batch: int = 512) -> Tensor:
    """float32 [N, classes] on the CPU."""
    parts = [network(pixels[start : start + batch]).float().cpu() for start in range(0, len(pixels), batch)]
    return torch.cat(parts)


def logloss(network: Network, material: Material) -> float:
    """On the first validation pictures."""
    codes = material.validation_codes[:TRIAL_PICTURES].cpu()
    return float(functional.cross_entropy(logits_of(network, material.validation[:TRIAL_PICTURES]), codes))
