"""What the calls of `Dropforge` share: the connection and the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.client.api import Api

if TYPE_CHECKING:
    from dropforge.client.connection import Connection

TIMEOUT = 3_600.0
"""Seconds to wait for a run, by default."""


class BaseClient:
    """A connection to one stack; the calls are in the classes that extend this one.

    Args:
        connection: the cloud that has the stack.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._api = Api(connection)
