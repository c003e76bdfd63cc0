"""`make bench-servers`: which HTTP server, and loop or thread, for `dropforge serve`; one application behind all.

`DROPFORGE_PEERS` names a folder with the environment `servers` (`install_peers.sh FOLDER servers`).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from benchmarks.report import Row, publish
from benchmarks.serving.client import seconds
from benchmarks.serving.contestants import CONTESTANTS, ROOT, free, python_of, started
from benchmarks.serving.model import rows, trained
from benchmarks.serving.race import COUNTS, ROUNDS, Times, first
from dropforge.serve.pace import PATIENCE

KINDS = ("uvicorn httptools", "uvicorn httptools uvloop", "uvicorn h11", "uvicorn httptools, every request in a thread",
         "granian rsgi", "hypercorn", "aiohttp")  # fmt: skip
"""As `peers/servers_app.py` knows them."""


def measured(model: Path, python: Path) -> Times:
    """Seconds of every answer, the servers taking turns."""
    program = Path(__file__).parent / "peers" / "servers_app.py"
    requests = {count: CONTESTANTS[0].request((rows() * 2)[:count]) for count in COUNTS}
    times: Times = defaultdict(list)
    with ExitStack() as stack:
        clients = {}
        for at, kind in enumerate(KINDS):
            port = free()
            words = [str(python), str(program), kind, str(model), str(port)]
            clients[kind] = stack.enter_context(started(words, port, model.parent / f"{at}.log", str(ROOT)))
            first(clients[kind], requests[1], kind)
        for at in range(ROUNDS):
            for kind in KINDS[at % len(KINDS) :] + KINDS[: at % len(KINDS)]:
                for count, repeats in COUNTS.items():
                    times[kind, count] += seconds(clients[kind], requests[count], repeats)
    return times


if __name__ == "__main__":
    python = python_of(Path(os.environ.get("DROPFORGE_PEERS", "")), "servers")
    if not python.exists():
        sys.exit(f"{python}: no such file; expected DROPFORGE_PEERS=FOLDER after install_peers.sh FOLDER servers")
    with tempfile.TemporaryDirectory(prefix="dropforge-servers-") as folder:
        times = measured(trained(Path(folder)), python)
    found = [Row(f"{kind}, {count} row{'s' * (count > 1)}, p50", statistics.median(times[kind, count]) * 1000, "ms",
                 "lower") for count in COUNTS for kind in KINDS]  # fmt: skip
    publish("servers", found, ["httptools", "numpy", "onnxruntime", "uvicorn"])
    print(f"dropforge serve: uvicorn httptools, in a thread what likely takes longer than {PATIENCE * 1000:g} ms")
