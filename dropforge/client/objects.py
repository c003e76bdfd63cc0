"""Objects of S3 that a caller names by URI, such as `s3://bucket/houses.csv`, read with the connection's own keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dropforge.client.faults import Fault, readable
from dropforge.client.pictures import CONTENT_TYPES
from dropforge.contract.names import FORMATS, format_of

if TYPE_CHECKING:
    from dropforge.client.connection import Connection

SCHEME = "s3://"
ABSENT = ("404", "NoSuchKey", "NoSuchBucket")


def is_uri(place: str | Path) -> bool:
    """Whether it is the URI of an object in S3."""
    return isinstance(place, str) and place.lower().startswith(SCHEME)


def downloaded(connection: Connection, uri: str, folder: Path) -> Path:
    """The path of the object's copy in `folder`, under the last part of its key.

    Raises:
        Fault: there is no such object, it may not be read, or its ending is none that can be read.
    """
    bucket, _, key = uri[len(SCHEME) :].partition("/")
    name = key.rpartition("/")[2]
    if not bucket or not name:
        raise Fault(f"{uri!r}: expected s3://BUCKET/KEY of one file", "s3_uri", "file")
    if format_of(name) is None and Path(name).suffix.lower() not in CONTENT_TYPES:
        raise Fault(f"{uri}: expected a name ending in {', '.join(FORMATS)}, or a picture", "unknown_format", "file")
    path = folder / name
    with readable(f"reading {uri}", connection.where):
        try:
            connection.client("s3").download_file(bucket, key, str(path))
        except ClientError as fault:
            if fault.response.get("Error", {}).get("Code") in ABSENT:
                raise Fault(f"no such object: {uri} (looked at {connection.where})", "no_such_file", "file") from fault
            raise
    return path
