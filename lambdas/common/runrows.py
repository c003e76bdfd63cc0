"""The part of the registry about runs: their rows, the claims that they hold, and how they end.

The row of a run is its claim on one version of an object. The claim on the content is a lease: it holds while its run
is at work or has kept something, and it is written together with the run's row, so that no claim is of a run that does
not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract import registry as rows
from dropforge.contract.errors import ServiceError
from dropforge.contract.fitting import shortened
from dropforge.contract.registry import BatchRun, LiveRow, RunRow, TrainingRun
from lambdas.common.clock import now
from lambdas.common.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.registry import Key
    from dropforge.contract.steps import Status

PARTS_A_PAGE = 200
"""A key has up to 1,024 bytes and a version id some 100, and an item of DynamoDB at most 400 KB."""
MOST_ROWS = 1_000_000
ATTEMPTS = 20
"""How often a claim or a version number is tried while others write at the same time."""


class RegistryFault(ServiceError, RuntimeError):
    """The registry does not have what this step expects."""


def moved_since(run: TrainingRun, move: LiveRow) -> bool:
    """Whether the live pointer made this move after `run` was claimed, by the count of moves if the run has it."""
    if run.generation is None:
        return move.moved >= run.created
    return move.generation > run.generation


class RunRows:
    """Runs and claims; `_table` is the registry's."""

    _table: Table

    # claims

    def holder(self, content: Key) -> str | None:
        """The run that has the claim on a content, or None."""
        claim = self._table.get(content)
        return None if claim is None else str(claim["run"])

    def begin(self, row: RunRow, before: RunRow | None, content: Key | None = None, instead_of: str = "") -> bool:
        """Writes the first row of a run and takes the claim on its content, both or none.

        Args:
            row: the row.
            before: the row that it replaces, of an execution that has ended; None for a new run.
            content: the claim's key; None for a run that takes none.
            instead_of: the run that may lose the claim.

        Returns:
            False if others wrote one of the two in the meantime.
        """
        key, listed = rows.run_key(row.run), (rows.RUNS, row.created)
        if before is None:
            first = self._table.put_request(key, row.to_json(), listed=listed, condition=Table.NEW)
        else:
            first = self._table.put_request(
                key,
                row.to_json(),
                listed=listed,
                condition="#execution = :execution AND #status = :status",
                names=("execution", "status"),
                values={":execution": before.execution, ":status": before.status},
            )
        writes = [first]
        if content is not None:
            claim = self._table.put_request(
                content,
                {"owner": row.execution, "run": row.run, "claimed": now()},
                condition="attribute_not_exists(pk) OR #run = :run OR #run = :other",
                names=("run",),
                values={":run": row.run, ":other": instead_of},
            )
            writes.append(claim)
        return self._table.transact([{"Put": write} for write in writes])

    # parts of a set

    def put_parts(self, run: str, identity: str, parts: Sequence[Sequence[Any]]) -> None:
        """Keeps the parts of a set, which `identity` names; they cannot change."""
        for page in range(-(-len(parts) // PARTS_A_PAGE)):
            row = {"parts": [list(part) for part in parts[page * PARTS_A_PAGE : (page + 1) * PARTS_A_PAGE]]}
            self._table.put(rows.parts_key(run, identity, page), row, condition=Table.NEW)

    def parts(self, run: str, identity: str) -> list[list[Any]]:
        """The parts of a set, in their order."""
        found: list[list[Any]] = []
        page = 0
        while (row := self._table.get(rows.parts_key(run, identity, page))) is not None:
            found += row["parts"]
            page += 1
        return found

    # endings

    def end(self, run: str, status: Status, reason: str, step: str | None = None, **expected: Any) -> bool:
        """Ends a run that is running and has the values `expected`; returns false, and changes nothing, otherwise."""
        at = {} if step is None else {"step": step}
        changes = {"status": status, "reason": shortened(reason), "updated": now(), **at}
        return self._table.update(rows.run_key(run), changes, status="running", **expected)

    def end_request(self, run: str, status: Status, reason: str) -> dict[str, Any]:
        """The request of `end`, for a transaction."""
        changes = {"status": status, "reason": shortened(reason), "updated": now()}
        return self._table.update_request(rows.run_key(run), changes, status="running")

    # the reconciler

    def running(self, since: str) -> list[RunRow]:
        """The runs created after the time `since` that are running by their rows."""
        listed = self._table.listing(rows.RUNS, MOST_ROWS, newest=False, after=since)
        return [RunRow.from_json(row) for row in listed if row["status"] == "running"]

    def last_look(self) -> tuple[str, int]:
        """When the reconciler last compared bucket and registry, empty if never, and how many pages the bucket had."""
        row = self._table.get(rows.LOOK_KEY)
        return ("", 0) if row is None else (row["looked"], row["pages"])

    def note_look(self, looked: str, pages: int) -> None:
        """Notes a comparison, unless a later one is noted."""
        later = "attribute_not_exists(pk) OR #looked < :looked"
        row = {"looked": looked, "pages": pages}
        self._table.put(rows.LOOK_KEY, row, condition=later, names=("looked",), values={":looked": looked})

    # rows

    def find_runs(self, runs: Sequence[str]) -> dict[str, RunRow]:
        """The rows of those of these runs that exist."""
        stored = self._table.get_all([rows.run_key(run) for run in runs])
        found = [RunRow.from_json(row) for row in stored.values()]
        return {row.run: row for row in found}

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
        """Sets fields of a run's row; `RegistryFault` if there is none."""
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
