"""The report of tasks without a target of classes or values: the same page, with sections of each task's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from training_container import evidence
from training_container.report import wording
from training_container.report.template import before, template

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dropforge.contract.results import Metrics
    from dropforge.contract.schema import ModelCard
    from training_container.export.parity import Proof


@dataclass(frozen=True)
class Section:
    """One part of the page: figures as (title, how to read it, SVG), or a table, or both."""

    title: str
    note: str = ""
    figures: Sequence[tuple[str, str, str]] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()


@dataclass(frozen=True)
class ReportContent:
    """What a task says in its own words."""

    summary: str
    baseline: str
    """What the baseline is."""
    split: str
    """How the rows were dealt."""
    sections: Sequence[Section]
    packages: dict[str, str] = field(default_factory=dict)
    """More packages that had a part, with their versions."""
    device: str = "cpu"


def write_plain_report(
    path: Path, content: ReportContent, card: ModelCard, measured: Metrics, proof: Proof, profile: dict[str, Any]
) -> None:
    """Writes the report as one HTML file; every text from the data is escaped."""
    page = template("plain.html").render(
        card=card,
        **before(profile, measured),
        measured=measured,
        proof=proof,
        summary=content.summary,
        baseline=content.baseline,
        split=content.split,
        gain=wording.gain(measured),
        sureness=wording.sureness(measured),
        meaning=wording.MEANING,
        sections=[_marked(section) for section in content.sections],
        dropped=profile["dropped"],
        personal=profile["personal"],
        versions={**evidence.versions(), **content.packages},
        device=content.device,
    )
    path.write_text(page, encoding="utf-8")


def _marked(section: Section) -> dict[str, Any]:
    """The section with its drawings marked as markup; all its words stay text."""
    figures = [(title, how, Markup(plot)) for title, how, plot in section.figures]
    return {"title": section.title, "note": section.note, "figures": figures, "headers": section.headers,
            "rows": section.rows}  # fmt: skip
