"""The workflows for GitHub, by GitHub's own schema and by zizmor, which looks for insecure ones, without a network."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.infra.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.aws
TOOLS = ROOT / ".venv-clients" / "workflows" / "bin"
SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.github-workflows")
ZIZMOR = ("zizmor", "--offline", "--no-progress", "--format", "plain", "--config", str(ROOT / ".github/zizmor.yml"))


def ran(tool: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
    """The tool's answer on all workflows of a folder."""
    assert TOOLS.exists(), "make test-aws makes this environment"
    command = [str(TOOLS / tool[0]), *tool[1:], *map(str, sorted(folder.glob("*.yml")))]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("tool", [SCHEMA, ZIZMOR], ids=["schema", "zizmor"])
def test_a_tool_finds_nothing(tool: tuple[str, ...]) -> None:
    done = ran(tool, ROOT / ".github" / "workflows")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("tool", "right", "wrong", "finding"),
    [
        (SCHEMA, "runs-on: ubuntu-24.04", "runs-upon: ubuntu-24.04", "runs-upon"),
        (ZIZMOR, "persist-credentials: false", "fetch-depth: 1", "artipacked"),
        (ZIZMOR, "@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4.2.2", "unpinned-uses"),
        (ZIZMOR, "  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
        (ZIZMOR, "run: make setup", "run: echo ${{ github.event.pull_request.title }}", "template-injection"),
    ],
)
def test_a_tool_finds_what_is_wrong(
    tool: tuple[str, ...], right: str, wrong: str, finding: str, tmp_path: Path
) -> None:
    copies = shutil.copytree(ROOT / ".github" / "workflows", tmp_path / "workflows")
    text = (copies / "deploy.yml").read_text()
    assert right in text
    (copies / "deploy.yml").write_text(text.replace(right, wrong))
    done = ran(tool, copies)
    assert done.returncode != 0
    assert finding in done.stdout + done.stderr
