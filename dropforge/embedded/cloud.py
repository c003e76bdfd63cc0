"""`dropforge up`, `down` and `status`: an embedded cloud with the stack deployed into it, in one folder.

from dropforge.embedded import cloud
connection = cloud.up(home=Path(".dropforge"), port=None, report=print)
cloud.status(Path(".dropforge"))
cloud.down(Path(".dropforge"))
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dropforge.contract.documents import Record
from dropforge.embedded import deploy, lock, node, process, sources
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.home import Home, read_json, write_json
from dropforge.embedded.keys import root_secret
from dropforge.embedded.settings import ACCESS_KEY, REGION, Address
from dropforge.embedded.tls import certificate
from dropforge.embedded.training import guard

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CloudFault", "Status", "down", "status", "up"]

Report = Callable[[str], None]
JOB_STOP_SECONDS = 3.0
"""How long `down` waits for training jobs beyond their grace."""


class Status(Record):
    """The state of an embedded cloud, as known without starting anything."""

    home: str
    running: bool
    """Whether a server process is running."""
    healthy: bool
    """Whether it answers."""
    pid: int | None
    port: int | None
    strict: bool
    endpoint_url: str | None
    deployed: bool
    """Whether a stack is deployed into it."""
    current: bool
    """Whether the stack was deployed from the current sources."""
    api_url: str | None
    drop_bucket: str | None
    """The bucket to drop data sets into, with any S3 client."""


def up(*, home: Path, port: int | None, strict: bool = False, report: Report) -> dict[str, Any]:
    """Start the cloud with the current stack in it; a running cloud is reused.

    `port`: the port to listen on; None or 0 takes the last one, 4566 or any free one. `report` gets one line a step.
    Returns what `<home>/connection.json` then holds.

    Raises:
        CloudFault: something is missing or failed; the message is one line.
    """
    place, root = Home(home.resolve()), sources.project_root()
    tools = node.find(root)
    with _alone(place):
        server = _server(place, port, strict, report)
        try:
            outputs = deploy.ensure(deploy.Cdk(place, root, tools, server.address, report))
        except BaseException:
            if not place.deployment.exists():
                process.stop(server)  # nothing existed before, so nothing incomplete may remain
            raise
        connection = _connection(place, server, outputs)
        write_json(place.connection, connection)
    report(f"ready at {connection['endpoint_url']}")
    return connection


def down(home: Path, report: Report = lambda _line: None) -> bool:
    """Stop the cloud, its functions and its training jobs, and keep its state; False if nothing was running.

    A run in progress begins again with the next `up`. `report` gets one line a step.
    """
    place = Home(home.resolve())
    if not place.root.exists():
        return False
    with _alone(place):
        server = process.find(place)
        if server is None:
            return False
        report("saving the state and stopping")
        jobs = len(list(place.training.glob("*")))
        if jobs:
            report(
                f"stopping {jobs} training job{'s' if jobs > 1 else ''} too; the next `dropforge up` starts it again"
            )
        process.stop(server, report)
        for folder in (place.training, place.temporary):
            _remove(folder)
    return True


def _remove(folder: Path) -> None:
    """Remove a folder in which a training job may still write until its guard has ended it."""
    deadline = time.monotonic() + guard.ORPHAN_SECONDS + JOB_STOP_SECONDS
    shutil.rmtree(folder, ignore_errors=True)
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


def status(home: Path) -> Status:
    """The state of the cloud in this home."""
    place = Home(home.resolve())
    server = process.find(place)
    deployed = read_json(place.deployment)
    connection = read_json(place.connection) or {}
    return Status(
        home=str(place.root),
        running=server is not None,
        healthy=server is not None and process.healthy(place, server.address),
        pid=server.pid if server else None,
        port=server.address.port if server else None,
        strict=server.address.strict if server else False,
        endpoint_url=server.address.url if server else None,
        deployed=deployed is not None,
        current=deployed is not None and deployed["digest"] == sources.stack_digest(sources.project_root()),
        api_url=connection.get("api_url") if server else None,
        drop_bucket=connection.get("outputs", {}).get("DropBucket") if server else None,
    )


def _server(place: Home, port: int | None, strict: bool, report: Report) -> process.Server:
    """The running server, or a newly started one."""
    server = process.find(place)
    if server is not None:
        _same_wish(server.address, port, strict)
        report(f"using the running embedded cloud on port {server.address.port}")
        return server
    if strict:
        certificate(place.tls)
    last = (read_json(place.connection) or {}).get("port")
    address = Address(process.choose_port(port, last), strict)
    report(f"starting the embedded cloud on port {address.port}")
    return process.start(place, address)


def _same_wish(running: Address, port: int | None, strict: bool) -> None:
    if running.strict != strict:
        modes = {True: "strict", False: "plain"}
        raise CloudFault(
            f"the cloud runs in {modes[running.strict]} mode, expected {modes[strict]}: run `dropforge down` first"
        )
    if port and port != running.port:
        raise CloudFault(f"the cloud runs on port {running.port}, expected {port}: run `dropforge down` first")


def _connection(place: Home, server: process.Server, outputs: dict[str, str]) -> dict[str, Any]:
    stage = outputs["ApiUrl"].rstrip("/").rpartition("/")[2]
    return {
        "endpoint_url": server.address.url,
        "region": REGION,
        "access_key": ACCESS_KEY,
        "secret_key": root_secret(place),
        "ca_bundle": str(place.tls / "server.crt") if server.address.strict else None,
        "api_url": f"{server.address.url}/_aws/execute-api/{outputs['ApiId']}/{stage}",
        "outputs": outputs,
        "pid": server.pid,
        "port": server.address.port,
    }


@contextmanager
def _alone(place: Home) -> Iterator[None]:
    """Allows one `up` or `down` at a time in a home; the next one waits."""
    place.root.mkdir(parents=True, exist_ok=True, mode=0o700)  # it contains data sets and keys
    descriptor = lock.take(place.command_lock, wait=True)
    assert descriptor is not None
    try:
        yield
    finally:
        os.close(descriptor)
