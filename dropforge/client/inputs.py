"""Whatever a caller gives to predict, as batches of one request each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropforge.client import batches, pictures, rowfiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dropforge.client.batches import Batch

    Given = Iterable[Mapping[str, Any]] | str | Path | Sequence[str | Path]


def batches_of(rows: Given) -> Iterator[Batch]:
    """Splits rows, a file of rows, a picture file or a list of picture files into requests."""
    if isinstance(rows, str | Path):
        path = Path(rows)
        return pictures.of_pictures([path]) if pictures.is_picture(path) else rowfiles.of_file(path)
    if isinstance(rows, list | tuple) and rows and all(isinstance(each, str | Path) for each in rows):
        return pictures.of_pictures([Path(each) for each in rows])
    return batches.of_rows(rows)  # type: ignore[arg-type]  # no paths are left
