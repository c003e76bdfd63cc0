"""`dropforge doctor` as a program: what it prints, its exit code, and the checks of this machine."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from dropforge.cli import machine
from dropforge.cli.machine import examine_machine
from dropforge.client.doctor import Finding
from dropforge.embedded.settings import ADDRESS

if TYPE_CHECKING:
    from .conftest import Run

OK, WARNING = Finding("port", "ok", "free"), Finding("Docker", "warning", "none", "start it", "dockerd", "https://x")
BLOCKS = Finding("Node", "blocks", "none found", "run `npm ci`", "npm ci")


@pytest.fixture
def cloudless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dropforge.cli.doctor.examine_account", lambda _profile, _stack: iter([OK]))


@pytest.mark.usefixtures("cloudless")
@pytest.mark.parametrize(
    ("findings", "code", "last"),
    [
        ([OK], 0, "all 2 checks are well"),
        ([OK, WARNING], 0, "nothing blocks; 1 of 3 checks found something to know"),
        ([BLOCKS, WARNING], 1, "1 of 3 checks found what blocks; 1 found less"),
    ],
)
def test_the_exit_code_says_whether_something_blocks(
    run: Run, monkeypatch: pytest.MonkeyPatch, findings: list[Finding], code: int, last: str
) -> None:
    monkeypatch.setattr(machine, "examine_machine", lambda: iter(findings))
    ran = run("doctor")
    assert (ran.code, ran.out.splitlines()[-1]) == (code, last)
    for finding in findings:
        assert all(text in ran.out for text in (finding.message, finding.fix, finding.command, finding.link))
    ran = run("doctor", "--json")
    assert (ran.code, ran.document["ok"]) == (code, code == 0)
    assert [found["status"] for found in ran.document["findings"]] == [*(each.status for each in findings), "ok"]


def on_machine() -> dict[str, Finding]:
    return {finding.check: finding for finding in examine_machine()}


def test_a_machine_without_tools_is_told_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(machine, "NEEDED", ("nothing_of_the_kind",))
    findings = on_machine()
    assert {check for check, each in findings.items() if each.status == "blocks"} == {
        "packages",
        "Node and the CDK CLI",
    }
    assert {check for check, each in findings.items() if each.status == "warning"} >= {"byte code", "Docker"}
    assert all(finding.fix for finding in findings.values() if finding.status != "ok")


def test_a_shim_that_does_not_start_is_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/false" if name == "python3.13" else None)
    assert on_machine()["byte code"].status == "warning"


def test_a_port_that_is_taken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen()
        monkeypatch.setattr(machine, "DEFAULT_PORT", taken.getsockname()[1])
        assert on_machine()["port"].status == "warning"
    assert on_machine()["port"].status == "ok"


def test_an_embedded_cloud_that_is_asked_for_and_does_not_run_is_an_error(run: Run) -> None:
    ran = run("doctor", "--home", "nowhere")
    assert ran.code == 1 and "dropforge up" in ran.err
