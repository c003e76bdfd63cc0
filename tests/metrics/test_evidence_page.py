"""The picture of a rollout: charts with their limits, sentences with their figures, and nothing of a row."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dropforge.metrics.evidence import fold
from dropforge.metrics.evidence_page import page, section
from dropforge.metrics.linechart import Axis, Line, chart
from tests.metrics.test_rollout import CANARY, FRESH, SHADOW, record

if TYPE_CHECKING:
    from dropforge.contract.rollouts import Evidence

SECRET = "planted-value-4711"


def seen(looks: int = 6, milliseconds: float = 1.0) -> Evidence:
    """The evidence after some looks, the last ones in a canary."""
    evidence = FRESH
    for look in range(looks):
        rows = [
            record(look * 20 + at, pair={"milliseconds": milliseconds, "same": at > 0}, inputs={"x": at, "y": SECRET},
                   prediction=SECRET, unit=SECRET, id=f"p-{SECRET}")
            for at in range(20)
        ]  # fmt: skip
        evidence = fold(
            evidence, rows, SHADOW if look < 3 else replace(CANARY, since="2026-12-01T00:01:00.000000+00:00")
        )
    return evidence


def svgs(html: str) -> list[ElementTree.Element]:
    """The drawings of a page, which are well-formed."""
    return [ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def test_a_page_draws_three_charts_with_their_limits() -> None:
    html = page(seen())
    drawn = ["".join(each.itertext()) for each in svgs(html)]
    assert len(drawn) == 3
    for text, words in zip(drawn, ("100 refuses", "3.81 % is allowed", "1.5 times version 1"), strict=True):
        assert words in text and "requests that both versions ran" in text
    assert "version 2" in drawn[2] and "version 1" in drawn[2]
    assert "Nothing speaks against version 2" in html and "expected at most 3.81 %" in html
    assert "<td>canary</td><td>25 %</td>" in html and html.count("<tr>") == 3


def test_a_page_holds_no_value_of_a_row_and_needs_nothing_from_elsewhere() -> None:
    html = page(seen())
    assert SECRET not in html and "script" not in html
    assert re.findall(r"https?://[^\"]+", html) == ["http://www.w3.org/2000/svg"] * 3


def test_what_refuses_is_said_first() -> None:
    html = section(seen(milliseconds=4.0))
    assert html.startswith("<p>Version 2 took more than 1.5 times as long as version 1 in 100 % of 120 requests")
    (line,) = svgs(html)[0].iter("{http://www.w3.org/2000/svg}polyline")
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert heights == sorted(heights, reverse=True), "the evidence grows upwards"


def test_a_page_before_the_first_request_says_so() -> None:
    html = page(FRESH)
    assert html.count("nothing seen yet") == 3 and not svgs(html)


def test_names_are_escaped() -> None:
    html = page(replace(seen(), version="<b>2", model="<b>"))
    assert "<b>" not in html and "version &lt;b&gt;2" in html


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis(0, 10), [0, 2, 4, 6, 8, 10]), (Axis(0, 0.43), [0, 0.1, 0.2, 0.3, 0.4]), (Axis(0, 1200), [0, 500, 1000]),
        (Axis(0.001, 1e6, logarithmic=True), [1e-3, 1e-1, 10, 1e3, 1e5]), (Axis(0.1, 1, logarithmic=True), [0.1, 1]),
    ],
)  # fmt: skip
def test_marks_are_round(axis: Axis, ticks: list[float]) -> None:
    assert axis.ticks == pytest.approx(ticks)


def test_every_point_lies_in_the_drawing() -> None:
    drawn = chart(
        "t", [Line("a", [(0, 1e-9), (5, 3.0), (9, 1e9)])], across="x", limit=("most", 100.0), logarithmic=True
    )
    (line,) = ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}polyline")
    places = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert places[0] == (58.0, 230.0) and places[-1] == (446.0, 30.0)
    assert "<circle" in chart("t", [Line("a", [(3, 0.0)])], across="x")
