"""What a protocol tells its store once a request is answered or refused: enough to keep it, or to ask another model.

The calls stand before the answer is sent, so whoever takes them only puts them aside. The work follows the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dropforge.inference.model import Answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    import numpy as np

    from dropforge.contract.captures import Arm, Paired
    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.inference.http import Request
    from dropforge.inference.model import ServedModel

    class Other(Protocol):
        """The other version of a rollout: see `dropforge.inference.beside`."""

        arm: Arm
        """Which of the two has answered the caller."""
        stage: str
        """Of the rollout."""
        unit: str
        """Whose request it was; empty where it does not say so."""

        def pairs(self, told: Answered, rows: Sequence[int]) -> list[Paired] | None:
            """What it does with these rows of the request, whatever it raises; None where nothing can be compared."""


class Answered(NamedTuple):
    """An answered request: N rows."""

    row: LiveRow | VersionRow
    """The version that answered."""
    model: ServedModel
    """Its model."""
    arrays: Mapping[str, np.ndarray]
    """What it was asked: every column of its card by name, [N, 1]. Nobody changes them any more."""
    found: Answers | Mapping[str, np.ndarray]
    """What it answered: its answers, or its graph's outputs. See `answers`."""
    ids: Sequence[str]
    """The predictions' ids; empty where the answer has none."""
    milliseconds: float
    """How long the graph took."""
    request: Request
    beside: Other | None = None
    """The other version of the rollout that is under way, which is asked the same after the answer."""

    @property
    def answers(self) -> Answers:
        """The model's answers."""
        return self.found if isinstance(self.found, Answers) else self.model.answers(self.found, self.arrays)


class Refused(NamedTuple):
    """A refused request of a route that predicts."""

    model: str
    """The name in its path, which may be nobody's."""
    code: str
    """Why, for programs: `wrong_type`, or `no_healthy_model`."""
    request: Request
