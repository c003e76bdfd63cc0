"""The dates of a request in the one spelling that the model is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.dates import CANONICAL, canonical
from dropforge.contract.words import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.schema import DateRule

NO_VALUE = frozenset(MISSING)


def canonical_texts(texts: Iterable[str], rule: DateRule) -> list[str | None]:
    """Each text as an ISO date in UTC, a missing marker as the empty text; None for what is no date by the rule."""
    known: dict[str, str | None] = {}
    dates = [text if CANONICAL.fullmatch(text) else _read(text, rule, known) for text in texts]
    return [f"{date[:4]}-01-01" if date else date for date in dates] if rule.year_alone else dates


def _read(text: str, rule: DateRule, known: dict[str, str | None]) -> str | None:
    if text not in known:
        known[text] = "" if text in NO_VALUE else canonical(text, rule)
    return known[text]
