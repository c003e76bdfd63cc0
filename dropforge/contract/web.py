"""Keeps web pages out of a server that listens on this machine alone.

Browsers say where a request comes from in headers that a page can neither set nor leave out; programs send none of
them. A foreign `Host` is a name that somebody lets point to this machine, to pass for its own origin (DNS rebinding).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = ("127.0.0.1", "localhost")


def is_loopback(host: str) -> bool:
    """Whether an address that a server listens on can only be reached from this machine."""
    return host in (*LOOPBACK, "::1") or host.startswith("127.")


def refusal(sent: Mapping[str, str], hosts: tuple[str, ...] = (), origins: tuple[str, ...] = ()) -> str:
    """Why a request with these headers is refused; empty if it is not.

    Args:
        sent: the headers, names in lower case.
        hosts: names that `Host` may have besides those of this machine; `*` for any.
        origins: origins of pages that may ask; `*` for any.
    """
    site, host = sent.get("sec-fetch-site", "none"), sent.get("host", LOOPBACK[0])
    name = (host if host.startswith("[") else host.partition(":")[0]).lower()
    local = name in LOOPBACK or name.endswith(".localhost") or name.startswith("[::1]")
    if not local and "*" not in hosts and name not in hosts:
        return f"Host {host!r}: expected {' or '.join((*LOOPBACK, *hosts))}"
    origin = sent.get("origin", "")
    if (origin or site != "none") and "*" not in origins and origin not in origins:
        return f"a web page ({origin or site!r}) asked: expected a program, or an address typed by hand"
    return ""
