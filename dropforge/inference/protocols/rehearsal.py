"""A rehearsal asks as callers do and is none of them: nothing of its requests is captured, counted or alarmed of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.inference.after import Answered, Refused
    from dropforge.inference.faults import ModelFault
    from dropforge.inference.model import ServedModel
    from dropforge.inference.protocols.common import Store


class Unheard:
    """A store that answers as the one behind it, and tells nobody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def live(self, model: str) -> LiveRow | None:
        """As the store behind."""
        return self._store.live(model)

    def version(self, model: str, version: str) -> LiveRow | VersionRow:
        """As the store behind."""
        return self._store.version(model, version)

    def load(self, row: LiveRow | VersionRow) -> ServedModel:
        """As the store behind."""
        return self._store.load(row)

    def report(self, model: str, fault: ModelFault) -> None:
        """The rehearsal itself says what failed."""

    def count_unknown(self, row: LiveRow | VersionRow, values: int) -> None:
        """They were counted when a caller sent them."""

    def answered(self, answered: Answered) -> None:
        """No caller asked."""

    def refused(self, refused: Refused) -> None:
        """No caller asked."""
