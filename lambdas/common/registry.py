"""The registry: every read and write of the one DynamoDB table, each safe to repeat.

The SDK or the state machine repeats a write whose response was lost, so each write either has its owner's token or
recognizes its own earlier result.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropforge.contract import registry as rows
from dropforge.contract.models import LAST
from dropforge.contract.registry import LiveRow, VersionRow
from lambdas.common.modelrows import ModelRows
from lambdas.common.runrows import ATTEMPTS, RegistryFault, RunRows, moved_since
from lambdas.common.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.contract.registry import TrainingRun
    from dropforge.contract.steps import Status

__all__ = ["ATTEMPTS", "Registry", "RegistryFault"]


def verdict_of(version: VersionRow) -> dict[str, Any]:
    """The stored fields of a version that a further verdict may change."""
    stored = version.to_json()
    return {name: stored[name] for name in ("outcome", "reason", "fast")}


class Registry(RunRows, ModelRows):
    """Runs, claims, versions and the live pointers, in the table of this name."""

    # versions

    def add_version(self, candidate: VersionRow, earlier: str | None = None) -> VersionRow:
        """Registers `candidate` under the next free number (its own is ignored); the same run gets its number again.

        Only a version's verdict may change, before it serves: when it is judged anew, against another champion.

        Args:
            candidate: the version of a judged run.
            earlier: the number in the run's row, if any: versions from before registrations have nothing else.

        Raises:
            RegistryFault: no number was free in `ATTEMPTS` attempts.
        """
        for _ in range(ATTEMPTS):
            newest = next(iter(self.versions(candidate.model, 1)), None)
            known = self._registered(candidate, newest, earlier)
            if known is not None:
                judged = replace(known, outcome=candidate.outcome, reason=candidate.reason, fast=candidate.fast)
                if judged != known:
                    self._table.update(rows.version_key(known.model, known.version), verdict_of(judged))
                return judged
            row = replace(candidate, version=str(1 if newest is None else int(newest.version) + 1))
            if self._put_version(row):
                return row
        raise RegistryFault(
            f"model {candidate.model!r}: expected a free version number in {ATTEMPTS} attempts; run again"
        )

    def _registered(self, candidate: VersionRow, newest: VersionRow | None, earlier: str | None) -> VersionRow | None:
        """The version that the candidate's run was registered as before, or None."""
        if newest is not None and newest.run == candidate.run:
            return newest
        registration = self._table.get(rows.registration_key(candidate.model, candidate.run))
        number = earlier if registration is None else registration["version"]
        return None if number is None else self.version(candidate.model, number)

    def _put_version(self, row: VersionRow) -> bool:
        """Writes a version and the registration of its run, both or none; returns false if either exists already."""
        registration = {"run": row.run, "version": row.version}
        writes = [
            self._table.put_request(rows.version_key(row.model, row.version), row.to_json(), condition=Table.NEW),
            self._table.put_request(rows.registration_key(row.model, row.run), registration, condition=Table.NEW),
        ]
        return self._table.transact([{"Put": write} for write in writes])

    def versions_of(self, pointers: Sequence[LiveRow]) -> list[VersionRow | None]:
        """The version of each pointer, in the same order; None for a version that does not exist."""
        keys = [rows.version_key(pointer.model, pointer.version) for pointer in pointers]
        stored = self._table.get_all(keys)
        return [VersionRow.from_json(stored[key]) if key in stored else None for key in keys]

    # the live pointer

    def lives(self, limit: int, after: str | None = None) -> list[LiveRow]:
        """At most `limit` live pointers, sorted by model: all, or those of models after the model `after`."""
        listed = self._table.listing(rows.MODELS, limit, newest=False, after=after)
        return [LiveRow.from_json(row) for row in listed]

    def history(self, model: str, limit: int | None = None, after: int = LAST + 1) -> list[LiveRow]:
        """The moves of the live pointer, newest first: all, or at most `limit`, of generations below `after`."""
        first, last = (rows.history_key(model, generation) for generation in (0, after - 1))
        return [LiveRow.from_json(row) for row in self._table.newest(first.pk, first.sk, last.sk, limit)]

    def has_moved(self, run: TrainingRun, live: LiveRow) -> bool:
        """Whether `run` was ever promoted, by the history of moves since its claim, from `live` backwards."""
        move: LiveRow | None = live
        while move is not None and moved_since(run, move):
            if move.run == run.run:
                return True
            row = self._table.get(rows.history_key(move.model, move.generation - 1))
            move = None if row is None else LiveRow.from_json(row)
        return False

    def move_live(self, row: LiveRow, endings: Mapping[str, tuple[Status, str]] | None = None) -> bool:
        """Moves the live pointer to `row`, adds the move to the history, and ends runs.

        It does all of it or nothing.

        Args:
            row: the pointer from now on.
            endings: the status and the reason of each run that ends with this move; each must be running.

        Returns:
            False if somebody moved the pointer after generation `row.generation - 1`, or one of the runs has ended.
        """
        first = row.generation == 1
        live = self._table.put_request(
            rows.live_key(row.model),
            row.to_json(),
            listed=None if row.withdrawn else (rows.MODELS, row.model),
            condition=Table.NEW if first else "#generation = :seen",
            names=() if first else ("generation",),
            values={} if first else {":seen": row.generation - 1},
        )
        history = self._table.put_request(
            rows.history_key(row.model, row.generation), row.to_json(), condition=Table.NEW
        )
        ends = [{"Update": self.end_request(run, *end)} for run, end in (endings or {}).items()]
        return self._table.transact([{"Put": live}, {"Put": history}, *ends])
