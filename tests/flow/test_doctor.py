"""`doctor` and `smoke` as programs, against the embedded cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dropforge.cli.main import main
from dropforge.client.doctor import examine_embedded

if TYPE_CHECKING:
    from dropforge.client import Dropforge


def test_the_doctor_finds_nothing_wrong_with_the_embedded_cloud(
    forge: Dropforge, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [finding for finding in examine_embedded(forge.connection) if finding.status != "ok"] == []
    code = main(["doctor", "--json", "--home", str(forge.connection.home)])
    found = json.loads(capsys.readouterr().out)
    assert "cloud" in [finding["check"] for finding in found["findings"]]
    assert (code == 0) is found["ok"]


@pytest.mark.long
def test_smoke_drops_predicts_explains_rolls_back_and_leaves_nothing(
    forge: Dropforge, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["smoke", "--json", "--home", str(forge.connection.home)])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    found = json.loads(printed.out)
    assert [step["step"] for step in found["steps"]] == [
        "drop and train", "predict", "explain", "remove", "roll back", "clean up",
    ]  # fmt: skip
    assert found["seconds"] > 0
    assert not [line.model for line in forge.models() if line.model.startswith("smoke-")]
    bucket = forge.connection.outputs["DropBucket"]
    listed = forge.connection.client("s3").list_objects_v2(Bucket=bucket, Prefix="datasets/smoke-")
    assert listed.get("Contents", []) == []
