"""The rules of Inspect for zips of pictures, by the directory and the first bytes of some, without decoding any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.names import format_of
from dropforge.contract.plan import DataFormat
from dropforge.datasets.picturewishes import TARGET, task_of
from dropforge.datasets.zipped import open_zip, sniff_pictures, survey
from lambdas.pipeline.inspect.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dropforge.contract.spec import Spec


def are_pictures(paths: Sequence[Path]) -> bool:
    """Whether the data set is one zip."""
    return len(paths) == 1 and format_of(paths[0].name) == "images"


def decide_pictures(path: Path, spec: Spec, target: str | None) -> Decision:
    """What to learn from the zip at `path`.

    Raises:
        DataFault: the file is no zip of pictures in folders, or breaks a rule of `docs/images.md`.
        SpecFault: an option that pictures cannot have.
    """
    with open_zip(path) as archive:
        pictures = survey(archive)
        task = task_of(pictures.classes, spec, target)
        sniff_pictures(archive, pictures)
    return Decision(TARGET, task, DataFormat("images"), spec, pictures.size)
