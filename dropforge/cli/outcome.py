"""How a run ended, in a few lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.results import PRIMARY

if TYPE_CHECKING:
    from dropforge.cli.screen import Screen
    from dropforge.client import Outcome

COLOURS = {"promoted": "green", "duplicate": "cyan", "refused": "yellow", "rejected": "red", "failed": "red"}


def tell(ended: Outcome, screen: Screen) -> None:
    """The verdict, the score next to the baseline's, the reason, and where the report lies."""
    colour = COLOURS.get(ended.status, "white")
    version = f" as version {ended.version}" if ended.version else ""
    screen.say(f"\n[bold {colour}]{ended.status}[/] {ended.model}{version} ({ended.run})")
    if ended.metrics and ended.task:
        metric = PRIMARY[ended.task]
        ours, theirs = ended.metrics[metric], ended.baseline[metric]
        screen.say(f"  {metric} on the hold-out: {ours:.4g}, trivial baseline {theirs:.4g}")
        screen.say(f"  {ended.task}, target {ended.target}")
    if ended.reason:
        screen.say(f"  why: {ended.reason}")
    if ended.report:
        screen.say(f"  report: {ended.report}")
    if ended.good:
        screen.say(f"  ask it: dropforge predict {ended.model} --file rows.csv")
