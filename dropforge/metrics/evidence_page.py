"""A rollout or a rehearsal as HTML: the e-process and its limit, disagreement, and the times of both versions.

`section` stands in the run's report, `page` by itself. Both hold figures only: no row, no answer, no caller.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from dropforge.contract.figures import figure
from dropforge.metrics.decision import objection, quiet, said
from dropforge.metrics.evidence import WEIGHTS
from dropforge.metrics.linechart import Line, chart
from dropforge.metrics.phases import units
from dropforge.metrics.sequential import LEVEL

if TYPE_CHECKING:
    from dropforge.contract.rollouts import Evidence, Phase

LEAST_SHOWN, MOST_SHOWN = -3.0, 12.0
"""Powers of ten between which an e-value is drawn."""

ACROSS = "requests that both versions ran"
STYLE = """
body { margin: 0; background: #f5f7fa; color: #1f2933; font: 15px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 27px; margin: 0 0 2px; }
h2 { font-size: 19px; margin: 36px 0 10px; }
.box { background: #fff; border: 1px solid #e4e7eb; border-radius: 10px; padding: 16px 18px; overflow-x: auto; }
.wide { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(400px, 100%), 1fr)); }
svg { width: 100%; height: auto; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: #616e7c; font-size: 13px; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid #e4e7eb; vertical-align: top; }
"""


def page(evidence: Evidence) -> str:
    """A whole page of a rollout."""
    title = f"{evidence.model}: version {evidence.version} in place of version {evidence.against}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body><main>
<h1>{escape(title)}</h1>
{section(evidence)}
<h2>Stages</h2>
<div class="box">{_stages(evidence.phases, evidence)}</div>
</main></body>
</html>
"""


def section(evidence: Evidence) -> str:
    """What was seen until now, in a sentence, three charts and a list."""
    sentence = objection(evidence) or quiet(evidence)
    listed = "".join(
        f"<li>{escape(said(evidence, name))}</li>"
        for name in WEIGHTS
        if evidence.streams[name].trials and evidence.streams[name].limit is not None
    )
    charts = "\n".join(
        f'<div class="box">{each}</div>' for each in (_bets(evidence), _differing(evidence), _times(evidence))
    )
    return (
        f"<p>{escape(sentence[:1].upper() + sentence[1:])}.</p>\n"
        f'<div class="wide">\n{charts}\n</div>\n'
        f"<ul>{listed}</ul>"
    )


def _bets(evidence: Evidence) -> str:
    """The combined e-value and its limit."""
    points = [
        (point.requests, 10.0 ** min(MOST_SHOWN, max(LEAST_SHOWN, point.logarithm / math.log(10))))
        for point in evidence.history
    ]
    limit = 1 / LEVEL
    return chart(
        "Evidence against the new version (e-value)", [Line("e-value", points)],
        across=ACROSS, limit=(f"{figure(limit)} refuses", limit), logarithmic=True,
    )  # fmt: skip


def _differing(evidence: Evidence) -> str:
    """The share of rows with another answer, and the share that is allowed."""
    points = [(point.requests, point.differing * 100) for point in evidence.history if point.differing is not None]
    allowed = evidence.streams["outputs"].limit
    limit = None if allowed is None else (f"{figure(allowed * 100, digits=3)} % is allowed", allowed * 100)
    return chart("Rows with another answer, %", [Line("differing", points)], across=ACROSS, limit=limit)


def _times(evidence: Evidence) -> str:
    """The median times of both versions."""
    points = [point for point in evidence.history if point.milliseconds.champion > 0]
    lines = [
        Line(f"version {evidence.version}", [(point.requests, point.milliseconds.candidate) for point in points]),
        Line(f"version {evidence.against}", [(point.requests, point.milliseconds.champion) for point in points]),
    ]
    limit = None
    if points:
        most = points[-1].milliseconds.champion * evidence.slower
        limit = (f"{figure(evidence.slower)} times version {evidence.against}", most)
    return chart("Median milliseconds", lines, across=ACROSS, limit=limit)


def _stages(phases: tuple[Phase, ...], evidence: Evidence) -> str:
    """What each stage has seen."""
    ours, theirs = (f"version {version}" for version in (evidence.version, evidence.against))
    heads = ("stage", "share", "since", f"answered by {ours}", f"answered by {theirs}", "run by both", "callers")
    rows = [
        (
            phase.stage,
            f"{figure(phase.share * 100)} %" if phase.stage == "canary" else "",
            phase.since[:16].replace("T", " "),
            *(figure(round(each)) for each in (phase.requests.candidate, phase.requests.champion, phase.compared)),
            figure(units(phase)),
        )
        for phase in phases
    ]
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
