"""What the catalog shows of a model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from dropforge.contract import api, names
from dropforge.contract.results import Manifest, Metrics, Verdict

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow
    from lambdas.common.artifacts import Artifacts
    from lambdas.common.registry import Registry

NEWEST = 20
"""How many versions and moves a model's page shows; the rest have routes of their own."""


def model_line(live: LiveRow, version: VersionRow | None) -> api.ModelLine:
    """One model in the list; without scores where its version is gone."""
    return api.ModelLine(
        model=live.model,
        version=live.version,
        run=live.run,
        moved=live.moved,
        task=None if version is None else version.task,
        target=None if version is None else version.target,
        metric=None if version is None else version.metric,
        metrics=None if version is None else version.metrics,
        baseline=None if version is None else version.baseline,
    )


def measured_of(run: str, artifacts: Artifacts) -> Metrics:
    """What stands beside the scores of a run.

    The scores are Judge's, so their intervals and gains are, too; verdicts of before Judge stated any have none.
    """
    files = names.RunFiles(run)
    measured = Metrics.from_json(artifacts.read_json(files.key(names.METRICS_FILE)))
    verdict = Verdict.from_json(artifacts.read_json(files.key(names.VERDICT_FILE)))
    if not verdict.intervals:
        return measured
    notes = (*verdict.notes, *measured.notes)
    return dataclasses.replace(measured, intervals=verdict.intervals, gains=verdict.gains, notes=notes)


def model_page(name: str, versions: list[VersionRow], registry: Registry, artifacts: Artifacts) -> api.ModelPage:
    """One model; `live` is None when nothing serves, and the scores are then those of the newest version.

    `versions` are the newest ones, at most `NEWEST`.
    """
    live, history = registry.live(name), registry.history(name, NEWEST)
    shown = live_version(live, versions, registry) or versions[0]
    manifest = Manifest.from_json(artifacts.read_json(shown.manifest))
    measured = measured_of(shown.run, artifacts)
    return api.ModelPage(
        model=name,
        version=None if live is None else live.version,
        live=live,
        task=shown.task,
        target=shown.target,
        metric=shown.metric,
        metrics=shown.metrics,
        baseline=shown.baseline,
        direction=measured.direction,
        intervals=measured.intervals,
        gains=measured.gains,
        groups=measured.groups,
        calibration=measured.calibration,
        importances=measured.importances,
        notes=measured.notes,
        card=manifest.card,
        lineage=shown.lineage,
        versions=tuple(versions),
        versions_next=following_version(versions, NEWEST),
        history=tuple(history),
        history_next=following_move(history, NEWEST),
    )


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
