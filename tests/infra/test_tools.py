"""What the well-kept tools say of the template: nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .conftest import EMBEDDED, IN_ACCOUNT, ROOT, context

if TYPE_CHECKING:
    from pathlib import Path

CDK_OWN = "W3005"
"""A dependency stated twice: CDK itself writes both forms for a function and its role."""

SYNTH = """
import json, sys
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks
from cdk_app.app import make
app = App(context=json.loads(sys.argv[1]), outdir=sys.argv[2])
stack = make(app)
Validations.of(app).add_plugins(AwsSolutionsChecks(app))
exec(sys.argv[3])
app.synth()
"""


def strict_synth(folder: Path, change: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Synthesizes with every validation on, in a process of its own; `change` is done to `stack` before."""
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    command = [sys.executable, "-c", SYNTH, json.dumps(context(**settings or EMBEDDED)), str(folder), change]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("settings", [EMBEDDED, IN_ACCOUNT], ids=["embedded", "in the account"])
def test_strict_validation_and_cdk_nag_find_nothing(tmp_path: Path, settings: dict[str, str]) -> None:
    done = strict_synth(tmp_path, **settings)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_cdk_nag_is_really_asked(tmp_path: Path) -> None:
    done = strict_synth(tmp_path, "import aws_cdk.aws_sqs as sqs; sqs.Queue(stack, 'Bare')")
    assert done.returncode != 0
    assert "AwsSolutions-SQS" in done.stdout + done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of cfn-lint's own dependencies
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("kind", ["assembly", "account_assembly"])
def test_cfn_lint_finds_nothing(request: pytest.FixtureRequest, kind: str) -> None:
    from cfnlint.api import lint_file

    template = request.getfixturevalue(kind) / "Dropforge.template.json"
    found = [str(match) for match in lint_file(template) if match.rule.id != CDK_OWN]
    assert found == []


def test_synth_needs_no_account_and_no_network(tmp_path: Path) -> None:
    """Without any credential, with every proxy leading nowhere."""
    nowhere = {name: "http://127.0.0.1:9" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    code = "from aws_cdk import App; from cdk_app.app import make; import json, sys; "
    code += "app = App(context=json.loads(sys.argv[1]), outdir=sys.argv[2]); make(app); app.synth()"
    command = [sys.executable, "-c", code, json.dumps(context(**EMBEDDED)), str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env={**kept, **nowhere}, check=True, timeout=120, capture_output=True)
    assert (tmp_path / "Dropforge.template.json").exists()
