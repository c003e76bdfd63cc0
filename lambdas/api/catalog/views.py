"""What the catalog shows of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.results import Manifest, Metrics, Verdict
from dropforge.inference.openapi.document import BESIDE

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow
    from lambdas.common.artifacts import Artifacts
    from lambdas.common.registry import Registry

SCORES = ("task", "target", "metric", "metrics", "baseline")
NEWEST = 20
"""How many versions and moves a model's page shows; the rest have routes of their own."""


def model_line(live: LiveRow, version: VersionRow | None) -> dict[str, Any]:
    """One model in the list: what serves and how good it is."""
    row = {} if version is None else version.to_json()
    return {
        "model": live.model,
        "version": live.version,
        "run": live.run,
        "moved": live.moved,
        **{name: row.get(name) for name in SCORES},
    }


def measured_of(run: str, artifacts: Artifacts) -> dict[str, Any]:
    """What stands beside the scores of a run.

    The scores are Judge's, so their intervals and gains are, too; verdicts of before Judge stated any have none.
    """
    files = names.RunFiles(run)
    measured = Metrics.from_json(artifacts.read_json(files.key(names.METRICS_FILE))).to_json()
    verdict = Verdict.from_json(artifacts.read_json(files.key(names.VERDICT_FILE)))
    if not verdict.intervals:
        return measured
    stated = verdict.to_json()
    notes = [*verdict.notes, *measured["notes"]]
    return {**measured, "intervals": stated["intervals"], "gains": stated["gains"], "notes": notes}


def model_page(name: str, versions: list[VersionRow], registry: Registry, artifacts: Artifacts) -> dict[str, Any]:
    """One model; `live` is null when nothing serves, and the scores are then those of the newest version.

    `versions` are the newest ones, at most `NEWEST`.
    """
    live, history = registry.live(name), registry.history(name, NEWEST)
    shown = live_version(live, versions, registry) or versions[0]
    manifest = Manifest.from_json(artifacts.read_json(shown.manifest))
    measured = measured_of(shown.run, artifacts)
    row = shown.to_json()
    return {
        "model": name,
        "version": None if live is None else live.version,
        "live": None if live is None else live.to_json(),
        **{field: row[field] for field in SCORES},
        **{field: measured[field] for field in BESIDE},
        "card": manifest.card.to_json(),
        "lineage": shown.lineage,
        "versions": [version.to_json() for version in versions],
        "versions_next": following_version(versions, NEWEST),
        "history": [move.to_json() for move in history],
        "history_next": following_move(history, NEWEST),
    }


def live_version(live: LiveRow | None, versions: list[VersionRow], registry: Registry) -> VersionRow | None:
    """The version that serves: one of `versions`, or read when it is older than they are."""
    if live is None:
        return None
    shown = next((version for version in versions if version.version == live.version), None)
    return shown or registry.version(live.model, live.version)


def following_version(versions: list[VersionRow], limit: int) -> str | None:
    """What `after` goes on from behind a page of versions; None at the end."""
    return versions[-1].version if len(versions) == limit and versions[-1].version != "1" else None


def following_move(moves: list[LiveRow], limit: int) -> str | None:
    """The same of a page of moves, which are counted by their generation."""
    return str(moves[-1].generation) if len(moves) == limit and moves[-1].generation > 1 else None
