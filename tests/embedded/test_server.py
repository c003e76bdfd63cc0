"""The server as a process: what it opens, what it keeps, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from dropforge.embedded import process
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.home import Home
from dropforge.embedded.keys import credentials
from dropforge.embedded.settings import Address, server_environment
from tests.embedded.conftest import Cloud, eventually, free_port

Maker = "Callable[..., dict[str, Any]]"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_kill_loses_no_saved_state_and_no_process_outlives_it(own: Cloud, request_of: Maker) -> None:
    own.make()
    own.client("dynamodb").create_table(
        TableName="kept",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    request = request_of("resist", StoppingCondition={"MaxRuntimeInSeconds": 4})
    execution = own.start(request)
    job = own.home.training / request["TrainingJobName"]
    pid = int(eventually(lambda: (job / "output/data/pid").exists() and (job / "output/data/pid").read_text()))
    saved = own.home.state / "stepfunctions.json"
    eventually(lambda: saved.exists() and "TaskScheduled" in saved.read_text())
    server = process.find(own.home)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))
    eventually(lambda: process.find(own.home) is None)
    process.start(own.home, own.address)
    assert own.client("dynamodb").list_tables()["TableNames"] == ["kept"]
    assert own.client("s3").get_object(Bucket="store", Key="in/data/sub/rows.csv")["Body"].read() == b"a,b\n1,2\n"
    ended = own.result(execution)
    assert json.loads(ended["cause"])["SecondaryStatus"] == "MaxRuntimeExceeded"  # it ran again, to its end
    eventually(lambda: list(own.home.training.iterdir()) == [])


def test_a_stop_saves_everything(own: Cloud) -> None:
    own.client("sqs").create_queue(QueueName="kept")
    server = process.find(own.home)
    assert server is not None
    process.stop(server)
    assert process.find(own.home) is None
    process.start(own.home, own.address)
    assert own.client("sqs").list_queues()["QueueUrls"]


def test_a_second_server_in_the_same_home_says_so(own: Cloud) -> None:
    with pytest.raises(CloudFault, match="another server runs"):
        process.start(own.home, Address(free_port(), strict=False))


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CloudFault, match=f"port {port} is taken"):
            process.choose_port(port, None)
        assert process.choose_port(None, port) != port


def test_a_server_that_dies_gives_its_last_line(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.state.parent.mkdir(exist_ok=True)
    home.training.write_text("a file where a folder should be")
    with pytest.raises(CloudFault, match="the server died at start: FileExistsError"):
        process.start(home, Address(free_port(), strict=False))


def test_nothing_of_the_users_own_accounts_gets_in(tmp_path: Path) -> None:
    mine = {"AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "AKIA1", "HTTPS_PROXY": "http://proxy", "PATH": "/bin"}
    environ = server_environment(Home(tmp_path), Address(4566, strict=True), credentials(Home(tmp_path)), mine)
    assert "AWS_PROFILE" not in environ and "HTTPS_PROXY" not in environ
    assert environ["AWS_ACCESS_KEY_ID"] == "test"
    assert environ["AWS_ENDPOINT_URL"] == "https://127.0.0.1:4566"
    assert environ["AWS_CA_BUNDLE"].startswith(str(tmp_path))


def test_strict_mode_opens_one_port_on_this_machine_alone(tmp_path: Path) -> None:
    from dropforge.embedded.tls import certificate

    home, address = Home(tmp_path), Address(free_port(), strict=True)
    certificate(home.tls)
    server = process.start(home, address)
    try:
        assert listening(server.pid) == {f"0100007F:{address.port:04X}"}
    finally:
        process.stop(server)


def listening(pid: int) -> set[str]:
    """Addresses, in /proc's hex, that a process listens on (IPv4 and IPv6)."""
    if not Path("/proc/net/tcp").exists():
        pytest.skip("needs /proc")
    sockets = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                found.add(words[1])
    return found
