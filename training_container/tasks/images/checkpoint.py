"""What a killed job goes on from: one file, replaced in one move, so a kill while writing leaves the one before."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from training_container.tasks.images.state import RunState
    from training_container.tasks.images.steps import Learner

FILE = "images.pt"
FORMAT = "dropforge.images.checkpoint/1"


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one job in `folder`; none is written or found where that is None."""

    folder: Path | None
    identity: str
    """Of run and data: another's checkpoint is left alone and written over."""

    def read(self) -> dict[str, Any] | None:
        """What was saved for this job, or None; a file that cannot be read counts as none."""
        if self.folder is None or not (self.folder / FILE).is_file():
            return None
        try:
            found: dict[str, Any] = torch.load(self.folder / FILE, map_location="cpu", weights_only=True)
        except Exception as fault:  # torch raises classes of its own for every kind of broken file
            print(f"checkpoint {FILE} cannot be read, starting anew: {fault}", flush=True)
            return None
        mine = (found.get("format"), found.get("identity")) == (FORMAT, self.identity)
        return found if mine else None

    def write(self, learner: Learner, state: RunState) -> None:
        """Saves everything that the next step depends on."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "format": FORMAT,
            "identity": self.identity,
            "recipe": learner.recipe.to_json(),
            "network": learner.network.state_dict(),
            "average": learner.average.state_dict(),
            "optimizer": learner.optimizer.state_dict(),
            "random": learner.generator.get_state(),
            "steps": learner.steps,
            "progress": {each.name: getattr(state, each.name) for each in dataclasses.fields(state)},
        }
        partial = self.folder / f".{FILE}.partial"
        torch.save(content, partial)
        partial.replace(self.folder / FILE)

    def restore(self, found: dict[str, Any], learner: Learner) -> RunState:
        """Puts the learner where it was; gives the state. The learning rate follows from the state alone."""
        from training_container.tasks.images.state import RunState

        learner.network.load_state_dict(found["network"])
        learner.average.load_state_dict(found["average"])
        learner.optimizer.load_state_dict(found["optimizer"])
        learner.generator.set_state(found["random"])
        learner.steps = found["steps"]
        return RunState(**found["progress"])
