"""`serve`: serves model files over HTTP, without a cloud."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from dropforge.cli.shell import Home, Json, Shell
from dropforge.client.faults import Fault

NEEDED = ("onnxruntime", "uvicorn", "httptools", "prometheus_client")
"""Packages of the `serve` extra that the server cannot start without."""


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(serve)


def serve(
    context: typer.Context,
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help="A model file, a run's folder, NAME=either, or a folder of these."),
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The name to serve a single model under.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="NUMBER", min=0, max=65535, help="The port; 0 for any free one.")
    ] = 8080,
    workers: Annotated[
        int,
        typer.Option("--workers", metavar="NUMBER", min=1, max=256, help="Number of processes; each loads the models."),
    ] = 1,
    token_file: Annotated[
        str | None, typer.Option("--token-file", metavar="FILE", help="Tokens, one a line: each request needs one.")
    ] = None,
    certificate: Annotated[str | None, typer.Option("--tls-cert", metavar="FILE", help="The TLS certificate.")] = None,
    key: Annotated[str | None, typer.Option("--tls-key", metavar="FILE", help="Its private key.")] = None,
    hosts: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="NAME", help="A name that Host may have; * for any.")
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", metavar="ORIGIN", help="An origin whose web pages may ask; * for any."),
    ] = None,
    any_reload: Annotated[
        bool, typer.Option("--any-reload", help="Accept a changed file with another task, other columns or classes.")
    ] = False,
    repository: Annotated[bool, typer.Option("--repository", help="Let requests load and unload models.")] = False,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request as a line of JSON.")] = False,
    shadow: Annotated[
        str | None,
        typer.Option("--shadow", metavar="FILE", help="A model that is asked the same; /metrics says how they differ."),
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Serve model files over HTTP, without AWS.

    Uses the same handler as on AWS, and reloads a model file that changes. Stops on SIGTERM or Ctrl-C.

    Example: dropforge serve model.onnx
    Example: dropforge serve houses=run-0123456789abcdef flowers=flowers.onnx --port 9000
    """
    shell = Shell.of(context, as_json, home)
    check_packages()
    from dropforge.serve.faults import ServeFault
    from dropforge.serve.server import serve as run
    from dropforge.serve.settings import Settings

    settings = Settings(
        any_reload=any_reload, repository=repository, access_log=access_log, hosts=tuple(hosts or ()),
        origins=tuple(origins or ()), token_file=token_file, certificate=certificate, key=key,
        shadow=shadow,
    )  # fmt: skip
    try:
        run(models, name=name, host=host, port=port, workers=workers, report=shell.note, settings=settings)
    except ServeFault as fault:
        raise Fault(str(fault), fault.code) from fault


def check_packages() -> None:
    """Raises `Fault` where a package of the server is not installed."""
    missing = next((each for each in NEEDED if importlib.util.find_spec(each) is None), None)
    if missing is not None:
        raise Fault(f"serving needs {missing}, which is not installed: pip install 'dropforge[serve]'", "needs_serve")
