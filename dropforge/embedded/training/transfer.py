"""Transfers files between S3 and /opt/ml as SageMaker does, with the credentials of the job's own role."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

import boto3
from boto3.s3.transfer import TransferConfig

from dropforge.contract.errors import ServiceError
from dropforge.embedded.keys import root_secret
from dropforge.embedded.settings import ACCESS_KEY, REGION

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.embedded.home import Home
    from dropforge.embedded.settings import Address
    from dropforge.embedded.training.layout import Layout

IN_ONE_THREAD = TransferConfig(use_threads=False)


class TransferFault(ServiceError, RuntimeError):
    """An input that is not there; SageMaker calls it a client error."""


def role_session(home: Home, address: Address, role: str, job: str) -> Any:
    """A boto3 session with credentials of the training role; the certificate comes from the environment."""
    sts = boto3.client(
        "sts",
        endpoint_url=address.url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=root_secret(home),
    )
    found = sts.assume_role(RoleArn=role, RoleSessionName=job)["Credentials"]
    return boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], REGION)


def split(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an `s3://` URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def fetch_inputs(s3: Any, request: dict[str, Any], layout: Layout) -> None:
    """Download every channel, and the checkpoints of an earlier job, if any.

    Raises:
        TransferFault: a channel's prefix has no objects.
    """
    for channel in request.get("InputDataConfig", []):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        if not fetch(s3, uri, layout.channel(channel["ChannelName"])):
            raise TransferFault(f"Data download failed: No S3 objects found under S3 URL {uri!r}")
    if "CheckpointConfig" in request:
        fetch(s3, request["CheckpointConfig"]["S3Uri"], layout.checkpoints)


def fetch(s3: Any, uri: str, folder: Path) -> int:
    """Download all objects under a prefix, keeping the path below its last `/`; returns their number."""
    bucket, prefix = split(uri)
    base, count = prefix[: prefix.rfind("/") + 1], 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            file = (folder / found["Key"].removeprefix(base)).resolve()
            if found["Key"].endswith("/") or not file.is_relative_to(folder.resolve()):
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, found["Key"], str(file), Config=IN_ONE_THREAD)
            count += 1
    return count


def store_checkpoints(s3: Any, request: dict[str, Any], layout: Layout) -> None:
    """Upload the checkpoints to where the next job finds them."""
    if "CheckpointConfig" in request:
        _store(s3, layout.checkpoints, request["CheckpointConfig"]["S3Uri"].rstrip("/"), {})


def store_outputs(s3: Any, request: dict[str, Any], layout: Layout) -> str:
    """Upload model and output files; returns `S3ModelArtifacts`: a prefix, or the archive's URI."""
    config = request["OutputDataConfig"]
    base = f"{config['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output"
    key = config.get("KmsKeyId")
    secrecy = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    if config.get("CompressionType") == "NONE":
        _store(s3, layout.model, f"{base}/model", secrecy)
        _store(s3, layout.output, f"{base}/data", secrecy)
        return f"{base}/model/"
    for folder, name in ((layout.model, "model.tar.gz"), (layout.output, "output.tar.gz")):
        archive = layout.root / name
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(folder, arcname=".")
        _send(s3, archive, f"{base}/{name}", secrecy)
    return f"{base}/model.tar.gz"


def _store(s3: Any, folder: Path, uri: str, secrecy: dict[str, str]) -> None:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            _send(s3, file, f"{uri}/{file.relative_to(folder).as_posix()}", secrecy)


def _send(s3: Any, file: Path, uri: str, secrecy: dict[str, str]) -> None:
    bucket, key = split(uri)
    s3.upload_file(str(file), bucket, key, ExtraArgs=secrecy or None, Config=IN_ONE_THREAD)
