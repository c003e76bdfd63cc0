"""The workflows for GitHub: pinned, with few rights, and calling what exists."""

from __future__ import annotations

import re
from typing import Any

import yaml

from dropforge.cli.reference import command

from .conftest import ROOT

PATHS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, dict[str, Any]] = {path.stem: yaml.safe_load(path.read_text()) for path in PATHS}
STEPS = [step for each in WORKFLOWS.values() for job in each["jobs"].values() for step in job["steps"]]
SCRIPTS = [step["run"] for step in STEPS if "run" in step]
USED = [step["uses"] for step in STEPS if "uses" in step]


def test_every_action_is_pinned_to_a_commit_with_its_version_behind_it() -> None:
    text = "\n".join(path.read_text() for path in PATHS)
    lines = re.findall(r"uses: (.*)", text)
    assert len(lines) == len(USED)
    assert [line for line in lines if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    assert len(set(lines)) == len({line.partition("@")[0] for line in lines}), "one commit an action"


def test_only_what_speaks_to_aws_gets_a_token_and_nothing_may_write() -> None:
    for workflow in WORKFLOWS.values():
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            speaks = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
            expected = {"contents": "read", "id-token": "write"} if speaks else None
            assert job.get("permissions") == expected
            assert job["timeout-minutes"] <= 120


def test_no_key_is_stored_and_no_text_of_others_runs_in_a_shell() -> None:
    text = "".join(path.read_text() for path in PATHS)
    assert "secrets." not in text and "pull_request_target" not in text
    assert [script for script in SCRIPTS if "${{" in script] == []


def test_production_is_deployed_from_its_environment_and_tried() -> None:
    deploy = WORKFLOWS["deploy"]["jobs"]["deploy"]
    assert deploy["environment"] == "production"
    assert [step["run"].split()[1] for step in deploy["steps"][-3:]] == ["doctor", "--no-install", "smoke"]


def test_what_is_called_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = [words for script in SCRIPTS for words in re.findall(r"make ([a-z-]+)", script)]
    assert called and {*called} <= {*targets}
    commands = [words for script in SCRIPTS for words in re.findall(r"bin/dropforge ([a-z-]+)", script)]
    assert {*commands} <= {*command().commands}
