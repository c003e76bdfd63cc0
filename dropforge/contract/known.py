"""The texts that a model's graph knows, by column: they travel in the model file, next to the card.

The graph treats every other text as unknown or missing and answers nevertheless. Whoever serves the file needs the list
to say so.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from dropforge.contract.documents import Document

WarningKind = Literal["unknown_category", "unknown_boolean", "unknown_id"]
"""A text that no category of the model's has, one that is no word for true or false, or a user or item that a
recommender has not learned."""

TakenFor = Literal["other", "missing", "average"]
"""What the model reads instead: the category of all rare texts, a missing value, or the average user or item."""


class KnownTexts(Document):
    """Every text that the graph tells from others, words for a missing value among them."""

    SCHEMA: ClassVar[str] = "dropforge.known/1"

    columns: dict[str, tuple[str, ...]]
    """The names of the columns of texts to the texts."""
