"""The HTML templates of the reports."""

from __future__ import annotations

from pathlib import Path

import jinja2

from training_container.report import wording


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
