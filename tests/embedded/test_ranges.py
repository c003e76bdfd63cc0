"""A range of an object's version is that range, however it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.conftest import Cloud

LARGE = bytes(range(256)) * (20 << 12)


def put(cloud: Cloud) -> tuple[Any, dict[str, str]]:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="ranged")
    s3.put_bucket_versioning(Bucket="ranged", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="ranged", Key="large", Body=LARGE)["VersionId"]
    return s3, {"Bucket": "ranged", "Key": "large", "VersionId": version}


def test_a_range_of_a_version(cloud: Cloud, tmp_path: Path) -> None:
    s3, place = put(cloud)
    found = s3.get_object(**place, Range="bytes=10-19")
    assert (found["ContentLength"], found["ContentRange"]) == (10, f"bytes 10-19/{len(LARGE)}")
    assert found["Body"].read() == LARGE[10:20]
    with pytest.raises(ClientError):
        s3.get_object(**place, Range=f"bytes={len(LARGE)}-")
    s3.download_file("ranged", "large", str(tmp_path / "large"), ExtraArgs={"VersionId": place["VersionId"]})
    assert (tmp_path / "large").read_bytes() == LARGE
