"""Our own application behind other HTTP servers: `python servers_app.py KIND MODEL PORT`, with ours in PYTHONPATH."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from dropforge.inference.protocols.common import MOST_BYTES
from dropforge.serve.pace import Pace
from dropforge.serve.routes import reply, routed
from dropforge.serve.server import loaded


def uvicorn(app: Any, port: int, http: str, loop: str) -> None:
    """As `dropforge serve` but for parser and loop."""
    import uvicorn as server

    server.run(app, port=port, http=http, loop=loop, lifespan="off", log_level="warning", access_log=False)


def granian(app: Any, port: int) -> None:
    """By its own protocol, which hands the whole body over in one call."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    async def rsgi(scope: Any, protocol: Any) -> None:
        body = await protocol()
        answer = reply(routed(scope.method, scope.path, dict(scope.headers.items()), body), app.files)
        protocol.response_bytes(answer.status, list(answer.headers.items()), answer.body)

    asyncio.run(Server(rsgi, port=port, interface=Interfaces.RSGI, log_enabled=False).serve())


def hypercorn(app: Any, port: int) -> None:
    """ASGI."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(app, config))


def aiohttp(app: Any, port: int) -> None:
    """A handler of its own."""
    from aiohttp import web

    async def route(request: Any) -> Any:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = reply(routed(request.method, request.raw_path, headers, await request.read()), app.files)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    served = web.Application(client_max_size=MOST_BYTES)
    served.router.add_route("*", "/{path:.*}", route)
    web.run_app(served, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    kind, model, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    Pace.is_quick = lambda *_: not kind.endswith("in a thread")  # type: ignore[assignment]  # all or none
    application = loaded([f"cancer={model}"], None)
    if kind.startswith("uvicorn"):
        parser = "h11" if "h11" in kind else "httptools"
        uvicorn(application, port, parser, "uvloop" if "uvloop" in kind else "asyncio")
    else:
        {"granian rsgi": granian, "hypercorn": hypercorn, "aiohttp": aiohttp}[kind](application, port)
