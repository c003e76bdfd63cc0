"""Many records of numbers, read into structs of the model's columns: no dictionary a row, types checked in C."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from dropforge.inference.documents import colons
from dropforge.inference.values import table_of_rows

if TYPE_CHECKING:
    from dropforge.inference.table import Table


def table_of_records(body: bytes, names: tuple[str, ...]) -> Table | None:
    """The inputs of `[{…}, …]` or `{"rows": [{…}, …]}` with these columns and no other, each a number or null.

    None for every other body and for what might be wrong: it is then read as usual, and named.
    """
    decoder = _decoder(names)
    if decoder is None or b"\\" in body:
        return None
    try:
        value = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    wrapped = not isinstance(value, list)
    rows = value.rows if wrapped else value
    written = len(rows) * (len(names) + "".join(names).count(":")) + wrapped
    if written != colons(body):  # a key stands twice, and was read once
        return None
    return table_of_rows(names, list(chain.from_iterable(map(msgspec.structs.astuple, rows)))) if rows else None


@lru_cache(maxsize=32)
def _decoder(names: tuple[str, ...]) -> msgspec.json.Decoder[Any] | None:
    """None for names that would have to be escaped in JSON."""
    fields = [(f"column_{at}", float | None) for at in range(len(names))]
    keys = {field: name for (field, _), name in zip(fields, names, strict=True)}
    try:
        row = msgspec.defstruct("Row", fields, rename=keys, forbid_unknown_fields=True, gc=False)
    except ValueError:
        return None
    rows = msgspec.defstruct("Rows", [("rows", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]
    return msgspec.json.Decoder(list[row] | rows)  # type: ignore[valid-type]
