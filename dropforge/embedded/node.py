"""Node and the CDK CLI, which deploys the stack here exactly as it does to AWS."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropforge.embedded.fault import CloudFault

if TYPE_CHECKING:
    from pathlib import Path

OLDEST = 20
"""The oldest major version of Node that the pinned CDK CLI runs on."""


@dataclass(frozen=True)
class Tools:
    """The paths of Node and the CDK CLI."""

    node: str
    cdk: Path


def find(root: Path) -> Tools:
    """The tools of this project.

    Raises:
        CloudFault: Node is missing or too old, or the CDK CLI is not installed.
    """
    node = shutil.which("node")
    if node is None:
        raise CloudFault(f"Node {OLDEST} or newer is needed for the CDK CLI, none found: install it from nodejs.org")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST:
        raise CloudFault(f"Node {OLDEST} or newer is needed for the CDK CLI, {node} is {said or 'broken'}")
    cdk = root / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if not cdk.exists():
        raise CloudFault(f"the CDK CLI is not installed: run `make setup` (or `npm ci`) in {root}")
    return Tools(node, cdk)
