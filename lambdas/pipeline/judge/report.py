"""Writes the verdict into the report, at the mark that the trainer leaves at the top of the page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from dropforge.contract import names
from dropforge.contract.figures import figure
from lambdas.common.report import renewed

if TYPE_CHECKING:
    from dropforge.contract.results import Manifest, Verdict


def with_verdict(verdict: Verdict, manifest: Manifest, files: dict[str, bytes]) -> dict[str, bytes]:
    """The run's files with the verdict in the report, and with a manifest that matches the new report."""
    page = files.get(names.REPORT_FILE)
    mark = names.VERDICT_MARK.encode()
    if page is None or mark not in page:
        return files
    told = "".join([sentences(verdict), "\n", *names.REHEARSAL_MARKS])
    return {**files, **renewed(page.replace(mark, told.encode(), 1), manifest)}


def sentences(verdict: Verdict) -> str:
    """The outcome, the scores that decided it, and every reason and note, as HTML."""
    outcome = "may serve" if verdict.outcome == "approved" else "may not serve"
    parts = [f"<p><b>This version {outcome}.</b> {escape(_scores(verdict))}</p>"]
    lines = [*verdict.reasons, *verdict.notes]
    if lines:
        parts.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")
    return "\n".join(parts)


def _scores(verdict: Verdict) -> str:
    """The scores that were compared, in one sentence; empty if there were none."""
    metric = verdict.metric
    if metric not in verdict.candidate or metric not in verdict.baseline:
        return ""
    text = f"On {verdict.rows:,} hold-out rows {metric} is {figure(verdict.candidate[metric], digits=6)}"
    if interval := verdict.intervals.get(metric):
        text += f" (95 % interval {figure(interval.low, digits=6)} to {figure(interval.high, digits=6)})"
    text += f", {figure(verdict.baseline[metric], digits=6)} for the trivial baseline"
    if verdict.champion and metric in verdict.champion:
        champion = figure(verdict.champion[metric], digits=6)
        text += f" and {champion} for version {verdict.champion_version}, which was live then"
    return f"{text}; {verdict.direction} is better."
