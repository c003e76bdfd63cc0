"""Whatever a caller gives to predict, as batches of one request each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dropforge.client import batches, pictures, rowfiles
from dropforge.client.objects import downloaded, is_uri
from dropforge.client.tables import is_columns, library_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dropforge.client.batches import Batch
    from dropforge.client.connection import Connection
    from dropforge.client.tables import Frame

    Rows = Frame | Iterable[Mapping[str, Any]] | Mapping[str, Sequence[Any]] | str | Path | Sequence[str | Path]
    """A frame, rows, columns of values, the path or S3 URI of a file of rows or of a picture, or several pictures."""


def batches_of(
    rows: Rows, connection: Connection, named: Callable[[], rowfiles.Named] = rowfiles.Named
) -> Iterator[Batch]:
    """Splits rows, columns, a frame, a file of rows or pictures into requests.

    Args:
        rows: what to predict.
        connection: reads objects of S3.
        named: returns what the owner of the model's data set named of its file, such as the encoding.

    Raises:
        Fault: a file cannot be read, or the rows are none; what is wrong with a single row is raised at its batch.
    """
    if isinstance(rows, str | Path):
        read = partial(_of_path, named=named)
        return _of_objects([rows], connection, read) if is_uri(rows) else read([Path(rows)])
    if isinstance(rows, list | tuple) and rows and all(isinstance(each, str | Path) for each in rows):
        if any(map(is_uri, rows)):
            return _of_objects(rows, connection, pictures.of_pictures)
        return pictures.of_pictures([Path(each) for each in rows])
    if library_of(rows) or is_columns(rows):
        return batches.of_table(table_of(rows))
    return batches.of_rows(rows)  # type: ignore[arg-type]  # no paths, frames or columns are left


def _of_path(paths: Sequence[Path], named: Callable[[], rowfiles.Named]) -> Iterator[Batch]:
    (path,) = paths
    return pictures.of_pictures(paths) if pictures.is_picture(path) else rowfiles.of_file(path, named)


def _of_objects(
    places: Sequence[str | Path], connection: Connection, read: Callable[[Sequence[Path]], Iterator[Batch]]
) -> Iterator[Batch]:
    """Batches of objects of S3 (and files), which are on this machine as long as their rows are read."""
    with TemporaryDirectory(prefix="dropforge-") as scratch:
        paths = []
        for number, place in enumerate(places):
            folder = Path(scratch) / str(number)  # objects of two folders may have one name
            folder.mkdir()
            paths.append(downloaded(connection, str(place), folder) if is_uri(place) else Path(place))
        yield from read(paths)
