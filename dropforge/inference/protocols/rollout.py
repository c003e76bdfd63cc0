"""A request while a rollout is under way: which of its two versions answers, and which is asked after the answer.

A canary's candidate answers its share of the units. What it cannot answer, the champion answers in the same request, so
that no caller is hurt by a candidate. In every stage, the version that did not answer is asked the same afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dropforge.contract.log import log
from dropforge.inference.beside import Beside, code_of
from dropforge.inference.faults import InputFault
from dropforge.inference.protocols.common import fitting
from dropforge.inference.protocols.units import unit_of
from dropforge.inference.sticky import is_candidates

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from dropforge.contract.captures import Arm
    from dropforge.contract.models import Candidate
    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.inference.after import Answered, Refused
    from dropforge.inference.faults import ModelFault
    from dropforge.inference.http import Request, Response
    from dropforge.inference.model import ServedModel
    from dropforge.inference.protocols.common import Dialect, Store


class Pinned:
    """A store in which one version serves under the model's name, and which keeps what it is told."""

    def __init__(self, store: Store, row: LiveRow) -> None:
        self._store = store
        self.row = row
        self.told: list[Answered] = []
        self.unknown = 0

    def live(self, _model: str) -> LiveRow | None:
        """The version, whatever the pointer says by now: a request is answered by one version."""
        return self.row

    def version(self, model: str, version: str) -> LiveRow | VersionRow:
        """As the store behind."""
        return self._store.version(model, version)

    def load(self, row: LiveRow | VersionRow) -> ServedModel:
        """As the store behind."""
        return self._store.load(row)

    def report(self, model: str, fault: ModelFault) -> None:
        """The champion's fault is reported by whoever answers the caller."""

    def count_unknown(self, _row: LiveRow | VersionRow, values: int) -> None:
        """Keeps how many values the version did not know, until its answer is the caller's."""
        self.unknown += values

    def answered(self, answered: Answered) -> None:
        """Keeps it until the answer is whole."""
        self.told.append(answered)

    def refused(self, refused: Refused) -> None:
        """Told by whoever answers the caller."""

    def tell(self, beside: Beside) -> None:
        """Tells the store behind what this one kept: its answer is the caller's."""
        if self.unknown:
            self._store.count_unknown(self.row, self.unknown)
        for each in self.told:
            self._store.answered(each._replace(beside=beside))


def answered(dialect: Dialect, request: Request, served: Store, live: LiveRow, candidate: Candidate) -> Response:
    """The answer of the version whose turn it is; the candidate's failures are answered by the champion.

    Raises:
        InputFault: the caller can mend it.
        ModelFault: the live model cannot be served.
    """
    other = replace(
        live,
        version=candidate.version,
        run=candidate.run,
        artifact=candidate.artifact,
        sha256=candidate.sha256,
        fast=candidate.fast,
    )
    unit = unit_of(request, candidate.by)
    failure = ""
    if candidate.stage == "canary" and is_candidates(unit, candidate.salt, candidate.share):
        pinned = Pinned(served, other)
        try:
            response = fitting(dialect.answered(request, pinned))
        except Exception as fault:  # whatever a candidate raises, its caller gets an answer
            failure = code_of(fault)
        else:
            pinned.tell(beside("candidate", dialect, request, served, live, candidate.stage, unit))
            return response
    pinned = Pinned(served, live)
    response = fitting(dialect.answered(request, pinned))  # what both refuse is the caller's to mend
    if failure:
        log("candidate failed", level="warning", model=live.model, version=candidate.version, code=failure)
    pinned.tell(beside("champion", dialect, request, served, other, candidate.stage, unit, failure))
    return response


def beside(
    arm: Arm,
    dialect: Dialect,
    request: Request,
    served: Store,
    other: LiveRow,
    stage: str,
    unit: str,
    failure: str = "",
) -> Beside:
    """The version `other`, to be asked after the answer of `arm`."""

    query = {name: value for name, value in request.query.items() if name not in ("explain", "class")}

    def read() -> Mapping[str, np.ndarray]:
        pinned = Pinned(served, other)
        dialect.answered(request._replace(query=query), pinned)
        if not pinned.told:
            raise InputFault("empty", "the request has no row that the other version reads")
        return pinned.told[-1].arrays

    return Beside(
        other.version, arm, stage, unit, lambda: served.load(other), None if "errors" in query else read, failure
    )
