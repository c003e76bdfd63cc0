"""Line charts as inline SVG, by the standard library alone, so that functions which draw them stay small."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from dropforge.contract.figures import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

INK, SOFT, GRID, LIMIT = "#1f2933", "#616e7c", "#e4e7eb", "#c2410c"
COLOURS = ("#2563eb", "#e07a1f")
"""Of the first and the second line, as in the run's report."""

WIDTH, HEIGHT = 460, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 40
TICKS = 5
"""Marks of an axis at most."""


class Line(NamedTuple):
    """One line: its name, and its points from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


class Axis(NamedTuple):
    """What an axis shows, from the least to the most."""

    low: float
    high: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where a value lies on it, from 0 to 1; one that lies outside is put at its end."""
        low, high, here = (math.log10(each) if self.logarithmic else each for each in (self.low, self.high, value))
        return min(1.0, max(0.0, (here - low) / (high - low)))

    @property
    def ticks(self) -> list[float]:
        """Round values on it: powers of ten, or multiples of one, two or five of them."""
        if self.logarithmic:
            powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            return [10.0**power for power in powers[:: math.ceil(len(powers) / TICKS) or 1]]
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [place * step for place in range(first, math.floor(self.high / step + 1e-9) + 1)]


def chart(title: str, lines: Sequence[Line], *, across: str, limit: tuple[str, float] | None = None,
          logarithmic: bool = False) -> str:  # fmt: skip
    """An `<svg>` element, or a sentence where there is no point yet.

    Args:
        title: what goes up.
        lines: one or two.
        across: what goes to the right, from 0.
        limit: a dashed line: its name, and its height.
        logarithmic: whether the height is; the values are above 0 then.
    """
    every = [point for line in lines for point in line.points]
    if not every:
        return f"<p><b>{escape(title)}</b>: nothing seen yet</p>"
    right = Axis(0.0, max(max(x for x, _ in every), 1.0))
    up = _height([y for _, y in every] + ([] if limit is None else [limit[1]]), logarithmic=logarithmic)
    drawn = [*_grid(right, up), *_limit(limit, up)]
    for line, colour in zip(lines, COLOURS, strict=False):
        drawn.append(_polyline(line, colour, right, up))
    drawn += _texts(title, across, [line.name for line in lines])
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="11" fill="{INK}">\n{body}\n</svg>'
    )


def _height(values: Sequence[float], *, logarithmic: bool) -> Axis:
    """The axis upwards: from 0, or between powers of ten."""
    if not logarithmic:
        return Axis(0.0, max(values) * 1.08 or 1.0)
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return Axis(10.0**low, 10.0 ** max(high, low + 1), logarithmic=True)


def _x(axis: Axis, value: float) -> float:
    return round(LEFT + axis.at(value) * (WIDTH - LEFT - RIGHT), 1)


def _y(axis: Axis, value: float) -> float:
    return round(HEIGHT - BOTTOM - axis.at(value) * (HEIGHT - TOP - BOTTOM), 1)


def _grid(right: Axis, up: Axis) -> list[str]:
    drawn = []
    for value in up.ticks:
        y = _y(up, value)
        drawn.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{GRID}"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(figure(value))}</text>')
    for value in right.ticks:
        anchor = f'x="{_x(right, value)}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle"'
        drawn.append(f"<text {anchor}>{escape(figure(value))}</text>")
    return drawn


def _limit(limit: tuple[str, float] | None, up: Axis) -> list[str]:
    if limit is None:
        return []
    y = _y(up, limit[1])
    return [
        f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{LIMIT}" stroke-dasharray="5 4"/>',
        f'<text x="{WIDTH - RIGHT}" y="{y - 4}" text-anchor="end" fill="{LIMIT}">{escape(limit[0])}</text>',
    ]


def _polyline(line: Line, colour: str, right: Axis, up: Axis) -> str:
    places = [f"{_x(right, x)},{_y(up, y)}" for x, y in line.points]
    if len(places) == 1:
        x, y = places[0].split(",")
        return f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'
    return f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="1.8"/>'


def _texts(title: str, across: str, names: Sequence[str]) -> list[str]:
    """The title, what goes across, and the names of several lines in their colours."""
    drawn = [
        f'<text x="0" y="14" font-size="13" font-weight="600">{escape(title)}</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end" fill="{SOFT}">{escape(across)}</text>',
    ]
    if len(names) > 1:
        pairs = zip(names, COLOURS, strict=True)
        told = "".join(f'<tspan fill="{colour}" dx="10">{escape(name)}</tspan>' for name, colour in pairs)
        drawn.append(f'<text x="{WIDTH - RIGHT}" y="14" text-anchor="end">{told}</text>')
    return drawn
