"""The server: one process per worker on one socket, with an orderly stop on SIGTERM."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import threading
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from dropforge.contract.web import is_loopback
from dropforge.serve.faults import ServeFault
from dropforge.serve.settings import FOLDER, Settings
from dropforge.serve.sources import find

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.serve.app import App
    from dropforge.serve.shadow import Shadow
    from dropforge.serve.store import Files

SECONDS_TO_STOP = 25
"""How long a stop waits for requests in progress: Kubernetes kills after 30 seconds."""

BACKLOG = 2048

GIVEN = "DROPFORGE_SERVE"
"""Environment variable of a worker: the models that it serves, as JSON."""


def serve(models: list[str], *, name: str | None, host: str, port: int, workers: int,
          report: Callable[[str], None], settings: Settings | None = None) -> None:  # fmt: skip
    """Serves until SIGTERM or SIGINT.

    Args:
        models: see `dropforge.serve.sources.find`.
        name: the name to serve a single model under, instead of the one in its card.
        host: the address to listen on.
        port: 0 for any free one.
        workers: the number of processes; each has the models in its own memory.
        report: called with the URL once the server listens.
        settings: limits and more; None for those that are usual.

    Raises:
        ServeFault: an argument is not a model, or the port is not available.
    """
    settings = replace(settings or Settings(), loopback=is_loopback(host))
    if settings.certificate:
        checked(settings)
    if workers > 1:
        os.environ.setdefault(FOLDER, mkdtemp(prefix="dropforge-metrics-"))
    application = loaded(models, name, settings)
    with bound(host, port) as listening:
        known = ", ".join(sorted(application.files.served))
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if settings.certificate else "http"
        report(f"serving {known} at {scheme}://{shown}:{listening.getsockname()[1]}")
        if workers == 1:
            _alone(application, listening, settings)
        else:
            os.environ[GIVEN] = json.dumps({"models": models, "name": name, "settings": settings.to_json()})
            _together(listening, workers, settings)


def loaded(models: list[str], name: str | None, settings: Settings | None = None) -> App:
    """The application with its models loaded.

    Raises:
        ServeFault: an argument is not a model.
    """
    from dropforge.serve.app import App
    from dropforge.serve.store import Files

    settings = settings or Settings()
    files = Files.of(find(models, name), any_reload=settings.any_reload)
    files.repository = settings.repository
    files.folders = tuple(Path(each).absolute() for each in models if Path(each).is_dir())
    files.beside = lambda act: threading.Thread(target=act, name="reload").start()
    application = App(files, settings)
    if settings.shadow is not None:
        files.shadow = shadow_of(settings.shadow, files, application)
    _ = application.doors  # a wrong file of tokens ends the start
    return application


def shadow_of(given: str, files: Files, application: App) -> Shadow:
    """The model that is asked beside the one that is served.

    Raises:
        ServeFault: it is no model, or another number of models than one is served.
    """
    from dropforge.serve.shadow import Shadow

    if len(files.served) != 1:
        known = ", ".join(sorted(files.served))
        raise ServeFault(f"--shadow {given}: expected one model to be served beside it, got {known}", "shadow")
    found = find([given])
    if len(found) != 1:
        raise ServeFault(f"--shadow {given}: expected one model file, got {len(found)}", "shadow")
    (name,) = files.served
    return Shadow.of(found[0][1], name, application.metrics)


def of_worker() -> App:
    """The application of one of several workers, configured by the environment that `serve` set."""
    given = json.loads(os.environ[GIVEN])
    return loaded(given["models"], given["name"], Settings.from_json(given["settings"]))


def _alone(application: App, listening: socket.socket, settings: Settings) -> None:
    import uvicorn

    for each in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it again after its orderly stop
        signal.signal(each, lambda *_: None)
    server = uvicorn.Server(uvicorn.Config(application, **_settings(settings)))
    begin = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await begin(sockets)
        listening.listen(BACKLOG)  # uvicorn has made the queue as short as what is accepted at once

    server.startup = startup  # type: ignore[method-assign]
    server.run(sockets=[listening])


def _together(listening: socket.socket, workers: int, settings: Settings) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = uvicorn.Config(f"{__name__}:of_worker", factory=True, workers=workers, **_settings(settings))
    Multiprocess(config, sockets=[listening]).run()


def checked(settings: Settings) -> None:
    """Raises `ServeFault` for a certificate and key that cannot be used together."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.certificate or "", settings.key)
    except OSError as fault:  # ssl's own errors too
        message = (
            f"--tls-cert {settings.certificate}, --tls-key {settings.key}: expected a certificate and its key: {fault}"
        )
        raise ServeFault(message, "certificate") from fault


def _settings(settings: Settings) -> dict[str, Any]:
    """The settings of uvicorn; its own access log costs as much as a prediction."""
    from dropforge.serve.connections import ACCEPTED_AT_ONCE, Connection

    return {
        "http": Connection,
        "backlog": ACCEPTED_AT_ONCE,
        "loop": "asyncio",
        "ws": "none",
        "lifespan": "off",
        "interface": "asgi3",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "ssl_certfile": settings.certificate,
        "ssl_keyfile": settings.key,
        "proxy_headers": False,
        "timeout_keep_alive": settings.kept_seconds,
        "timeout_graceful_shutdown": SECONDS_TO_STOP,
    }


def bound(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ServeFault: the port is taken or not permitted, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, for asyncio switches Nagle's delay off on no other: an answer then took 44 ms instead of 0.4
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError as fault:
        made.close()
        if fault.errno == errno.EADDRINUSE:
            message = f"port {port} of {host} is taken: choose another with --port, or 0 for any free one"
            raise ServeFault(message, "port_taken") from fault
        raise ServeFault(f"cannot listen at {host} port {port}: {fault.strerror or fault}", "cannot_listen") from fault
    made.set_inheritable(True)
    return made
