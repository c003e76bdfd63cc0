"""JSON records whose values are kept as texts, numbers by the digits they are written with: data sets and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def as_text(value: Any) -> str | None:
    """What a value of a parsed record stands for: null for the empty text; None for a list or an object.

    Args:
        value: of a record that was parsed with numbers as texts.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else None


def kind(value: dict[str, Any] | list[Any]) -> str:
    """What `as_text` does not take, in words."""
    return "an object" if isinstance(value, dict) else "a list"


def repeated(names: Iterable[str]) -> str | None:
    """The first name that stands twice."""
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
