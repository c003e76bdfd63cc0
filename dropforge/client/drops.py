"""Uploads a file to the key that starts a run; the id of the run is known before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig

from dropforge.client import specs
from dropforge.client.faults import Fault, readable
from dropforge.client.pictures import as_file
from dropforge.client.specs import PlacedSpec
from dropforge.contract.documents import Record
from dropforge.contract.ids import run_id
from dropforge.contract.names import (
    FORMATS,
    NameFault,
    batch_key,
    check_model,
    drop_key,
    format_of,
    model_from_file,
)
from dropforge.contract.spec import DIFFERENCES, REPLACE_KEY, UNPROVEN_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dropforge.client.connection import Connection

LONGEST_TARGET = 1024
"""Bytes of the encoded name; S3 allows 2 KB of metadata in all."""


class Dropped(Record):
    """An uploaded file and the run that it starts.

    Example:
        >>> dropped = forge.drop("houses.csv", target="price")
        >>> dropped.run, dropped.key
        ('run-0123456789abcdef', 'datasets/houses/houses.csv')
    """

    run: str
    model: str
    bucket: str
    key: str
    object_version: str
    size: int
    """Size of the file in bytes."""
    spec: PlacedSpec | None = None
    """The `spec.yaml` that was uploaded with it, if one was."""


@dataclass(frozen=True)
class Wishes:
    """The options of a single drop, which are sent as metadata of the object.

    Args:
        target: the column to predict; None lets the pipeline choose.
        replace: differences in which the new version may replace the live one: names of `contract.spec.DIFFERENCES`.
        unproven: whether to promote it even if its gain over the trivial baseline may be chance.

    Raises:
        Fault: `replace` has an unknown name.
    """

    target: str | None = None
    replace: Sequence[str] = ()
    unproven: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.replace if name not in DIFFERENCES]
        if unknown:
            raise Fault(f"replace {unknown[0]!r}: expected one of {', '.join(DIFFERENCES)}", "replace", "replace")

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of the object; `Fault` for a target that cannot be the name of a column."""
        metadata = {} if self.target is None else {"target": encoded_target(self.target)}
        metadata |= {REPLACE_KEY: ",".join(self.replace)} if self.replace else {}
        return metadata | ({UNPROVEN_KEY: "true"} if self.unproven else {})


NO_WISHES = Wishes()


def upload(
    connection: Connection,
    path: str | Path,
    model: str | None = None,
    wishes: Wishes = NO_WISHES,
    progress: Callable[[int], None] | None = None,
    spec: str | Path | None = None,
) -> Dropped:
    """Uploads the file at `path` as a data set of `model`; a folder of pictures is packed first.

    Args:
        connection: the cloud.
        path: a file with one of the endings in `FORMATS`, or a folder with one folder of pictures per class.
        model: the model's name; None derives it from the file's name.
        wishes: the options of this drop alone.
        progress: called with the number of bytes sent since the last call, from several threads.
        spec: a `spec.yaml` with options, which is checked and then uploaded next to the data; it also applies to later
            drops.

    Raises:
        Fault: there is no such file, its ending, a name or an option is invalid, or S3 refuses it.
    """
    with as_file(Path(path)) as file:
        return _upload(connection, checked_file(file), model, wishes, progress, spec)


def _upload(
    connection: Connection,
    file: Path,
    model: str | None,
    wishes: Wishes,
    progress: Callable[[int], None] | None,
    spec: str | Path | None,
) -> Dropped:
    name = model_name(model, file)
    bucket, key = connection.outputs["DropBucket"], drop_key(name, file.name)
    # A checksum of the whole object, not of its parts, is equal for equal bytes however they were sent.
    extra: dict[str, Any] = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    extra |= {"Metadata": wishes.metadata} if wishes.metadata else {}
    content = None if spec is None else specs.checked(spec)
    placed = None if content is None else specs.place(connection, name, content)
    try:
        with readable(f"uploading {file.name}", connection.where):
            version = _send(connection.client("s3"), file, bucket, key, extra, progress)
    except BaseException:
        specs.take_back(connection, name, placed)  # what never came must not decide about the next drop
        raise
    return Dropped(run_id(bucket, key, version), name, bucket, key, version, file.stat().st_size, placed)


def upload_batch(
    connection: Connection, path: str | Path, model: str, progress: Callable[[int], None] | None = None
) -> Dropped:
    """Uploads the file at `path` to be predicted by `model`; arguments and errors are those of `upload`."""
    file = checked_file(Path(path))
    if format_of(file.name) == "images":
        raise Fault(f"{file.name} holds pictures: expected rows; `dropforge predict` takes pictures", "file", "file")
    name = model_name(model, file)
    bucket, key = connection.outputs["DropBucket"], batch_key(name, file.name)
    with readable(f"uploading {file.name}", connection.where):
        version = _send(connection.client("s3"), file, bucket, key, {}, progress)
    return Dropped(run_id(bucket, key, version), name, bucket, key, version, file.stat().st_size)


def checked_file(path: Path) -> Path:
    """The path itself if the file can be dropped; a `Fault` otherwise."""
    endings = ", ".join(FORMATS)
    if path.is_dir():
        raise Fault(f"{path} is a folder: expected one file ending in {endings}", "not_a_file", "file")
    if not path.exists():
        raise Fault(f"no such file: {path} (looked in {Path.cwd()})", "no_such_file", "file")
    if format_of(path.name) is None:
        ending = "".join(path.suffixes[-2:]) or "no ending"
        raise Fault(f"{path.name} ends in {ending}: expected one of {endings}; convert it", "unknown_format", "file")
    if not path.name.isprintable():
        raise Fault(f"file name {path.name!r}: expected printable characters: rename it", "file_name", "file")
    return path


def model_name(wanted: str | None, file: Path) -> str:
    """The model's name: `wanted`, or one derived from the file's name.

    Raises:
        Fault: it is not a valid name; the message suggests a valid one.
    """
    try:
        return check_model(wanted) if wanted is not None else model_from_file(file.name)
    except NameFault as fault:
        hint = f": try {_suggestion(wanted)}" if wanted else ": choose one with --model"
        raise Fault(f"{fault}{hint}", "model_name", "model") from fault


def _suggestion(wanted: str) -> str:
    try:
        return repr(model_from_file(wanted))
    except NameFault:
        return "'my-model'"


def encoded_target(target: str) -> str:
    """The target as S3 metadata allow it: percent-encoded if it is not plain ASCII."""
    plain = target.isascii() and target.isprintable() and target == target.strip()
    text = target if plain else quote(target, safe="")
    if not target or len(text) > LONGEST_TARGET:
        raise Fault(f"target {target[:60]!r}: expected the name of a column", "target", "target")
    return text


def _send(
    client: Any, file: Path, bucket: str, key: str, extra: dict[str, Any], progress: Callable[[int], None] | None
) -> str:
    """Uploads the file; returns the version id that S3 gave to exactly these bytes."""
    versions: list[str] = []

    def remember(parsed: dict[str, Any], **_: object) -> None:
        if "VersionId" in parsed:
            versions.append(parsed["VersionId"])

    # The transfer manager keeps the answers to itself, and a HEAD afterwards may see somebody else's newer version.
    for call in ("PutObject", "CompleteMultipartUpload"):
        client.meta.events.register(f"after-call.s3.{call}", remember)
    client.upload_file(str(file), bucket, key, ExtraArgs=extra, Callback=progress, Config=TransferConfig())
    return versions[-1] if versions else ""
