"""What is expected of an input, so that a program can tell whether it came true."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .seen import Answer, Seen

TRAINED = ("promoted", "refused")
"""The data were understood, whether or not they say enough to beat the baseline."""


@dataclass(frozen=True)
class Expect:
    """Conditions that must all hold."""

    outcome: tuple[str, ...] = ("promoted",)
    reason: tuple[str, ...] = ()
    """Patterns, each to be found in the reason."""
    told: tuple[str, ...] = ()
    """Patterns, each to be found in what a person is shown with the run."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Columns that the model must read, and their kinds."""
    absent: tuple[str, ...] = ()
    """Columns that it must not read."""
    task: str | None = None
    classes: int | None = None
    rows: int | None = None
    """Rows that must have been read."""
    truth: float | None = None
    """Least R², or least accuracy, of the predictions against `truth.json`."""
    of: str = "rows"
    """The spelling that is compared with the truth."""
    holdout: Mapping[str, float] = field(default_factory=dict)
    """Least scores on the hold-out."""
    same: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A spelling to others that must have its predictions, be refused, or be answered with a warning."""
    file: bool = True
    """Whether a promoted model must predict the very file that it was trained on."""
    seconds: float | None = None
    """Longest duration of the run."""
    check: Callable[[Seen], str | None] | None = None
    """Whatever else must hold: says what is wrong."""

    def faults(self, seen: Seen) -> Iterator[str]:
        """What did not come true."""
        run = seen.run
        if run.status not in self.outcome:
            yield f"{run.status}, not {' or '.join(self.outcome)}"
            return
        yield from (f"reason without {text!r}" for text in self.reason if not re.search(text, run.reason, re.I))
        yield from (f"nothing said of {text!r}" for text in self.told if not re.search(text, seen.told, re.I))
        if run.status in TRAINED:
            yield from self._columns(seen)
            yield from self._scores(seen)
        if run.status == "promoted":
            yield from self._answers(seen)
        if self.seconds is not None and seen.seconds > self.seconds:
            yield f"{seen.seconds:.0f} s, not {self.seconds:.0f}"
        if self.check is not None and (wrong := self.check(seen)):
            yield wrong

    def _columns(self, seen: Seen) -> Iterator[str]:
        for column, kind in self.kinds.items():
            if seen.kinds.get(column) != kind:
                yield f"{column} is {seen.kinds.get(column, 'not read')}, not {kind}"
        yield from (f"{column} is read" for column in self.absent if column in seen.kinds)
        if self.task is not None and seen.run.task != self.task:
            yield f"{seen.run.task}, not {self.task}"
        classes = seen.profile["target"].get("classes", [])
        if self.classes is not None and len(classes) != self.classes:
            yield f"classes {classes}, not {self.classes}"
        if self.rows is not None and seen.profile["rows"]["read"] != self.rows:
            yield f"{seen.profile['rows']['read']} rows, not {self.rows}"

    def _scores(self, seen: Seen) -> Iterator[str]:
        for name, least in self.holdout.items():
            if not seen.run.metrics.get(name, -1e9) >= least:
                yield f"{name} {seen.run.metrics.get(name, float('nan')):.3g}, not {least}"

    def _answers(self, seen: Seen) -> Iterator[str]:
        if self.truth is not None:
            answer, truth = seen.answers[self.of], seen.case.json("truth.json")
            score = 0.0 if answer.refusal else score_of(answer.predictions, truth)
            if answer.refusal:
                yield f"{self.of} refused: {answer.refusal}"
            elif not score >= self.truth:
                yield f"score {score:.3g} against the truth, not {self.truth}"
        for first, others in self.same.items():
            yield from (wrong for other in others if (wrong := unlike(seen, first, other)))
        if self.file and seen.file is not None and seen.file.refusal:
            yield f"the file itself is refused: {seen.file.refusal}"


def unlike(seen: Seen, first: str, other: str) -> str | None:
    """How the predictions of two spellings differ without a word; None where they do not."""
    one, two = seen.answers[first], seen.answers[other]
    if one.refusal:
        return f"{first!r} is refused: {one.refusal}"
    if two.refusal or two.warned or _alike(one, two):
        return None
    return f"{other!r} is answered {shown(two.predictions)}, {first!r} {shown(one.predictions)}"


def _alike(one: Answer, two: Answer) -> bool:
    if one.probabilities and two.probabilities:
        return [list(each.values()) for each in one.probabilities] == [
            pytest.approx(list(each.values()), rel=1e-4) for each in two.probabilities
        ]
    return bool(one.predictions == pytest.approx(two.predictions, rel=1e-4, abs=1e-6))


def shown(values: Sequence[Any]) -> str:
    """The first few predictions."""
    return ", ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values[:3])


def score_of(predictions: Sequence[Any], truth: Sequence[Any]) -> float:
    """R² of numbers, accuracy of classes."""
    if all(isinstance(value, float) for value in [*predictions, *truth]):
        mean = fmean(truth)
        errors = sum((a - b) ** 2 for a, b in zip(predictions, truth, strict=True))
        return 1 - errors / sum((mean - b) ** 2 for b in truth)
    return fmean(str(a) == str(b) for a, b in zip(predictions, truth, strict=True))


def first_faults(alternatives: Sequence[Expect], seen: Seen) -> list[str]:
    """Nothing if one of the alternatives came true; otherwise the faults of the one that came closest."""
    return min(([*each.faults(seen)] for each in alternatives), key=len)
