"""The part of the registry that Predict reads: versions and live pointers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract import models as rows
from dropforge.contract.models import LiveRow, VersionRow
from lambdas.common.table import Table

if TYPE_CHECKING:
    from lambdas.common.table import Reader


class ModelRows:
    """Versions and live pointers, in the table of this name."""

    def __init__(self, table: str, reader: Reader | None = None) -> None:
        self._table = Table(table, reader)

    def versions(self, model: str, limit: int | None = None, after: int = rows.LAST + 1) -> list[VersionRow]:
        """The versions of a model, newest first: all, or at most `limit`, of those with numbers below `after`."""
        first, last = (rows.version_key(model, str(number)) for number in (0, after - 1))
        return [VersionRow.from_json(row) for row in self._table.newest(first.pk, first.sk, last.sk, limit)]

    def version(self, model: str, version: str) -> VersionRow | None:
        """One version of a model, or None if there is none."""
        row = self._table.get(rows.version_key(model, version))
        return None if row is None else VersionRow.from_json(row)

    def live(self, model: str) -> LiveRow | None:
        """The pointer to the live version, or None if no version is live."""
        row = self.pointer(model)
        return None if row is None or row.withdrawn else row

    def pointer(self, model: str) -> LiveRow | None:
        """The last move of the pointer, which may be a removal; None if no version was ever promoted."""
        row = self._table.get(rows.live_key(model))
        return None if row is None else LiveRow.from_json(row)
