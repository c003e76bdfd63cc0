"""Folders of pictures are dropped as one zip, and files of pictures are asked about."""

from __future__ import annotations

import base64
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from dropforge.client import Fault, pictures
from dropforge.client.inputs import batches_of
from dropforge.client.pictures import as_file, of_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.client import Connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, and things that are no pictures of a class."""
    place = tmp_path / "My Flowers"
    for name in ("rose/a.jpg", "rose/b.PNG", "tulip/deep/c.webp", "tulip/notes.txt", "cover.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(name.encode())
    return place


def test_a_folder_is_packed_and_the_zip_is_gone_afterwards(folder: Path) -> None:
    with as_file(folder) as file:
        assert file.name == "My Flowers.zip"
        first = file.read_bytes()
        with zipfile.ZipFile(file) as archive:
            assert archive.namelist() == ["rose/a.jpg", "rose/b.PNG", "tulip/deep/c.webp"]
            assert archive.read("rose/a.jpg") == b"rose/a.jpg"
    assert not file.exists()
    (folder / "rose" / "a.jpg").touch()
    with as_file(folder) as file:
        assert file.read_bytes() == first


def test_a_file_stays_as_it_is_and_a_folder_without_pictures_is_refused(folder: Path, tmp_path: Path) -> None:
    with as_file(folder / "cover.png") as file:
        assert file == folder / "cover.png"
    (tmp_path / "empty").mkdir()
    with pytest.raises(Fault, match="is a folder without folders of pictures"), as_file(tmp_path / "empty"):
        pass


def test_one_picture_goes_as_it_is_and_several_as_base64(folder: Path, connection: Connection) -> None:
    (batch,) = batches_of(str(folder / "rose" / "b.PNG"), connection)
    assert batch.request() == (b"rose/b.PNG", "image/png")
    (batch,) = batches_of([folder / "rose" / "a.jpg", folder / "cover.png"], connection)
    body, kind = batch.request()
    assert kind == "application/json"
    assert [base64.b64decode(row["image"]) for row in json.loads(body)["rows"]] == [b"rose/a.jpg", b"cover.png"]
    assert [half.request()[0] for half in batch.halves()] == [b"rose/a.jpg", b"cover.png"]
    assert [row["file"] for row in batch.rows] == [str(folder / "rose" / "a.jpg"), str(folder / "cover.png")]


def test_requests_stay_small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [folder / "rose" / "a.jpg"] * 130
    assert [len(batch.rows) for batch in of_pictures(paths)] == [64, 64, 2]
    monkeypatch.setattr(pictures, "MOST_BYTES", 25)
    assert [len(batch.rows) for batch in of_pictures(paths[:5])] == [2, 2, 1]


def test_what_is_no_picture_is_told_before_anything_is_sent(folder: Path, connection: Connection) -> None:
    with pytest.raises(Fault, match="notes.txt: expected pictures ending in"):
        list(batches_of([folder / "cover.png", folder / "tulip" / "notes.txt"], connection))
    with pytest.raises(Fault, match="no such file"):
        list(batches_of([folder / "gone.png", folder / "cover.png"], connection))
    with as_file(folder) as file, pytest.raises(Fault, match="is a data set of pictures"):
        batches_of(file, connection)
