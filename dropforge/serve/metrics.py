"""`GET /metrics`: what a server has done, in the format of Prometheus, by its own client library.

Names of models are those that are served, and paths are templates, so that no caller can make up labels. With several
workers each process writes into a folder, and whichever answers adds all of them up.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from dropforge.inference.http import Response
from dropforge.serve.settings import FOLDER

if TYPE_CHECKING:
    from dropforge.contract.captures import Paired
    from dropforge.inference.after import Answered
    from dropforge.serve.store import Files

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""Seconds: one row takes a tenth of a millisecond, an explanation many seconds."""

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts the requests of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "model")
        self._requests = Counter(
            "dropforge_requests", "Requests by their status.", (*labels, "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "dropforge_request_seconds", "From the whole body to the response.", labels, buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self._models = Gauge(
            "dropforge_model_info", "Models that are served: 1.", ("model", "version"), registry=self.registry,
            multiprocess_mode="max",
        )  # fmt: skip
        self._broken = Gauge(
            "dropforge_broken_files", "Model files that cannot be served.", registry=self.registry,
            multiprocess_mode="max",
        )  # fmt: skip
        self._shadow_rows = Counter(
            "dropforge_shadow_rows", "Rows that the shadow was asked, by what became of them: same, differs, failed or "
            "uncompared.", ("model", "outcome"), registry=self.registry,
        )  # fmt: skip
        self._shadow_failures = Counter(
            "dropforge_shadow_failures", "Requests that the shadow alone failed on.",
            ("model", "code", "repeated"), registry=self.registry,
        )  # fmt: skip
        self._graph_seconds = Histogram(
            "dropforge_shadow_graph_seconds", "How long the graphs took for the rows of a request that both ran.",
            ("model", "which"), buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._shadow_left = Counter(
            "dropforge_shadow_left", "Requests that were not compared, since too many waited.", registry=self.registry
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._told: set[tuple[str, str]] = set()
        if FOLDER not in os.environ:
            ProcessCollector(registry=self.registry)

    def count(self, route: str, model: str, status: int, seconds: float) -> None:
        """Counts an answered request.

        Args:
            route: the path's template; `other` for a path that there is not.
            model: its name; empty if there is none of this name.
            status: of the answer.
            seconds: that it took.
        """
        key = (route, model, status)
        found = self._known.get(key)
        if found is None:
            counter = self._requests.labels(route, model, str(status))
            found = self._known[key] = (counter, self._seconds.labels(route, model))
        found[0].inc()
        found[1].observe(seconds)

    def compared(self, told: Answered, pairs: list[Paired]) -> None:
        """Counts what the shadow did with the rows of a request; see `dropforge.serve.shadow`."""
        model = told.row.model
        for pair in pairs:
            self._shadow_rows.labels(model, outcome_of(pair)).inc()
        first = pairs[0]
        if first.failure:
            self._shadow_failures.labels(model, first.failure, str(first.repeated).lower()).inc()
            return
        self._graph_seconds.labels(model, "served").observe(told.milliseconds / 1000)
        self._graph_seconds.labels(model, "shadow").observe(first.milliseconds / 1000)

    def left(self) -> None:
        """Counts a request that was not compared."""
        self._shadow_left.inc()

    def page(self, files: Files) -> Response:
        """All figures."""
        current = {(name, one.row.version) for name, one in sorted(files.served.items())}
        for name, version in self._told - current:
            self._models.labels(name, version).set(0)
        for name, version in current:
            self._models.labels(name, version).set(1)
        self._told |= current
        self._broken.set(len(files.broken))
        return Response(200, {"Content-Type": TYPE, "X-Content-Type-Options": "nosniff"}, self._text())

    def _text(self) -> bytes:
        if FOLDER not in os.environ:
            return bytes(generate_latest(self.registry))
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(together))


def outcome_of(pair: Paired) -> str:
    """What became of a row: `same` for the same class, or a number within one part in a thousand."""
    if pair.failure:
        return "failed"
    if pair.same is None:
        return "uncompared"
    return "same" if pair.same else "differs"
