"""One shape for every benchmark's result: a table on the screen and `benchmarks/results/NAME.json`."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One measure; `peer_value` was taken in the same run."""

    measure: str
    value: float
    unit: str
    better: Literal["lower", "higher"]
    target: float | None = None
    peer: str | None = None
    peer_value: float | None = None


def machine() -> str:
    """Processor, cores and memory, in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"
    )


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def publish(name: str, rows: list[Row], packages: list[str], dials: Sequence[str] = ()) -> Path:
    """Prints the table and writes the JSON document; gives its path.

    Args:
        name: of the benchmark.
        rows: of the table.
        packages: whose versions matter.
        dials: variables of the environment that shape a run: those that are set stand in its command.
    """
    given = "".join(f"{dial}={os.environ[dial]} " for dial in dials if dial in os.environ)
    table = Table("measure", "value", "unit", "target", "peer", "peer value", title=name)
    for row in rows:
        table.add_row(row.measure, _shown(row.value), row.unit, _shown(row.target), row.peer, _shown(row.peer_value))
    Console(width=160).print(table)
    document = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{package: version(package) for package in packages}},
        "command": f"{given}make bench-{name}",
        "rows": [asdict(row) for row in rows],
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path
