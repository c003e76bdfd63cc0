"""Finds the embedded cloud: its folder, whether it is running, and how to reach it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import urllib3

from dropforge.client.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".dropforge"
FILE = "connection.json"
HEALTH = "/_ministack/health"
FIELDS = ("endpoint_url", "region", "access_key", "secret_key", "ca_bundle", "api_url", "outputs", "pid")


def find_home(start: Path) -> Path | None:
    """`.dropforge/` of `start` or its nearest parent that has one with a connection in it."""
    homes = (folder / FOLDER for folder in (start, *start.parents))
    return next((home for home in homes if (home / FILE).is_file()), None)


def running(home: Path) -> dict[str, Any] | None:
    """How to reach the cloud in `home`; None if it is not running.

    Raises:
        Fault: the connection file is damaged.
    """
    try:
        found: Any = json.loads((home / FILE).read_text(encoding="utf-8"))
        connection = {name: found[name] for name in FIELDS}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        message = f"{home / FILE} cannot be used ({fault!r}): run `dropforge up` again to write it"
        raise Fault(message, "damaged_connection") from fault
    return connection if _alive(int(connection["pid"])) and _answers(connection) else None


def not_running(home: Path) -> Fault:
    """The fault for a cloud that is stopped or was never started."""
    return Fault(f"the embedded cloud in {home} is not running: start it with `dropforge up`", "not_running")


def _alive(pid: int) -> bool:
    """Whether the server's process is running, as another cloud may use the port of a dead one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(connection: dict[str, Any]) -> bool:
    verify = {"ca_certs": connection["ca_bundle"]} if connection["ca_bundle"] else {}
    with urllib3.PoolManager(retries=False, timeout=5.0, **verify) as pool:
        try:
            answer = pool.request("GET", f"{connection['endpoint_url']}{HEALTH}")
        except (urllib3.exceptions.HTTPError, OSError):
            return False
        return answer.status == 200
