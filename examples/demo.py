"""`make demo` runs the commands that a user would type, on house prices in California.

It starts the embedded cloud, deploys the stack into it, drops all rows but a few, and lets the API predict the prices
of those few. At the end it prints them next to the true prices.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dropforge.client import Dropforge
from examples.datasets import SOURCES, load

if TYPE_CHECKING:
    import polars as pl

HOUSES = "houses"
UNSEEN = 8
"""Number of rows that the model does not see."""
BUDGET = 0.5
"""Minutes of training: enough for a good model, short enough to watch."""
DOLLARS = 100_000
"""The data has prices in units of 100,000 US dollars of 1990."""

console = Console(highlight=False)


def main() -> int:
    """Runs the demo; returns the exit code of the first command that fails, or 0."""
    started = time.monotonic()
    home = Path(".dropforge")
    home.mkdir(exist_ok=True)
    dropped, unseen = write_houses(home)
    spec = home / "houses-spec.yaml"
    spec.write_text(f"target: {SOURCES[HOUSES].target}\nbudget: {BUDGET}\n")
    for command in (["up"], ["drop", str(dropped), "--model", HOUSES, "--spec", str(spec), "--wait"]):
        console.print(f"\n[bold]$ dropforge {' '.join(command)}[/]")
        code = subprocess.run([sys.executable, "-m", "dropforge", *command], check=False).returncode
        if code:
            return code
    show_prices(Dropforge(), unseen)
    console.print(f"\nThe whole demo took {time.monotonic() - started:.0f} s. Try next:")
    console.print("  .venv/bin/dropforge drop YOUR.csv --wait      .venv/bin/dropforge --help")
    console.print("  .venv/bin/dropforge down                      stops the embedded cloud")
    return 0


def write_houses(folder: Path) -> tuple[Path, pl.DataFrame]:
    """Writes the CSV to drop; returns its path and the rows that are not in it."""
    frame = load(HOUSES).sample(fraction=1.0, shuffle=True, seed=11)
    dropped = folder / f"{HOUSES}.csv"
    frame.tail(-UNSEEN).write_csv(dropped)
    return dropped, frame.head(UNSEEN)


def show_prices(forge: Dropforge, unseen: pl.DataFrame) -> None:
    """Predicts the unseen houses with the API and prints the prices next to the true ones."""
    target = SOURCES[HOUSES].target
    answer = forge.predict(HOUSES, unseen.drop(target).to_dicts())
    table = Table("house", "rooms", "income of the block", "predicted", "true", title="Houses the model has never seen")
    for at, (row, price) in enumerate(zip(unseen.to_dicts(), answer.predictions, strict=True), start=1):
        income = f"${row['MedInc'] * 10_000:,.0f}"
        dear, true = f"${price * DOLLARS:,.0f}", f"${row[target] * DOLLARS:,.0f}"
        table.add_row(str(at), f"{row['AveRooms']:.1f}", income, dear, true)
    console.print(table)
    live = forge.model(HOUSES)
    metric = live["metric"]
    model, baseline = (live[kind][metric] * DOLLARS for kind in ("metrics", "baseline"))
    console.print(f"{metric} on the hold-out: model ${model:,.0f}, always predicting the mean ${baseline:,.0f}")


if __name__ == "__main__":
    sys.exit(main())
