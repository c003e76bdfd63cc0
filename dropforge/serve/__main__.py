"""`python -m dropforge.serve` starts the server without the packages of the command line."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import fields
from typing import Any

from dropforge.serve.faults import ServeFault
from dropforge.serve.server import serve
from dropforge.serve.settings import Settings

FLAGS = {
    "--any-reload": "accept a changed file whose task, columns or classes are others",
    "--repository": "let requests load and unload models",
    "--access-log": "log every request",
}
MANY = {
    "--allow-host": ("NAME", "a name that Host may have; * for any"),
    "--allow-origin": ("ORIGIN", "an origin whose pages may ask; * for any"),
}
PATHS = {
    "--token-file": "file of tokens, one a line: each request needs one",
    "--tls-cert": "file of the TLS certificate",
    "--tls-key": "file of its private key",
    "--shadow": "model file that is asked the same rows after each answer; /metrics says how the two differ",
}
SETTINGS = {"allow_host": "hosts", "allow_origin": "origins", "tls_cert": "certificate", "tls_key": "key"}
"""Options whose setting has another name."""


def main() -> int:
    """Runs the server; returns 0 after an orderly stop and 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python -m dropforge.serve", description="Serve models over HTTP.")
    parser.add_argument("models", nargs="+", metavar="MODEL", help="model file, run's folder, NAME=either, or a folder")
    parser.add_argument("--name", help="the name to serve a single model under")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on, default 127.0.0.1")
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT", "8080"),
                        help="0 for any free one, default $PORT (which some clouds set), or 8080")  # fmt: skip
    parser.add_argument("--workers", type=_workers, default=1, help="processes, default 1")
    for flag, described in FLAGS.items():
        parser.add_argument(flag, action="store_true", help=described)
    for option, (metavar, described) in MANY.items():
        parser.add_argument(option, action="append", default=[], metavar=metavar, help=described)
    for option, described in PATHS.items():
        parser.add_argument(option, metavar="FILE", help=described)
    given = vars(parser.parse_args())
    names = {field.name for field in fields(Settings)}
    told = {SETTINGS.get(name, name): given.pop(name) for name in [*given] if SETTINGS.get(name, name) in names}
    found: Any = {name: tuple(value) if type(value) is list else value for name, value in told.items()}
    try:
        serve(**given, report=lambda text: print(text, flush=True), settings=Settings(**found))
    except ServeFault as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2
    return 0


def _port(text: str) -> int:
    return _within(text, 0, 65_535)


def _workers(text: str) -> int:
    return _within(text, 1, 256)


def _within(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, got {text[:20]!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
