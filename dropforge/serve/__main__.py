"""`python -m dropforge.serve` starts the server without the packages of the command line."""

from __future__ import annotations

import argparse
import os
import sys

from dropforge.serve.faults import ServeFault
from dropforge.serve.server import serve


def main() -> int:
    """Runs the server; returns 0 after an orderly stop and 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python -m dropforge.serve", description="Serve models over HTTP.")
    parser.add_argument("models", nargs="+", metavar="MODEL", help="model file, run's folder, NAME=either, or a folder")
    parser.add_argument("--name", help="the name to serve a single model under")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on, default 127.0.0.1")
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT", "8080"),
                        help="0 for any free one, default $PORT (which some clouds set), or 8080")  # fmt: skip
    parser.add_argument("--workers", type=_workers, default=1, help="processes, default 1")
    given = parser.parse_args()
    try:
        serve(**vars(given), report=lambda text: print(text, flush=True))
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
