"""cfn-lint finds nothing in any of sixteen regions: each resource type and property is offered in all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.infra.test_tools import CDK_OWN

if TYPE_CHECKING:
    from pathlib import Path

REGIONS = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-west-1", "eu-west-2",
    "eu-west-3", "eu-central-1", "eu-north-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1",
    "ap-northeast-2",
)  # fmt: skip
pytestmark = [
    pytest.mark.aws,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of cfn-lint's own dependencies
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
]


def linted(path: Path) -> list[str]:
    """What cfn-lint finds in the template at `path`, over all regions at once."""
    from cfnlint.api import lint_file
    from cfnlint.config import ManualArgs

    matches = lint_file(path, config=ManualArgs(regions=list(REGIONS)))
    return [str(match) for match in matches if match.rule.id != CDK_OWN]


def test_cfn_lint_finds_nothing_in_sixteen_regions(assembly: Path) -> None:
    assert len(REGIONS) == 16
    assert linted(assembly / "Dropforge.template.json") == []
    print(f"cfn-lint finds nothing in {len(REGIONS)} regions")


def test_a_type_that_one_region_has_not_is_found(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    address = {"Type": "AWS::Lightsail::StaticIp", "Properties": {"StaticIpName": "address"}}
    template.write_text(json.dumps({"Resources": {"Address": address}}))
    missing = [found for found in linted(template) if "does not exist in" in found]
    assert missing and all("us-east-1" not in found for found in missing)
