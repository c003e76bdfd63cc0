"""`doctor` looks for what keeps Dropforge from being deployed or from training, and says what to do about each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dropforge.cli.shell import Home, Json, Shell, clean
from dropforge.client.connection import STACK
from dropforge.client.doctor import examine_account, examine_embedded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropforge.client.doctor import Finding

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "blocks": ("✗", "red")}


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    aws: Annotated[bool, typer.Option("--aws", help="Examine AWS even if an embedded cloud runs here.")] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Find what keeps Dropforge from deploying or training.

    Examines this machine, and the embedded cloud if one is running or else the AWS account: credentials, region,
    bootstrap, the quotas of training instances and functions, and access to each service. Every finding has its fix
    and, for a quota, the command and the page that ask for it. Changes nothing. The exit code is 1 if something blocks.

    Example: dropforge doctor
    Example: dropforge --profile work doctor --json
    """
    shell = Shell.of(context, as_json, home)
    from dropforge.cli.machine import examine_machine

    findings = [*examine_machine(), *examine_cloud(shell, aws)]
    blocked = [finding for finding in findings if finding.status == "blocks"]
    document = {"ok": not blocked, "findings": [finding.to_json() for finding in findings]}
    shell.result(document, *(line for finding in findings for line in lines(finding)), summary(findings))
    if blocked:
        raise typer.Exit(1)


def examine_cloud(shell: Shell, aws: bool) -> Iterator[Finding]:
    """The findings on the cloud that other commands would use."""
    if not aws and shell.profile is None:
        from dropforge.client import embedded

        running = embedded.running(shell.place)
        if running is not None:
            yield from examine_embedded(shell.forge.connection)
            return
        if shell.home is not None:
            raise embedded.not_running(shell.home)
    yield from examine_account(shell.profile, shell.stack or os.environ.get("DROPFORGE_STACK") or STACK)


def lines(finding: Finding) -> list[Text]:
    """The finding for people; what is well takes one line."""
    mark, style = MARKS[finding.status]
    shown = [Text.assemble((mark, style), f" {finding.check}: {clean(finding.message)}")]
    more = (finding.fix, finding.command if finding.command not in finding.fix else "", finding.link)
    return shown + [Text(f"    {clean(text)}", style="dim") for text in more if text]


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    counts = {status: sum(finding.status == status for finding in findings) for status in MARKS}
    if counts["blocks"]:
        return f"{counts['blocks']} of {len(findings)} checks found what blocks; {counts['warning']} found less"
    if counts["warning"]:
        return f"nothing blocks; {counts['warning']} of {len(findings)} checks found something to know"
    return f"all {len(findings)} checks are well"
