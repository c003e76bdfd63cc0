"""The embedded cloud's server: MiniStack with the training seam and the missing metrics, on 127.0.0.1.

Run: `python -m dropforge.embedded.server --home .dropforge --port 4566 [--strict]`; it stays in the foreground, saves
its state while it runs and once more on SIGTERM. `dropforge up` starts it in the background.
"""

from __future__ import annotations

import argparse
import asyncio
import contextvars
import importlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropforge.embedded import lock
from dropforge.embedded.guard import guarded
from dropforge.embedded.home import Home
from dropforge.embedded.keys import credentials
from dropforge.embedded.resume import resume
from dropforge.embedded.settings import ADDRESS, Address, server_environment
from dropforge.embedded.tls import certificate
from dropforge.embedded.training import container
from dropforge.embedded.writes import deliver_what_is_left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.embedded.journal import Journal
    from dropforge.embedded.persistence import Saver


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m dropforge.embedded.server", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--strict", action="store_true")
    chosen = parser.parse_args(arguments)
    home, address = Home(chosen.home.resolve()), Address(chosen.port, chosen.strict)
    claim(home, address)
    prepare(home, address)
    asyncio.run(serve(home, address))
    sys.stdout.flush()
    os._exit(0)  # all is saved; the threads of running executions would be waited for otherwise


def claim(home: Home, address: Address) -> None:
    """Hold the home's lock until the process ends, and write pid, port and mode to it."""
    descriptor = lock.take(home.server_lock)
    for _ in range(20):  # a concurrent `status` may hold the lock for a moment
        if descriptor is not None:
            break
        time.sleep(0.05)
        descriptor = lock.take(home.server_lock)
    if descriptor is None:
        sys.exit(f"another server runs in {home.root}: stop it with `dropforge down`")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()} {address.port} {'strict' if address.strict else 'plain'}\n".encode(), 0)


def prepare(home: Home, address: Address) -> None:
    """Remove what a killed server left incomplete, and set the environment that MiniStack reads at import."""
    for marked in home.training.glob(f"*/{container.MARK}"):
        container.remove(marked.parent.name)
    for folder in (home.training, home.temporary):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    _forget_jobs(home)
    if address.strict:
        certificate(home.tls)
    environ = server_environment(home, address, credentials(home))
    os.environ.clear()
    os.environ.update(environ)


def _forget_jobs(home: Home) -> None:
    """Forget the jobs whose end no saved execution knows: it begins again, and requests the same name."""
    saved = home.state / "stepfunctions.json"
    known = saved.read_text() if saved.exists() else ""
    for record in home.jobs.glob("*.json"):
        if record.stat().st_size == 0 or f"training-job/{record.stem}" not in known:
            record.unlink()


async def serve(home: Home, address: Address) -> None:
    """Run MiniStack with everything registered, in this event loop, until a signal asks to stop."""
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config

    from dropforge.embedded import events, logs, media, metrics, ranges, roles, sagemaker, signatures, workers, writes
    from dropforge.embedded.journal import Journal
    from dropforge.embedded.persistence import Saver

    application = importlib.import_module("ministack.app").app
    sagemaker.register(home, address)
    metrics.register()
    events.register()
    logs.register()
    ranges.register()
    media.register()
    workers.register()
    journal = Journal(home.journal)
    home.objects.mkdir(parents=True, exist_ok=True)
    writes.register(journal, home.objects)
    if address.strict:
        from dropforge.embedded import namespaces

        namespaces.register()
        roles.register()
        application = signatures.signed(application)
    saver = Saver(journal)
    saver.start()
    config = Config()
    config.bind = [f"{ADDRESS}:{address.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    if address.strict:
        config.certfile, config.keyfile = str(home.tls / "server.crt"), str(home.tls / "server.key")
    await run(guarded(_watched(application, saver, journal)), config, shutdown_trigger=lambda: _stopped(saver))


async def _stopped(saver: Saver) -> None:
    """Return after a signal and the end of the saver; MiniStack then saves a last time by itself."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await asyncio.to_thread(saver.stop)


def _watched(application: Any, saver: Saver, journal: Journal) -> Any:
    """The application, wrapped so that the saver and the API's metrics see every request."""
    from dropforge.embedded.metrics import api

    measured = api.measured(application)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await measured(scope, receive, _then_resume(send, journal) if scope["type"] == "lifespan" else send)
        saver.changed()

    return app


def _then_resume(send: Any, journal: Journal) -> Any:
    """`send` of the application's life, which goes on with interrupted executions once MiniStack is up."""

    async def sending(message: Any) -> None:
        await send(message)
        if message["type"] == "lifespan.startup.complete":
            contextvars.Context().run(resume)
            contextvars.Context().run(deliver_what_is_left, journal)

    return sending


if __name__ == "__main__":
    main()
