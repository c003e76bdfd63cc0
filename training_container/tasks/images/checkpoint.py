"""The checkpoint of a training run of pictures: one file, replaced in one move."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from training_container.tasks.images.state import RunState

if TYPE_CHECKING:
    from training_container.checkpoints import Checkpoints
    from training_container.tasks.images.steps import Learner

CHECKPOINT_FILE = "images.pt"
CHECKPOINT_FORMAT = "dropforge.images.checkpoint/2"


@dataclass(frozen=True)
class RunCheckpoint:
    """The checkpoint of one run, among the checkpoints of its job."""

    checkpoints: Checkpoints

    def read(self) -> dict[str, Any] | None:
        """What an earlier attempt saved, or None; a file that cannot be read counts as none."""
        content = self.checkpoints.read(CHECKPOINT_FILE)
        if content is None:
            return None
        try:
            saved: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises classes of its own for every kind of broken file
            print(f"checkpoint {CHECKPOINT_FILE} cannot be read, starting anew: {error}", flush=True)
            return None
        return saved if saved.get("format") == CHECKPOINT_FORMAT else None

    def write(self, learner: Learner, state: RunState) -> None:
        """Saves everything that the next step depends on."""
        if self.checkpoints.folder is None:
            return
        content = {
            "format": CHECKPOINT_FORMAT,
            "recipe": learner.recipe.to_json(),
            "network": learner.network.state_dict(),
            "average": learner.average.state_dict(),
            "optimizer": learner.optimizer.state_dict(),
            "random": learner.generator.get_state(),
            "steps": learner.steps,
            "state": {field.name: getattr(state, field.name) for field in dataclasses.fields(state)},
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        self.checkpoints.keep(CHECKPOINT_FILE, buffer.getvalue())

    def restore(self, saved: dict[str, Any], learner: Learner) -> RunState:
        """Sets the learner to what was saved and returns the run's state, from which the learning rate follows."""
        learner.network.load_state_dict(saved["network"])
        learner.average.load_state_dict(saved["average"])
        learner.optimizer.load_state_dict(saved["optimizer"])
        learner.generator.set_state(saved["random"])
        learner.steps = saved["steps"]
        return RunState(**saved["state"])
