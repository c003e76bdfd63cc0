"""The commands under "Drop your own file" in the README, run as they stand."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from examples import datasets

from .conftest import hurry

if TYPE_CHECKING:
    from dropforge.client import Dropforge

ROOT = Path(__file__).parents[2]


def commands() -> list[str]:
    """The `dropforge …` lines of the section's first block, comments taken off."""
    section = (ROOT / "README.md").read_text().partition("## Drop your own file")[2]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    lines = [line.partition("#")[0].strip() for line in block[1].splitlines()]
    return [line for line in lines if line.startswith("dropforge ")]


def test_the_commands_of_the_readme_work_as_they_stand(forge: Dropforge, tmp_path: Path) -> None:
    frame = datasets.load("houses").rename({"MedHouseVal": "price"}).sample(n=2_000, seed=3)
    frame.tail(-10).write_csv(tmp_path / "houses.csv")
    frame.head(10).drop("price").write_csv(tmp_path / "new-houses.csv")
    hurry(forge, "houses")
    home = forge.connection.home
    assert home is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "DROPFORGE_HOME": str(home), "PATH": path}
    assert len(commands()) == 5
    for command in commands():
        if command == "dropforge up":
            continue  # the cloud of these tests runs already, and may be the strict one
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    rows = list(csv.DictReader((tmp_path / "priced.csv").read_text().splitlines()))
    assert len(rows) == 10
    assert all(0 < float(row["prediction"]) < 10 for row in rows)
