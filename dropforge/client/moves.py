"""The moves of a model's live pointer, read for what served before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.models import LiveRow


def served_before(moves: Iterable[LiveRow]) -> str | None:
    """The version that served before the present one, or before the model was removed; None where there was none.

    `moves` are newest first, and read only as far as the answer lies.
    """
    older = iter(moves)
    last = next(older, None)
    if last is None:
        return None
    if last.withdrawn:
        return last.version
    return next((move.version for move in older if move.version != last.version), None)
