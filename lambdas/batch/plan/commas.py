"""Decides what commas in numbers mean (`1,234.5`, `12,5`), once for all rows of a batch, wherever it is cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dropforge.inference.numbers import comma_meanings, settled, undressed
from lambdas.batch.common.jsonlines import json_lines
from lambdas.batch.common.rows import Layout, delimited

if TYPE_CHECKING:
    from dropforge.contract.batch import BatchFile, Commas
    from dropforge.contract.schema import ModelCard

BETWEEN_DIGITS = re.compile(rb"\d,\d")


class CommaCensus:
    """Reads the rows as they pass, for models whose columns have no rule for their numbers.

    A file without such numbers, as most are, costs one search per block.
    """

    def __init__(self, card: ModelCard) -> None:
        self._names = tuple(column.name for column in card.columns if column.kind == "number" and not column.numbers)
        self._seen: dict[str, set[frozenset[Commas]]] = {}

    def look(self, text: bytes, file: BatchFile) -> None:
        """Reads whole rows of `file`, without a header."""
        if not self._names:
            return
        quoted_only = file.format == "csv" and file.delimiter == ","
        if quoted_only and b'"' not in text or BETWEEN_DIGITS.search(text) is None:
            return
        layout, texts = Layout(file.columns, file.delimiter, self._names), iter([text.decode()])
        for chunk in json_lines(texts, self._names, 1) if file.format == "jsonl" else delimited(texts, layout, 1):
            for name, values in chunk.columns.items():
                self._count(name, [value for value in values if "," in value])

    def _count(self, name: str, values: list[str]) -> None:
        meanings = {comma_meanings(undressed(value.strip())) for value in values} - {frozenset()}
        if meanings:
            self._seen.setdefault(name, set()).update(meanings)

    @property
    def meanings(self) -> dict[str, Commas]:
        """The meaning in each column that has numbers with commas; texts that are no numbers do not count."""
        return {name: settled(meanings) for name, meanings in self._seen.items()}
