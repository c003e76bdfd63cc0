"""The steps of one training: all ensembles at once, down mini-batches, on tensors that stay where they are.

A step finds its rows, its rate and its loss's place on the device, so that it can be replayed. On a GPU it runs in
bfloat16 with float32 masters, on a CPU in float32. AdamW with a one-cycle learning rate; a moving average of the
weights answers.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, cast

import torch
from torch.nn import functional

from training_container.models.adamw import PackedAdamW, PackedWeights
from training_container.models.network import PackedCore
from training_container.models.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from training_container.budget import Budget
    from training_container.models.family import Problem
    from training_container.models.network import Settings
    from training_container.models.scales import TargetScale


class Steps:
    """Of `folds` ensembles under each configuration; ensembles of one configuration stand together.

    The loss is the mean squared error of the scaled target, or cross-entropy.
    """

    def __init__(self, problem: Problem, configurations: Sequence[Settings], folds: int, rows: int) -> None:
        """Each ensemble goes down `rows` rows an epoch, in even batches. All configurations begin with the same
        weights.
        """
        self.problem, self.settings = problem, configurations[0].program
        self.core = PackedCore(problem, self.settings, folds).to(problem.device)
        values = PackedWeights.of(self.core).repeat(len(configurations), 1)
        self.average = PackedWeights(copy.deepcopy(self.core).eval(), values.clone())
        self.weights = PackedWeights(self.core, values)
        kept, rates, decays = (
            torch.tensor(numbers, device=problem.device).repeat_interleave(folds)
            for numbers in zip(*((1 - one.dropout, one.rate, one.decay) for one in configurations), strict=True)
        )
        self.core.net.kept = kept[:, None, None]
        self.count = math.ceil(rows / self.settings.batch)
        self.batch = math.ceil(rows / self.count)
        self.optimizer = PackedAdamW(self.weights, rates, decays, self.settings.epochs * self.count)
        with torch.no_grad():
            self.dense = torch.cat([self.core.dense(chunk.groups) for chunk in problem.rows.chunks()])
        self.codes, self.target = problem.rows.codes, _fitted(problem.target, problem.scale).to(problem.device)
        self.step = Replay(self._step, problem.device)
        self._make_room()

    def _make_room(self) -> None:
        """For the rows of an epoch, for the batch that comes next, and for the sum of each ensemble's losses."""
        ensembles, device = len(self.weights.values), self.problem.device
        self.order = torch.zeros((self.count, ensembles, self.batch), dtype=torch.long, device=device)
        self.at = torch.zeros(1, dtype=torch.long, device=device)
        self.total = torch.zeros(ensembles, device=device)
        self.step.forget()

    def epoch(self, rows: torch.Tensor, budget: Budget) -> torch.Tensor:
        """Goes down `rows`, int64 [ensembles, rows], until the budget ends; the mean loss of each ensemble."""
        self.lay(rows)
        done = 0
        while done < self.count and (done == 0 or budget.left):
            self.step()
            done += 1
        return self.total / done

    def lay(self, rows: torch.Tensor) -> None:
        """The rows of the steps that follow; what the last batch lacks are the first rows again."""
        self.core.train()
        filled = torch.arange(self.count * self.batch, device=rows.device) % rows.shape[1]
        self.order.copy_(rows[:, filled].view(-1, self.count, self.batch).transpose(0, 1))
        self.at.zero_()
        self.total.zero_()

    def keep(self, ensembles: torch.Tensor) -> None:
        """Goes on with these alone, an int64 vector of their numbers."""
        self.optimizer.keep(ensembles)
        self.average.take(self.average.values[ensembles])
        self.core.net.kept = self.core.net.kept[ensembles]
        self._make_room()

    def _step(self) -> None:
        rows = self.order.index_select(0, self.at)[0]
        self.at.add_(1).remainder_(self.count)
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=rows.device.type == "cuda"):
            margins = self.core.margins(self.dense[rows], self.codes[rows])
        losses = self.losses(margins.float(), rows).mean(dim=(1, 2))
        self.optimizer.step(self.weights.gradient(losses.sum()))
        self.average.values.lerp_(self.weights.values, 1 - self.settings.average)
        self.total += losses.detach()

    def losses(self, margins: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """[ensembles, members, B]: the loss of every member on its own rows, [ensembles, B]."""
        target = self.target[rows][:, None].expand(-1, margins.shape[1], -1)
        if not self.problem.classes:
            return (margins[..., 0] - target) ** 2
        if self.problem.outputs == 1:
            return functional.binary_cross_entropy_with_logits(margins[..., 0], target.float(), reduction="none")
        return functional.cross_entropy(margins.movedim(3, 1), target, reduction="none")

    @torch.no_grad()
    def margins(self, rows: torch.Tensor) -> torch.Tensor:
        """The averaged model's mean margins of each ensemble's own rows: [ensembles, rows, outputs]."""
        core = cast("PackedCore", self.average.module)
        parts = [core.margins(self.dense[part], self.codes[part]).mean(dim=1) for part in torch.split(rows, 2048, 1)]
        return torch.cat(parts, dim=1)

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint between two epochs needs, by name."""
        return {"values": self.weights.values, "average": self.average.values, **self.optimizer.state()}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Goes on from there; the ensembles are those that the state was taken with."""
        self.weights.values.copy_(state["values"])
        self.average.values.copy_(state["average"])
        self.optimizer.load(state)


def _fitted(target: np.ndarray, scale: TargetScale | None) -> torch.Tensor:
    """The target as the loss takes it, [N]: float32 on the fitted scale, or int64 class codes."""
    return torch.from_numpy(target) if scale is None else torch.from_numpy(scale.encode(target)).float()
