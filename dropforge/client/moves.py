"""The moves of a model's live pointer, read for what served before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.models import LiveRow


def served_before(moves: Iterable[LiveRow]) -> str | None:
    """The version that served before the present one, or before the model was removed; None where there was none.

    While a version is on trial, it is the live one, which answers everybody again.

    `moves` are newest first, and read only as far as the answer lies.
    """
    older = iter(moves)
    last = next(older, None)
    if last is None:
        return None
    if last.withdrawn or (last.candidate is not None and last.candidate.stage != "after"):
        return last.version
    return next((move.version for move in older if move.version != last.version), None)
