"""Every bad upload has its verdict, within bounds of memory and time, and its reason repeats no value of the data."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.uploads import corpus
from tests.uploads.corpus import ACCEPTED, SECRET, Upload

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.uploads

UPLOADS = {upload.name: upload for upload in corpus.every()}
MOST_MEMORY = 3 * 2**30
"""Bytes of address space beyond what Python and its libraries take, as the function's memory bounds it on AWS."""
SECONDS = 60

JUDGE = """
import json, resource, sys
from pathlib import Path
from dropforge.contract.spec import SpecFault
from dropforge.datasets.faults import DataFault
from dropforge.datasets.spec_file import read_spec
from lambdas.pipeline.inspect.logic import check_drop, decide
from dropforge.contract.names import parse_drop

for line in sys.stdin:
    folder, name, most = json.loads(line)
    file, spec = Path(folder) / name, Path(folder) / "spec.yaml"
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + most, resource.RLIM_INFINITY))
    try:
        check_drop(parse_drop(f"datasets/m/{name}"), [file.stat().st_size])
        decide([file], read_spec(spec.read_bytes() if spec.exists() else None))
        said = ["accepted", ""]
    except (DataFault, SpecFault) as fault:
        said = ["rejected", str(fault)]
    except BaseException as fault:
        said = ["broken", repr(fault)]
    print(json.dumps(said), flush=True)
"""


class Inspector:
    """Inspect's rules in a process with little memory; a new one where a file has ended the old one."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[str] | None = None

    def verdict(self, folder: Path, name: str) -> tuple[str, str]:
        if self.child is None or self.child.poll() is not None:
            self.child = subprocess.Popen(
                [sys.executable, "-c", JUDGE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "POLARS_MAX_THREADS": "2"},
            )
        child = self.child
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps([str(folder), name, MOST_MEMORY]) + "\n")
        child.stdin.flush()
        said = child.stdout.readline()
        return tuple(json.loads(said)) if said else ("ended", f"exit code {child.wait(SECONDS)}")

    def close(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.communicate()


@pytest.fixture(scope="module")
def inspector() -> Any:
    made = Inspector()
    yield made
    made.close()


def dropped(upload: Upload, folder: Path) -> None:
    (folder / upload.name).write_bytes(upload.content)
    if upload.spec is not None:
        (folder / "spec.yaml").write_bytes(upload.spec)


def test_the_corpus_is_large_and_names_no_file_twice() -> None:
    assert len(UPLOADS) == len(list(corpus.every())) >= 120


@pytest.mark.parametrize("name", UPLOADS)
def test_the_verdict(name: str, inspector: Inspector, tmp_path: Path) -> None:
    upload = UPLOADS[name]
    dropped(upload, tmp_path)
    outcome, reason = inspector.verdict(tmp_path, name)
    if upload.verdict == ACCEPTED:
        assert (outcome, reason) == ("accepted", "")
    else:
        assert outcome == "rejected", reason
        assert upload.verdict in reason
    assert SECRET not in reason and str(tmp_path) not in reason


def test_a_bad_upload_takes_little_memory() -> None:
    """Of the largest process of all those above."""
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MOST_MEMORY
