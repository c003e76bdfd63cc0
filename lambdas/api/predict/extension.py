"""The carrier where processes are frozen between calls: an internal extension of Lambda, which works after the answer.

Lambda freezes a sandbox once the function has answered and every extension has asked for the next event. So whatever
is done before that is done while nobody waits. At the start of a call it is decided whether anything is due from the
calls before; usually nothing is, and the next event is asked for at once, so that no call is billed for waiting.

Source: "Using the Lambda Extensions API to create extensions", AWS Lambda Developer Guide.
"""

from __future__ import annotations

import os
import socket
import time
from threading import Thread
from typing import TYPE_CHECKING

from dropforge.contract.log import log
from dropforge.inference.capture.endings import on_end
from lambdas.common.aws_client.connections import CONNECT_SECONDS, Connection, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.inference.capture.buffer import Buffer
    from dropforge.inference.capture.writer import Writer

API = "AWS_LAMBDA_RUNTIME_API"
"""Environment variable of the host that has the Runtime API and the Extensions API."""

NAME = "dropforge-captures"
LEAVING_SECONDS = 0.002
"""How long after the handler's return the response is on its way: the writer's work must not slow it."""

LOOK_SECONDS = 0.001
LONGEST_CALL = 25.0
"""Seconds that an answer is waited for: less than a call of the function may take."""


class Extension:
    """A registered extension, and the thread that asks for its events.

    Args:
        host: `HOST:PORT` of the Extensions API.
        identifier: what the API gave it at its registration.
    """

    def __init__(self, host: str, identifier: str) -> None:
        self._host, self._identifier = host, identifier
        self._serves: tuple[Buffer, Callable[[], Writer]] | None = None
        self._begun = self._done = 0
        """Calls of the function that this extension was told of, and that have been answered."""
        Thread(target=self._run, name="captures", daemon=True).start()

    @classmethod
    def registered(cls) -> Extension | None:
        """Registers at the API; None where the runtime has none."""
        host = os.environ.get(API)
        if not host:
            return None
        try:
            connection = connected(host)
            try:
                response = asked(connection, "POST", "register", host, b'{"events":["INVOKE"]}',
                                 {"Lambda-Extension-Name": NAME})  # fmt: skip
            finally:
                connection.close()
        except OSError as fault:
            log("no extension", level="warning", reason=str(fault))
            return None
        identifier = response.headers.get("lambda-extension-identifier")
        if response.status != 200 or identifier is None:
            return None
        return cls(host, identifier)

    def serves(self, buffer: Buffer, writer: Callable[[], Writer]) -> None:
        """From now on, what waits there is written; also when Lambda ends the sandbox, which it says by SIGTERM.

        Args:
            buffer: where it waits.
            writer: gives who writes it, which is made after the first answer.
        """
        self._serves = buffer, writer
        on_end(self.end)

    def done(self) -> None:
        """The function has answered."""
        self._done += 1

    def end(self) -> None:
        """Writes the rest."""
        if self._serves is not None:
            self._serves[1]().end()

    def _run(self) -> None:
        """Asks for one event after another, each answer being the start of a call."""
        faults = 0
        while faults < 3:
            try:
                connection = connected(self._host)
                while True:
                    headers = {"Lambda-Extension-Identifier": self._identifier}
                    response = asked(connection, "GET", "event/next", self._host, b"", headers)
                    if response.status != 200:
                        log("no extension", level="warning", reason=f"status {response.status}")
                        return
                    faults = 0
                    self._begun += 1
                    self._after_the_answer()
            except OSError:  # a snapshot was taken, and no connection survives one
                faults += 1

    def _after_the_answer(self) -> None:
        if self._serves is None:
            return
        buffer, writer = self._serves
        if not buffer.due():
            return
        until = time.monotonic() + LONGEST_CALL
        while self._done < self._begun and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        time.sleep(LEAVING_SECONDS)
        writer().write()


def connected(host: str) -> Connection:
    """A connection to the API that waits for its events without a limit; `OSError` if there is none."""
    name, _, port = host.partition(":")
    plain = socket.create_connection((name, int(port or 80)), CONNECT_SECONDS)
    plain.settimeout(None)
    return Connection(plain)


def asked(connection: Connection, method: str, path: str, host: str, body: bytes, headers: dict[str, str]) -> Response:
    """One request to the API; `OSError` if it does not answer."""
    lines = [f"{method} /2020-01-01/extension/{path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return connection.exchange("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
