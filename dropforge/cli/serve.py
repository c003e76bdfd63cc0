"""`serve`: serves model files over HTTP, without a cloud."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from dropforge.cli.shell import Home, Json, Shell
from dropforge.client.faults import Fault

NEEDED = ("onnxruntime", "uvicorn", "httptools")
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
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Serve model files over HTTP, without AWS.

    Uses the same handler as on AWS, and reloads a model file that changes. Stops on SIGTERM or Ctrl-C.

    Example: dropforge serve model.onnx
    Example: dropforge serve houses=run-0123456789abcdef flowers=flowers.onnx --port 9000
    """
    shell = Shell.of(context, as_json, home)
    missing = next((each for each in NEEDED if importlib.util.find_spec(each) is None), None)
    if missing is not None:
        raise Fault(f"serving needs {missing}, which is not installed: pip install 'dropforge[serve]'", "needs_serve")
    from dropforge.serve.faults import ServeFault
    from dropforge.serve.server import serve as run

    try:
        run(models, name=name, host=host, port=port, workers=workers, report=shell.note)
    except ServeFault as fault:
        raise Fault(str(fault), fault.code) from fault
