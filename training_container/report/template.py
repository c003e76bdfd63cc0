"""The HTML templates of the reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from dropforge.contract.remarks import remarks_in
from training_container.report import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.contract.results import Metrics


def before(profile: Mapping[str, Any], measured: Metrics) -> dict[str, Any]:
    """What stands at the top of a report: the remarks, and those notes on the scores that repeat none of them."""
    remarks = remarks_in(profile)
    said = {remark.sentence for remark in remarks}
    return {"remarks": remarks, "notes": [note for note in measured.notes if note not in said]}


def template(name: str) -> jinja2.Template:
    """A template of this folder; every text put into it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=wording.number, percent=wording.percent, between=wording.between)
    return environment.get_template(name)
