"""Uploads into S3: the key, the version that was really written, the wishes beside it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from boto3.s3.transfer import TransferConfig

from dropforge.client import Fault, drops
from dropforge.contract.ids import run_id

if TYPE_CHECKING:
    from dropforge.client import Connection


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    path = tmp_path / "House Prices.csv"
    path.write_text("rooms,price\n3,100\n")
    return path


def test_a_file_lands_under_its_model_and_its_run_is_known(connection: Connection, bucket: Any, houses: Path) -> None:
    sent: list[int] = []
    dropped = drops.upload(connection, houses, wishes=drops.Wishes("price"), progress=sent.append)
    found = bucket.head_object(Bucket="drops", Key="datasets/house-prices/House Prices.csv")
    assert dropped.key == "datasets/house-prices/House Prices.csv"
    assert dropped.object_version == found["VersionId"]
    assert dropped.run == run_id("drops", dropped.key, found["VersionId"])
    assert (dropped.model, dropped.size, sum(sent)) == ("house-prices", houses.stat().st_size, houses.stat().st_size)
    assert found["Metadata"] == {"target": "price"}


def test_wishes_lie_beside_the_data_before_it_arrives(
    connection: Connection, bucket: Any, houses: Path, tmp_path: Path
) -> None:
    wishes = tmp_path / "wishes.yaml"
    wishes.write_text("target: price\nbudget: 1\n")
    dropped = drops.upload(connection, houses, spec=wishes)
    spec = bucket.get_object(Bucket="drops", Key="datasets/house-prices/spec.yaml")
    assert spec["Body"].read() == wishes.read_bytes()
    data = bucket.head_object(Bucket="drops", Key=dropped.key)
    assert spec["LastModified"] <= data["LastModified"]


def test_wishes_that_are_not_there_stop_the_drop(connection: Connection, bucket: Any, houses: Path) -> None:
    with pytest.raises(Fault, match="nowhere.yaml"):
        drops.upload(connection, houses, spec="nowhere.yaml")
    assert "Contents" not in bucket.list_objects_v2(Bucket="drops")


def test_the_same_file_again_is_another_run(connection: Connection, bucket: Any, houses: Path) -> None:
    first, second = (drops.upload(connection, houses, "homes") for _ in range(2))
    assert first.key == second.key == "datasets/homes/House Prices.csv"
    assert first.run != second.run
    assert bucket.head_object(Bucket="drops", Key=first.key)["Metadata"] == {}


def test_each_of_many_uploads_at_once_knows_its_own_version(
    connection: Connection, bucket: Any, tmp_path: Path
) -> None:
    """A HEAD after the upload would tell several of them the same, the newest."""
    results: dict[int, drops.Dropped] = {}

    def send(number: int) -> None:
        path = tmp_path / str(number) / "same.csv"
        path.parent.mkdir()
        path.write_text(f"a,b\n{number},1\n")
        results[number] = drops.upload(connection, path)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, dropped in results.items():
        body = bucket.get_object(Bucket="drops", Key=dropped.key, VersionId=dropped.object_version)["Body"].read()
        assert body == f"a,b\n{number},1\n".encode()
    assert len({dropped.run for dropped in results.values()}) == 6


def test_a_large_file_goes_in_parts_under_one_checksum(
    connection: Connection, bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    monkeypatch.setattr(drops, "TransferConfig", lambda: parts)
    path = tmp_path / "large.csv"
    path.write_bytes(os.urandom(11 << 20))
    dropped = drops.upload(connection, path)
    found = bucket.head_object(Bucket="drops", Key=dropped.key)
    assert found["ETag"].strip('"').endswith("-3")
    assert dropped.object_version == found["VersionId"]


@pytest.mark.parametrize("target", ["price", "Preis in €", "価格", "a\tb", " padded ", "50% off"])
def test_any_target_survives_the_metadata(target: str) -> None:
    """Inspect takes the text as it is where a column has that name, and unquoted otherwise."""
    encoded = drops.encoded_target(target)
    assert encoded.isascii()
    assert encoded == encoded.strip()
    assert target in (encoded, unquote(encoded))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope.csv", "no such file: .*nope.csv"),
        ("notes.txt", r"ends in .txt: expected one of .csv, .csv.gz"),
        ("data", "ends in no ending"),
        ("folder.csv", "is a folder"),
        ("a\nb.csv", "printable"),
    ],
)
def test_what_cannot_be_dropped_is_told_before_anything_is_sent(tmp_path: Path, name: str, words: str) -> None:
    if name == "folder.csv":
        (tmp_path / name).mkdir()
    elif name != "nope.csv":
        (tmp_path / name).write_text("a\n1\n")
    with pytest.raises(Fault, match=words):
        drops.checked_file(tmp_path / name)


@pytest.mark.parametrize(
    ("wanted", "file", "words"),
    [
        ("My Model", "x.csv", "try 'my-model'"),
        ("-", "x.csv", "try 'my-model'"),
        (None, "___.csv", "choose one with --model"),
    ],
)
def test_a_wrong_name_comes_with_a_right_one(wanted: str | None, file: str, words: str) -> None:
    with pytest.raises(Fault, match=words):
        drops.model_name(wanted, Path(file))


@pytest.mark.parametrize("target", ["", "x" * 2000])
def test_a_target_that_no_column_can_have_is_refused(target: str) -> None:
    with pytest.raises(Fault, match="expected the name of a column"):
        drops.encoded_target(target)


@pytest.mark.usefixtures("aws")
def test_what_s3_says_is_one_line(connection: Connection, houses: Path) -> None:
    with pytest.raises(Fault, match="uploading House Prices.csv: AWS in eu-central-1 answered NoSuchBucket"):
        drops.upload(connection, houses)
