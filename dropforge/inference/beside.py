"""The other version of a rollout: asked the same rows once they are answered, so that nobody waits for it.

Both versions run in one process on the same rows. So a failure of one alone is told apart from a fault of the machine
without statistics: it is replayed, and if it comes again, the row is the reason.
"""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from dropforge.contract.captures import Paired
from dropforge.inference.faults import InputFault, ModelFault, NotFinite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from dropforge.contract.captures import Arm
    from dropforge.contract.schema import ModelCard
    from dropforge.inference.after import Answered
    from dropforge.inference.model import Answers, ServedModel

REPLAYS = 2
"""How often a failure is replayed."""

NEAR = 1e-3
"""Numbers within this share of each other are the same answer."""

_warm: WeakSet[ServedModel] = WeakSet()
"""Models whose first run, which is slower than all later ones, is behind them."""


class Asked(NamedTuple):
    """What the other version did with the rows of a request."""

    answers: Answers | None
    """None where it failed."""
    card: ModelCard | None
    milliseconds: float
    failure: str
    repeated: bool


NOT_COMPARED = Asked(None, None, 0.0, "", repeated=False)
"""Of a request that the two versions may read different rows of."""


class Beside:
    """The other version, and how it is asked.

    Args:
        version: its number.
        arm: which of the two has answered the caller.
        stage: of the rollout.
        unit: whose request it was; empty where nobody can be told from anybody.
        load: gives its model.
        read: gives its inputs of the request, read anew, for a model that reads other columns; None where the two
            could keep different rows of the request, so that nothing can be compared then.
        failure: the code of its failure, where the caller's request was first given to it.
    """

    def __init__(
        self,
        version: str,
        arm: Arm,
        stage: str,
        unit: str,
        load: Callable[[], ServedModel],
        read: Callable[[], Mapping[str, np.ndarray]] | None,
        failure: str = "",
    ) -> None:
        self.version, self.arm, self.stage, self.unit, self.failure = version, arm, stage, unit, failure
        self._load, self._read = load, read
        self._asked: Asked | None = None

    def pairs(self, told: Answered, rows: Sequence[int]) -> list[Paired] | None:
        """What it did with these rows of the answered request; None where nothing can be compared.

        It is asked once, whoever asks how often.
        """
        if self._asked is None:
            self._asked = self._ask(told)
        if self._asked is NOT_COMPARED:
            return None
        return [self._pair(told, self._asked, row) for row in rows]

    def _ask(self, told: Answered) -> Asked:
        answers, card, milliseconds, failure = self._tried(told)
        if not failure and answers is None and not self.failure:
            return NOT_COMPARED
        if not failure:
            # A failure while the caller waited that does not come again is told, and is no proof.
            return Asked(None if self.failure else answers, card, milliseconds, self.failure, repeated=False)
        again = [self._tried(told)[3] for _ in range(REPLAYS)]
        return Asked(None, card, milliseconds, self.failure or failure, repeated=all(again))

    def _tried(self, told: Answered) -> tuple[Answers | None, ModelCard | None, float, str]:
        """Its answers, its card, the milliseconds of its graph, and the code of its failure; whatever it raises."""
        try:
            model = self._load()
            alike = reads_alike(model.card, told.model.card)
            if not alike and self._read is None:
                return None, None, 0.0, ""
            arrays = told.arrays if alike or self._read is None else self._read()
            if model not in _warm:
                model.predict(arrays)
                _warm.add(model)
            start = perf_counter()
            answers = model.predict(arrays)
            return answers, model.card, 1000 * (perf_counter() - start), ""
        except Exception as fault:  # that a version may raise anything is what it is tried for
            return None, None, 0.0, code_of(fault)

    def _pair(self, told: Answered, asked: Asked, row: int) -> Paired:
        if asked.answers is None or asked.card is None:
            return Paired(self.version, asked.failure, asked.milliseconds, repeated=asked.repeated)
        ours, theirs = told.answers.predictions[row], asked.answers.predictions[row]
        difference = None
        if told.model.card.task == asked.card.task != "clustering":
            difference = apart(shares_of(told.answers, told.model.card, row), shares_of(asked.answers, asked.card, row))
            if difference is None and is_number(ours) and is_number(theirs):
                difference = abs(ours - theirs)
        comparable = asked.card.task == told.model.card.task != "clustering"  # clusters are numbered anew
        return Paired(
            version=self.version,
            milliseconds=round(asked.milliseconds, 4),
            difference=difference,
            same=is_same(ours, theirs) if comparable else None,
            prediction=theirs,
        )


def code_of(fault: Exception) -> str:
    """A failure for programs; what a message says may hold values, so it is not kept."""
    if isinstance(fault, InputFault):
        return fault.code
    if isinstance(fault, NotFinite):
        return "out_of_range"  # as the protocols call it
    return "no_healthy_model" if isinstance(fault, ModelFault) else type(fault).__name__


def reads_alike(ours: ModelCard, theirs: ModelCard) -> bool:
    """Whether two models read the same inputs: columns of the same names and types, in the same order."""
    return ours is theirs or [(each.name, each.element) for each in ours.columns] == [
        (each.name, each.element) for each in theirs.columns
    ]


def shares_of(answers: Answers, card: ModelCard, row: int) -> dict[str, float] | None:
    """The probabilities of a row by class; None for a task without."""
    if answers.probabilities is None:
        return None
    return dict(zip(card.classes, answers.probabilities[row].tolist(), strict=True))


def apart(ours: dict[str, float] | None, theirs: dict[str, float] | None) -> float | None:
    """Half of the sum of the absolute differences, from 0 to 1; None where one has no probabilities."""
    if ours is None or theirs is None:
        return None
    return sum(abs(ours.get(name, 0.0) - theirs.get(name, 0.0)) for name in {*ours, *theirs}) / 2


def is_number(value: Any) -> bool:
    """Whether a prediction is a number, and not a class that is written as one."""
    return isinstance(value, float)


def is_same(ours: Any, theirs: Any) -> bool:
    """Whether two predictions are the same class, or the same number within one part in a thousand."""
    if is_number(ours) and is_number(theirs):
        return math.isclose(ours, theirs, rel_tol=NEAR)
    return bool(ours == theirs)
