"""The standing options of a model: `datasets/<model>/spec.yaml` in the drop bucket, which apply to every drop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.client.api import checked_model
from dropforge.client.faults import REFUSED, Fault, readable
from dropforge.contract.documents import Record
from dropforge.contract.names import spec_key
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.spec_file import read_spec

if TYPE_CHECKING:
    from dropforge.client.connection import Connection

ABSENT = ("404", "NoSuchKey")


class PlacedSpec(Record):
    """A `spec.yaml` that a drop brought."""

    version: str
    """S3 version id of the uploaded spec.yaml."""
    before: str | None
    """Version id of the one that it replaced; empty if there was none, None if that is not known."""


def checked(path: str | Path) -> bytes:
    """The contents of the spec.yaml at `path`, checked for everything that needs no data.

    Raises:
        Fault: there is no such file, or an option in it cannot be met by any data (code `spec`).
    """
    file = Path(path)
    if not file.is_file():
        raise Fault(f"no such file: {file} (looked in {Path.cwd()}): expected a spec.yaml", "no_such_file", "spec")
    content = file.read_bytes()
    _read(content, str(file))
    return content


def _read(content: bytes | None, where: str) -> Spec:
    try:
        return read_spec(content)
    except SpecFault as fault:
        raise Fault(f"{where}: {str(fault).removeprefix('spec.yaml: ')}", "spec", "spec") from fault


def stored(connection: Connection, model: str) -> str | None:
    """The text of the model's spec.yaml; None if it has none."""
    content = _content(connection, model)
    return None if content is None else content.decode("utf-8", "replace")


def standing(connection: Connection, model: str) -> Spec | None:
    """The options that apply to a drop that brings none; None where they may not be read.

    Raises:
        Fault: every drop would be rejected for them (code `spec`).
    """
    try:
        content = _content(connection, model)
    except Fault as fault:
        if fault.code == "forbidden":
            return None
        raise
    try:
        return _read(content, spec_key(model))
    except Fault as fault:
        message = f"{fault}; correct it, or `dropforge spec {model} --clear` removes it"
        raise Fault(message, fault.code, fault.field) from fault


def budget_of(connection: Connection, model: str, spec: str | Path | None) -> float | None:
    """The minutes that training may take after a drop with this spec, or with the standing one; None if not known."""
    options = standing(connection, model) if spec is None else _read(checked(spec), str(spec))
    return None if options is None else options.budget


def place(connection: Connection, model: str, content: bytes) -> PlacedSpec:
    """Uploads a spec.yaml, which applies from now on."""
    client, place = connection.client("s3"), _place(connection, model)
    with readable(f"uploading {place['Key']}", connection.where):
        before = _version(client, place)
        answer = client.put_object(**place, Body=content)
    return PlacedSpec(str(answer.get("VersionId", "")), before)


def clear(connection: Connection, model: str) -> None:
    """Removes the model's spec.yaml; nothing happens if it has none."""
    place = _place(connection, model)
    with readable(f"removing {place['Key']}", connection.where):
        connection.client("s3").delete_object(**place)


def take_back(connection: Connection, model: str, placed: PlacedSpec | None) -> bool:
    """Puts back what a placed spec.yaml replaced; False where another one has been placed since, or nothing was.

    A rejected drop must not leave its options to the next one.
    """
    if placed is None or placed.before is None:
        return False
    client, place = connection.client("s3"), _place(connection, model)
    with readable(f"putting {place['Key']} back", connection.where):
        if not placed.version or _version(client, place) != placed.version:
            return False
        if placed.before == "":
            client.delete_object(**place)
        else:
            content = client.get_object(**place, VersionId=placed.before)["Body"].read()
            client.put_object(**place, Body=content)
    return True


def _content(connection: Connection, model: str) -> bytes | None:
    place = _place(connection, model)
    with readable(f"reading {place['Key']}", connection.where):
        try:
            content: bytes = connection.client("s3").get_object(**place)["Body"].read()
        except ClientError as fault:
            if fault.response["Error"]["Code"] in ABSENT:
                return None
            raise
    return content


def _version(client: Any, place: dict[str, str]) -> str | None:
    """The version id of what stands at a place; empty for nothing, None where it may not be read."""
    try:
        return str(client.head_object(**place).get("VersionId", ""))
    except ClientError as fault:
        code = fault.response["Error"]["Code"]
        if code in ABSENT:
            return ""
        if code in REFUSED:
            return None
        raise


def _place(connection: Connection, model: str) -> dict[str, str]:
    return {"Bucket": connection.outputs["DropBucket"], "Key": spec_key(checked_model(model))}
