"""What Inspect decides, from files on disk alone: the target, the task, the format, and whether it can be learned.

Data of up to `reading.SAMPLE_BYTES` unpacked are prepared in whole, just as the trainer will, so that what it would
refuse is refused before a machine is paid for. Of larger data the first `SAMPLE_ROWS` rows decide target and task.
A zip is pictures: `pictures.py`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dropforge.contract.names import Drop, format_of
from dropforge.contract.results import METRICS
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.choosing import choose_target, choose_task
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.reading import SAMPLE_BYTES, read_table, sniff, unpacked_bytes
from dropforge.datasets.special import special_task
from lambdas.pipeline.inspect.decision import Decision
from lambdas.pipeline.inspect.pictures import are_pictures, decide_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dropforge.contract.plan import DataFormat
    from dropforge.contract.schema import Task

SAMPLE_ROWS = 200_000

MAX_BYTES = 2 * 2**30
"""Largest data set as dropped, all parts together: what the function's disk holds."""


def check_drop(drop: Drop, sizes: Sequence[int]) -> None:
    """Refuses, with `DataFault`, what can be told from names and sizes: nothing is fetched for it."""
    if drop.kind == "unknown" and "/" in drop.name and format_of(drop.name):
        raise DataFault(
            f"{drop.name!r} lies in a folder; expected datasets/{drop.model}/<file>, or parts named part-* and a "
            "_SUCCESS beside them: move it up"
        )
    if drop.kind == "set" and not sizes:
        raise DataFault(f"{drop.name}/_SUCCESS has no part beside it; expected part-* files with rows: drop them first")
    if sum(sizes) > MAX_BYTES:
        raise DataFault(
            f"{sum(sizes)} bytes; expected at most {MAX_BYTES}: drop fewer rows, or pack it (.csv.gz, .parquet)"
        )


def decide(paths: Sequence[Path], spec: Spec, target: str | None = None) -> Decision:
    """What to learn from the files, whose names are those they were dropped under; `target` wins over the spec.

    Raises:
        DataFault: the data cannot be learned from.
        SpecFault: a wish does not fit the data.
    """
    if are_pictures(paths):
        return decide_pictures(paths[0], spec, target)
    data = one_format(paths, spec.encoding)
    size = unpacked_bytes(paths, data)
    whole = size <= SAMPLE_BYTES
    table = read_table(paths, data, None if whole else SAMPLE_ROWS)
    wished = spec if target is None else dataclasses.replace(spec, target=spelled(target, table.columns))
    special = special_task(table, wished)
    chosen = choose_target(table, wished) if special is None else special.target
    task = choose_task(table[chosen], wished) if special is None else special.task
    check_metric(wished, task)
    if whole:
        prepare_table(table, Options(wished, chosen, task, data))
    return Decision(chosen, task, data, wished, size)


def one_format(paths: Sequence[Path], encoding: str | None = None) -> DataFormat:
    """The format that all parts have; `DataFault` names the part that has another."""
    first, *others = [(path.name, sniff(path, path.name, encoding)) for path in paths]
    for name, data in others:
        if data != first[1]:
            raise DataFault(
                f"{name!r} is {_in_words(data)}, {first[0]!r} is {_in_words(first[1])}; "
                "expected parts of one format: write them alike"
            )
    return first[1]


def _in_words(data: DataFormat) -> str:
    how = f" split at {data.delimiter!r} in {data.encoding}" if data.format == "csv" else ""
    return f"{data.format}{how}{', gzip' if data.gzip else ''}"


def spelled(target: str, columns: Sequence[str]) -> str:
    """The target as its owner typed it: an object's metadata hold ASCII alone, so a name may be percent-encoded."""
    return target if target in columns else unquote(target)


def check_metric(spec: Spec, task: Task) -> None:
    """Refuses, with `SpecFault`, a metric that the task does not have."""
    if spec.metric is not None and spec.metric not in METRICS[task]:
        raise SpecFault(f"metric: {spec.metric!r} is none of {task}; expected one of {list(METRICS[task])}")
