"""Predicts from earlier requests how long one will take, and so whether the event loop may handle it.

What a request costs goes by the values in it more than by its bytes: `1,1` of a CSV and `{"median_income": 3.1}`
differ tenfold. Requests of like size are learned together, because one row costs far more a value than a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.inference.http import Request

PATIENCE = 0.002
"""Seconds that health probes and small requests may wait for another request."""

GUESS = PATIENCE / 3_000
"""Seconds per value assumed before the first response: some 150 rows of twenty numbers in `PATIENCE`."""

COUNTED = 65_536
"""Bytes of a body in which values are counted; of a longer one the rest is taken to be alike."""

REPOSITORY = "/v2/repository"
"""Routes that open model files."""

Kind = tuple[str, str, str]


class Pace:
    """Learns the seconds per value, by route, model, type of the body and size."""

    def __init__(self) -> None:
        self._known: dict[Kind, dict[int, float]] = {}

    def is_quick(self, request: Request) -> bool:
        """Whether the request will probably take at most `PATIENCE`."""
        if not request.body:
            return not request.resource.startswith(REPOSITORY)
        if "content-encoding" in request.headers:  # its size says little about what it becomes
            return False
        count = values_in(request.body)
        return count * self._rate(_kind(request), count) <= PATIENCE

    def learn(self, request: Request, seconds: float) -> None:
        """Updates the estimate: the mean of the previous one and of this successful request."""
        if not request.body or "content-encoding" in request.headers:
            return
        count = values_in(request.body)
        found, known, size = seconds / count, self._known.setdefault(_kind(request), {}), _size(count)
        known[size] = (known.get(size, found) + found) / 2

    def _rate(self, kind: Kind, count: int) -> float:
        known = self._known.get(kind)
        if not known:
            return GUESS
        size = _size(count)
        return known[size] if size in known else known[min(known, key=lambda other: abs(other - size))]


def values_in(body: bytes) -> int:
    """About how many values a body has: separators in a text, every eight bytes of others; at least 1."""
    head = body[:COUNTED] if len(body) > COUNTED else body
    found = max(1 + head.count(b",") + head.count(b"\n"), len(head) // 64)
    return found * len(body) // len(head)


def _size(count: int) -> int:
    """Sizes up to a factor of four apart are alike."""
    return count.bit_length() // 2


def _kind(request: Request) -> Kind:
    content_type = request.headers.get("content-type", "")
    return request.resource, request.path.get("model", ""), content_type if "csv" in content_type else ""
