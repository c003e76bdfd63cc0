"""What the catalog shows of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.results import Manifest, Metrics, Verdict

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow
    from lambdas.shared.artifacts import Artifacts
    from lambdas.shared.registry import Registry

SCORES = ("task", "target", "metric", "metrics", "baseline")
BESIDE = ("direction", "intervals", "gains", "groups", "calibration", "importances", "notes")
"""Fields of `metrics.json` that a model's page shows beside its scores; Judge's own where it states them."""


def model_line(live: LiveRow, registry: Registry) -> dict[str, Any]:
    """One model in the list: what serves and how good it is."""
    version = registry.version(live.model, live.version)
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
    """One model; `live` and its scores are null when no version was ever promoted."""
    live = registry.live(name)
    shown = next((each for each in versions if live is not None and each.version == live.version), versions[0])
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
        "versions": [each.to_json() for each in versions],
        "history": [move.to_json() for move in registry.history(name)],
    }
