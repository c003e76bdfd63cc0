"""The texts that a model's graph knows, by column: they travel in the model file, next to the card.

The graph treats every other text as unknown or missing and answers nevertheless. Whoever serves the file needs the list
to say so.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from dropforge.contract.documents import Document

WarningKind = Literal["unknown_category", "unknown_boolean", "unknown_id", "missing_word", "short_code"]
"""A text that no category of the model's has; one that is no word for true or false; a user or item that a recommender
has not learned; a word that counted as missing among numbers or dates in training; a code without its leading zeros."""

TakenFor = Literal["other", "missing", "average", "padded"]
"""What the model reads instead: the category of all rare texts, a missing value, the average user or item, or the code
with as many zeros as those of the data have."""


class KnownTexts(Document):
    """Every text that the graph tells from others, words for a missing value among them."""

    SCHEMA: ClassVar[str] = "dropforge.known/1"

    columns: dict[str, tuple[str, ...]]
    """The names of the columns of texts to the texts."""
