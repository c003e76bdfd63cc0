"""The rules of Inspect, over files on disk: the target, the task, the format, and whether a model can be trained.

Data of up to `reading.SAMPLE_BYTES` unpacked are prepared in whole, just as the trainer prepares them, so that data it
would refuse are refused before an instance is paid for. Of larger data the first `SAMPLE_ROWS` rows decide target and
task. Zips of pictures have rules of their own, in `pictures.py`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dropforge.contract.fitting import quoted
from dropforge.contract.names import Drop, format_of
from dropforge.contract.records import composed
from dropforge.contract.remarks import remarks_in
from dropforge.contract.results import METRICS
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.choosing import choose_target, choose_task
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.reading import SAMPLE_BYTES, read_table, sniff, unpacked_bytes
from dropforge.datasets.servable import check_names
from dropforge.datasets.special import special_task
from dropforge.datasets.styles import style_of
from dropforge.datasets.table import as_table
from lambdas.pipeline.inspect.decision import Decision
from lambdas.pipeline.inspect.pictures import are_pictures, decide_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dropforge.contract.plan import DataFormat
    from dropforge.contract.remarks import Remark
    from dropforge.contract.tasks import Task

SAMPLE_ROWS = 200_000

MAX_BYTES = 2 * 2**30
"""Largest data set as dropped, all parts together; it must fit on the function's disk."""


def check_drop(drop: Drop, sizes: Sequence[int]) -> None:
    """Refuses, with `DataFault`, drops whose names or sizes are wrong, before anything is downloaded."""
    if drop.kind == "unknown" and "/" in drop.name and format_of(drop.name):
        raise DataFault(
            f"{quoted(drop.name)} lies in a folder; expected datasets/{drop.model}/<file>, or parts named part-* and a "
            "_SUCCESS beside them: move it up"
        )
    if drop.kind == "set" and not sizes:
        raise DataFault(f"{drop.name}/_SUCCESS has no part beside it; expected part-* files with rows: drop them first")
    if sum(sizes) > MAX_BYTES:
        raise DataFault(
            f"{sum(sizes)} bytes; expected at most {MAX_BYTES}: drop fewer rows, or pack it (.csv.gz, .parquet)"
        )


def decide(paths: Sequence[Path], spec: Spec, target: str | None = None) -> Decision:
    """Decides what to learn from the files, which have the names they were dropped under.

    `target` takes precedence over the spec.

    Raises:
        DataFault: the data cannot be learned from.
        SpecFault: an option does not fit the data.
    """
    if are_pictures(paths):
        return decide_pictures(paths[0], spec, target)
    data = one_format(paths, spec)
    size = unpacked_bytes(paths, data)
    whole = size <= SAMPLE_BYTES
    table = read_table(paths, data, None if whole else SAMPLE_ROWS)
    options = spec if target is None else dataclasses.replace(spec, target=spelled(target, table.columns))
    special = special_task(table, options)
    chosen = choose_target(table, options) if special is None else special.target
    if special is None:
        task = choose_task(table[chosen], options, style_of(as_table(table), options, data).of(chosen))
    else:
        task = special.task
    check_metric(options, task)
    remarks: tuple[Remark, ...] = ()
    if whole:
        remarks = remarks_in(prepare_table(table, Options(options, chosen, task, data, planned=True)).profile)
    else:
        check_names(name for name in table.columns if name not in options.drop)
    return Decision(chosen, task, data, options, size, remarks)


def one_format(paths: Sequence[Path], spec: Spec) -> DataFormat:
    """The format that all parts share; `DataFault` names the first part with another one."""
    first, *others = [(path.name, sniff(path, path.name, spec.encoding, spec.sheet)) for path in paths]
    for name, data in others:
        if data != first[1]:
            raise DataFault(
                f"{name!r} is {_described(data)}, {first[0]!r} is {_described(first[1])}; "
                "expected parts of one format: write them alike"
            )
    return first[1]


def _described(data: DataFormat) -> str:
    how = f" split at {data.delimiter!r} in {data.encoding}" if data.format == "csv" else ""
    if data.format == "excel":
        how = f" with the sheets {', '.join(map(repr, (data.sheet, *data.other_sheets)))}"
    return f"{data.format}{how}{', gzip' if data.gzip else ''}"


def spelled(target: str, columns: Sequence[str]) -> str:
    """The target as its owner typed it: metadata of objects are ASCII, so the name may be percent-encoded."""
    return target if target in columns else composed(unquote(target))


def check_metric(spec: Spec, task: Task) -> None:
    """Refuses, with `SpecFault`, a metric that the task does not have."""
    if spec.metric is not None and spec.metric not in METRICS[task]:
        raise SpecFault(f"metric: {spec.metric!r} is none of {task}; expected one of {list(METRICS[task])}")
