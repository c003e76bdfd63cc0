"""The registry: every read and write of the one DynamoDB table, each safe to repeat.

The SDK or the state machine repeats a write whose response was lost, so each write either has its owner's token or
recognizes its own earlier result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dropforge.contract import registry as rows
from dropforge.contract.errors import ServiceError
from dropforge.contract.fitting import shortened
from dropforge.contract.models import LAST
from dropforge.contract.registry import BatchRun, LiveRow, RunRow, TrainingRun, VersionRow
from lambdas.common.clock import now
from lambdas.common.modelrows import ModelRows
from lambdas.common.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.registry import Key

ATTEMPTS = 20
"""How often a claim or a version number is tried while others write at the same time."""


class RegistryFault(ServiceError, RuntimeError):
    """The registry does not have what this step expects."""


@dataclass(frozen=True)
class Holder:
    """The holder of a claim: the execution, and its run."""

    owner: str
    run: str


def verdict_of(version: VersionRow) -> dict[str, Any]:
    """The stored fields of a version that a further verdict may change."""
    stored = version.to_json()
    return {name: stored[name] for name in ("outcome", "reason", "fast")}


class Registry(ModelRows):
    """Claims, runs, versions and the live pointers, in the table of this name."""

    # claims

    def claim(self, key: Key, owner: str, run: str, instead_of: str = "") -> Holder:
        """Takes a claim for `owner`, who may repeat it; returns its holder, which is `owner` or whoever was first.

        The claim may be taken from the run `instead_of`.

        Raises:
            RegistryFault: in every attempt the claim was taken by others and released again.
        """
        row = {"owner": owner, "run": run, "claimed": now()}
        for _ in range(ATTEMPTS):
            free_or_mine = "attribute_not_exists(pk) OR #owner = :owner OR #run = :other"
            values = {":owner": owner, ":other": instead_of}
            if self._table.put(key, row, condition=free_or_mine, names=("owner", "run"), values=values):
                return Holder(owner, run)
            holder = self._table.get(key)
            if holder is not None:  # None: it was released between the two calls, so it may be free now
                return Holder(holder["owner"], holder["run"])
        raise RegistryFault(
            f"claim {key.pk!r}: expected to get it or to see who has it in {ATTEMPTS} attempts; run again"
        )

    def release(self, key: Key, run: str) -> None:
        """Releases a claim if `run` holds it, and does nothing otherwise."""
        self._table.delete(key, condition="#run = :run", names=("run",), values={":run": run})

    # runs

    def put_run(self, row: RunRow) -> None:
        """Writes a run's first row, unless there is one already."""
        self._table.put(rows.run_key(row.run), row.to_json(), listed=(rows.RUNS, row.created), condition=Table.NEW)

    def find_run(self, run: str) -> RunRow | None:
        """The row of a run, or None if there is none."""
        row = self._table.get(rows.run_key(run))
        return None if row is None else RunRow.from_json(row)

    def run(self, run: str) -> RunRow:
        """The row of a run; `RegistryFault` if there is none."""
        row = self.find_run(run)
        if row is None:
            raise RegistryFault(f"run {run!r}: expected the row that Claim writes, got none")
        return row

    def training_run(self, run: str) -> TrainingRun:
        """The row of a training run; `RegistryFault` if there is none, or it is of a batch."""
        row = self.run(run)
        if not isinstance(row, TrainingRun):
            raise RegistryFault(f"run {run!r}: expected a training run, got one of kind {row.kind!r}")
        return row

    def batch_run(self, run: str) -> BatchRun:
        """The row of a batch; `RegistryFault` if there is none, or it is of a training run."""
        row = self.run(run)
        if not isinstance(row, BatchRun):
            raise RegistryFault(f"run {run!r}: expected a batch, got a run of kind {row.kind!r}")
        return row

    def update_run(self, run: str, **changes: Any) -> None:
        """Sets fields of a run's row, a reason in its length for rows; `RegistryFault` if there is none."""
        if "reason" in changes:
            changes["reason"] = shortened(changes["reason"])
        if not self._table.update(rows.run_key(run), {**changes, "updated": now()}):
            raise RegistryFault(f"run {run!r}: expected the row that Claim writes, got none")

    def note_progress(self, run: str, piece: int, count: int) -> None:
        """Records how many rows of a batch's piece are done."""
        if not self._table.update_entry(rows.run_key(run), "progress", str(piece), count):
            raise RegistryFault(f"run {run!r}: expected the row that Claim writes, got none")

    def runs(self, limit: int, model: str | None = None, after: str | None = None) -> list[RunRow]:
        """At most `limit` runs, newest first: all, or those created before the time `after`."""
        listed = self._table.listing(rows.RUNS, limit, newest=True, model=model, after=after)
        return [RunRow.from_json(row) for row in listed]

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

    def has_moved(self, run: str, live: LiveRow, since: str) -> bool:
        """Whether `run`, created at `since`, was ever promoted, by the history of moves from `live` backwards."""
        move: LiveRow | None = live
        while move is not None and move.moved >= since:
            if move.run == run:
                return True
            row = self._table.get(rows.history_key(move.model, move.generation - 1))
            move = None if row is None else LiveRow.from_json(row)
        return False

    def move_live(self, row: LiveRow) -> bool:
        """Moves the live pointer to `row` and adds the move to the history, both or none.

        Returns false if somebody moved the pointer after generation `row.generation - 1`.
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
        return self._table.transact([{"Put": live}, {"Put": history}])
