"""Known names that are spelled like an unknown one: what its writer may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 3
ALIKE = 0.6
"""Share of letters in common, of 1 for the same name, from which two names are alike."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the nearest names, to stand before what was expected; empty where no name is near."""
    near = nearest(name, known)
    return f"did you mean {' or '.join(map(repr, near))}? " if near else ""


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """At most `MOST` of the known names, the nearest first; capitals, accents, blanks and dashes count for nothing."""
    from difflib import get_close_matches  # no function that answers requests ever needs it

    plain: dict[str, list[str]] = {}
    for candidate in known:
        plain.setdefault(_plain(candidate), []).append(candidate)
    alike = get_close_matches(_plain(name), list(plain), MOST, ALIKE)
    return [candidate for form in alike for candidate in plain[form]][:MOST]


def _plain(name: str) -> str:
    from unicodedata import normalize

    letters = "".join(letter for letter in normalize("NFKD", name).casefold() if letter.isalnum())
    return letters.replace("ß", "ss") or name
