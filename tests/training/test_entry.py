"""The image's entry point: folders that only root can write are handed over, root is given up, a failure is told.

The image itself runs in tests/container; here the trainer is a stand-in, because an unprivileged user of this machine
may not be able to read the interpreter's own files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from training_container import entry
from training_container.faults import report_failure

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, sys, types
from pathlib import Path
from training_container import entry

def train(arguments):
    root = Path(arguments[arguments.index("--ml-root") + 1])
    for name in entry.WRITTEN:
        (root / name / "written").write_text(str(os.getuid()))
    try:
        os.setuid(0)
    except PermissionError:
        (root / "output" / "no-way-back").write_text(" ".join(arguments))
    return 0

stand_in = types.ModuleType("training_container.trainer")
stand_in.main = train
sys.modules["training_container.trainer"] = stand_in
sys.exit(entry.main(["train"], Path(sys.argv[1]), "nobody"))
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand folders over")


@pytest.fixture
def root() -> Iterator[Path]:
    """SageMaker's folders as a host mounts them: root's, mode 0755, reachable for everybody."""
    folder = Path(tempfile.mkdtemp(prefix="dropforge-entry-"))
    for name in entry.WRITTEN:
        (folder / name).mkdir()
    (folder / "checkpoints" / "part.done").write_text("of an earlier attempt")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    yield folder
    shutil.rmtree(folder)


def run(root: Path) -> subprocess.CompletedProcess[str]:
    """The entry point in a process of its own, with a trainer that writes into each folder."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(root)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@as_root
def test_folders_of_root_are_handed_over_and_root_is_given_up(root: Path) -> None:
    done = run(root)
    assert done.returncode == 0, done.stderr
    for name in entry.WRITTEN:
        assert (root / name / "written").read_text() != "0"
    assert (root / "checkpoints" / "part.done").stat().st_uid != 0
    assert (root / "output" / "no-way-back").read_text() == f"train --ml-root {root}"


@as_root
def test_a_folder_that_cannot_be_written_fails_in_the_first_second_where_it_is_read(root: Path) -> None:
    shutil.rmtree(root / "model")
    (root / "model").write_text("a file, which no user can write files into")
    done = run(root)
    assert done.returncode == 1
    told = (root / "output" / "failure").read_text()
    assert str(root / "model") in told and "mount it writable" in told
    assert not (root / "output" / "written").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_an_unprivileged_user_is_told_which_folder_it_cannot_write(root: Path) -> None:
    (root / "model").chmod(0o555)
    assert entry.main(["train"], root) == 1
    assert str(root / "model") in (root / "output" / "failure").read_text()


def test_an_image_that_is_broken_is_told_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_: str) -> None:
        raise KeyError("getpwnam(): name not found: 'trainer'")

    monkeypatch.setattr(entry.pwd, "getpwnam", lost)
    monkeypatch.setattr(entry.os, "geteuid", lambda: 0)
    assert entry.main(["train"], root) == 1
    assert "the image is broken: KeyError" in (root / "output" / "failure").read_text()


def test_a_reason_that_can_be_written_nowhere_is_in_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "output").write_text("a file, which no user can write files into")
    report_failure("the model folder is closed", tmp_path / "output" / "failure")
    told = capfd.readouterr().err
    assert "failed: the model folder is closed" in told
    assert "the reason cannot be written there" in told
