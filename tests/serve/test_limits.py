"""Clients that send too much, too slowly or nothing: they are refused or ended, and everybody else is answered."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from dropforge.serve import connections
from dropforge.serve.app import App
from dropforge.serve.refusals import Seldom
from dropforge.serve.settings import Settings
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serve.conftest import place_run, until
from tests.serve.running import ask, connected, heard, parsed, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = Settings(silent_seconds=0.5, header_seconds=0.5, body_seconds=0.5, kept_seconds=1, most_connections=40)
START = b"POST /models/flowers/predict HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files.of(find([str(place_run(tmp_path_factory.mktemp("serve"), "multiclass"))]))


@pytest.fixture(scope="module")
def port(files: Files) -> Iterator[int]:
    """Of a server with short limits."""
    with running(App(files, SHORT)) as found:
        yield found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", None),
        (START[:20], 408),
        (START + b"X-A: b\r\n", 408),
        (START + b"Content-Length: 10\r\n\r\n[", 408),
        (START + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", 408),
    ],
)
def test_a_client_that_stops_sending_is_ended(port: int, sent: bytes, status: int | None) -> None:
    answer = heard(connected(port, sent))
    assert (parsed(answer).status if answer else None) == status


@pytest.mark.parametrize("drop", [b"X-A: b\r\n", b"x"])
def test_a_client_that_sends_a_little_now_and_then_is_ended(port: int, drop: bytes) -> None:
    connection = connected(port, START if drop != b"x" else START + b"Content-Length: 1000\r\n\r\n")
    connection.settimeout(0.1)
    answer = b""
    for _ in range(100):
        try:
            connection.sendall(drop)
            answer = connection.recv(10_000)
        except TimeoutError:
            continue
        except OSError:
            break
        break
    connection.close()
    assert parsed(answer).status == 408


@pytest.mark.parametrize(
    "headers", [b"X-A: " + b"a" * 300_000, b"".join(b"X-%d: a\r\n" % at for at in range(20_000)), b"a" * 2_000_000]
)
def test_long_headers_are_refused(port: int, headers: bytes) -> None:
    connection = connected(port, b"GET /v2/models/flowers HTTP/1.1\r\nHost: localhost\r\n")
    try:
        for at in range(0, len(headers), 50_000):
            connection.sendall(headers[at : at + 50_000])
    except OSError:
        pass
    reply = parsed(heard(connection))
    assert reply.status == 431 and "65536 bytes of headers" in reply.body["error"], "as the path's protocol says it"


def test_a_long_path_is_refused(port: int) -> None:
    assert parsed(heard(connected(port, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n"))).status == 431


def test_trailers_have_the_limit_of_headers(port: int) -> None:
    connection = connected(port, START + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ")
    try:
        for _ in range(200):
            connection.sendall(b"a" * 50_000)
    except OSError:
        pass
    assert parsed(heard(connection)).status == 431


def test_what_is_not_http_is_refused(port: int) -> None:
    assert parsed(heard(connected(port, b"no http\r\n\r\n"))).status == 400
    upgrade = b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert parsed(heard(connected(port, upgrade))).status in (200, 400)


def test_silent_connections_keep_nobody_out(files: Files) -> None:
    with running(App(files, Settings(most_connections=30))) as port:
        silent = [connected(port) for _ in range(100)]
        assert ask(port, "GET", "/v2/health/live").status == 200
        assert ask(port, "GET", "/models").status == 200
        for each in silent:
            each.close()


def test_where_all_are_being_answered_health_still_is(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SPARE", 4)
    app = App(files, Settings(most_connections=5))
    with running(app) as port:
        busy = [connected(port, START + b"Content-Length: 2\r\n\r\n[") for _ in range(5)]
        until(lambda: len(app.watch.connections) == 5)
        for each in app.watch.connections:
            each.phase = connections.Phase.ANSWER
        assert ask(port, "GET", "/v2/health/ready").status == 200
        refused = ask(port, "GET", "/v2/models/flowers")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert isinstance(refused.body["error"], str)
        for each in busy:
            each.close()


def test_bodies_that_are_held_at_a_time_are_bounded(files: Files) -> None:
    app = App(files, Settings(most_body_bytes=1_000))
    with running(app) as port:
        assert ask(port, "POST", "/models/flowers/predict", b" " * 1_001).status == 503
        assert ask(port, "POST", "/models/flowers/predict", b"[{}]").status == 422
        until(lambda: app.held == [0])


def test_refusals_are_logged_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    seldom = Seldom(seconds=1e-9)
    often = Seldom()
    for at in range(1_000):
        often.log("refused", status=at)
    seldom.log("refused")
    seldom.log("refused")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("status") for line in lines] == [0, None, None]
    often._last.clear()
    often.log("refused")
    assert json.loads(capsys.readouterr().out)["more"] == 999


def test_fewer_connections_than_files() -> None:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 16 <= connections.affordable() < resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= soft


def test_a_stopped_server_does_not_wait_for_silent_clients(files: Files) -> None:
    with running(App(files)) as port:
        silent = connected(port)
    with silent, pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
