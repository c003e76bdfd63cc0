"""From files to a `Dataset`: read, choose, clean, split, type. The one call that the trainer makes.

    dataset = prepare([Path("houses.csv")], Options(target="price"))

Rows without a target, exact copies of a row and rows of very rare classes (`classes`) are left out. Equal rows are
copies where a column tells nearly all rows apart (an id, a measurement): nobody has the same one twice. Otherwise they
are observations, and lie in one part of the split; but where the columns allow fewer different rows than there are rows
(a table of a few categories), they lie where they fall. Rows that differ only in columns which name rows are kept, and
lie in one part of the split.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dropforge.contract.figures import figure
from dropforge.contract.plan import Plan
from dropforge.datasets.choosing import MIN_ROWS, choose_target, choose_task, label_type, read_labels
from dropforge.datasets.classes import encode
from dropforge.datasets.columns import columns_read, describe
from dropforge.datasets.dataset import Dataset, Options, Rows
from dropforge.datasets.faults import DataFault
from dropforge.datasets.grouping import group_labels
from dropforge.datasets.hashing import nth_copy, row_hashes
from dropforge.datasets.header import check_header
from dropforge.datasets.lost import lost_columns
from dropforge.datasets.personalpolicy import applied, find_policy, policy_remarks
from dropforge.datasets.profile import make_profile
from dropforge.datasets.reading import open_table, sniff
from dropforge.datasets.remarks import Found, remarks
from dropforge.datasets.servable import check_servable
from dropforge.datasets.special import special_task
from dropforge.datasets.splitchoice import choose_split
from dropforge.datasets.splits import facts, in_words, split_remarks
from dropforge.datasets.splitting import copies
from dropforge.datasets.styles import style_of
from dropforge.datasets.suspects import find_suspects
from dropforge.datasets.table import Kept, as_table
from dropforge.datasets.typed import typed_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dropforge.contract.spec import Spec
    from dropforge.datasets.choosing import Labels
    from dropforge.datasets.columns import Described
    from dropforge.datasets.hashing import Hashes
    from dropforge.datasets.splitting import Parts
    from dropforge.datasets.table import Table


APART = 0.95
"""Of the different rows, the share in which a column must differ for equal rows to be copies of one."""

NARROWEST = 1e-6
"""Standard deviation of a regression's target as a share of its mean."""


def prepare(paths: Sequence[Path], wanted: Plan | Options) -> Dataset:
    """The data set in `paths` (parts of one format and header), ready to learn from.

    Raises:
        DataFault: the data cannot be learned from.
        SpecFault: a wish does not fit the data.
    """
    if not paths:
        raise DataFault("no file to read; expected at least one: drop a data set")
    options = Options.of_plan(wanted) if isinstance(wanted, Plan) else wanted
    data = options.data or sniff(paths[0], paths[0].name, options.spec.encoding, options.spec.sheet)
    with open_table(paths, data) as table:
        return prepare_table(table, replace(options, data=data))


def prepare_table(data: pl.DataFrame | Table, options: Options) -> Dataset:
    """As `prepare`, for a table that `open_table` or `read_table` gave."""
    table, spec = as_table(data), _without_split(options.wishes())
    if options.data is not None and options.data.format in ("csv", "excel"):
        check_header(table)
    special = special_task(table, spec)
    if special is None:
        dataset = _with_target(table, spec, options)
    else:
        dataset = special.prepare(pl.concat(table.blocks()), options)
    check_servable(table, dataset)
    return dataset


def _with_target(table: Table, spec: Spec, options: Options) -> Dataset:
    """A data set of a table with a target."""
    target = choose_target(table, spec)
    style = style_of(table, spec, options.data)
    wished = choose_task(table[target], spec, style.of(target))
    clean, hashes, counts = _clean(table, target, read_labels(table[target], spec.task, style.of(target)))
    labels = read_labels(clean[target], spec.task, style.of(target))
    kind_of_label = label_type(labels)
    encoded = encode(labels, kind_of_label, wished, target)
    task, classes, codes = encoded.task(wished), encoded.classes, encoded.codes
    if not classes:
        _check_scale(target, codes)
    kept, hashes = _kept(clean, encoded.kept), hashes[encoded.kept]
    policy = find_policy(next(block for block in kept.blocks() if block.height), spec, target)
    described = applied(describe(kept, spec, target, style), policy, kept)
    way = choose_split(kept, described, spec, codes, len(classes), hashes)
    described = way.leaves_out(described, spec)
    _check_columns(described, target)
    hashes = _together(kept, described, hashes)
    parts = way.parts(kept, hashes, codes if classes else None)
    rows = _type(kept, described, codes, parts)
    counts |= {"rare": sum(encoded.rare.values()), "gap": way.left_out}
    counts |= {name: len(rows[name]) for name in ("train", "validation", "holdout")}
    doubtful = {name: column for name, column in described.items() if name not in spec.trusted}
    suspects = find_suspects(rows["train"], rows["validation"], doubtful, target, len(classes))
    lost = lost_columns(kept, described, parts, rows, len(classes))
    found = Found(
        described, table[target], task, kind_of_label, counts, style, policy.masked, encoded.rare, suspects, lost,
        split_remarks(way, counts, masked=policy.masked), policy_remarks(policy, described, spec),
    )  # fmt: skip
    return Dataset(
        target=target,
        task=task,
        label_type=kind_of_label,
        classes=classes,
        columns=columns_read(described, rows["train"], policy.masked),
        ignored=(target, *(name for name, column in described.items() if column.dropped)),
        masked=policy.masked,
        personal=policy.columns,
        counts=counts,
        rare=encoded.rare,
        profile=make_profile(
            rows=rows["train"],
            described=described,
            target={"name": target, "task": task, "label_type": kind_of_label, "classes": list(classes)},
            counts=counts,
            policy=policy,
            suspects=suspects,
            remarks=remarks(found, options),
            split=facts(way, masked=policy.masked),
        ),
        groups=group_labels(kept, described, spec.groups, parts["holdout"], parts["train"]),
        split=f"{in_words(way, masked=policy.masked)}.",
        split_by=way.key,
        folds=way.folds(parts),
        units=way.groups(parts["holdout"]),
        train=rows["train"],
        validation=rows["validation"],
        holdout=rows["holdout"],
    )


def _check_columns(described: dict[str, Described], target: str) -> None:
    """Refuses data of which no column is left to learn from."""
    if all(column.dropped for column in described.values()):
        reasons = {name: column.dropped for name, column in list(described.items())[:5]}
        raise DataFault(f"no column is left to predict {target!r} from ({reasons}); expected one that varies: add some")


def _check_scale(target: str, values: NDArray[Any]) -> None:
    """Refuses a target whose values float32, in which models answer, can hardly tell apart."""
    mean, spread = float(values.mean()), float(values.std())
    if spread < NARROWEST * abs(mean):
        raise DataFault(
            f"the values of {target!r} differ by about {figure(spread)} around {figure(mean, spread=spread)}, which "
            "models cannot tell apart; "
            f"expected differences of at least a millionth: subtract {mean:.0f} from them"
        )


def _without_split(spec: Spec) -> Spec:
    """The column that deals the rows is none to learn from."""
    return replace(spec, drop=(*spec.drop, spec.split)) if isinstance(spec.split, str) else spec


def _together(kept: Table, described: dict[str, Described], hashes: Hashes) -> Hashes:
    """The rows' hashes, one for all rows that differ only in columns which name rows, so that these lie together.

    Otherwise a row that was copied under another id would be learned and held out at once. Where the other columns
    allow few different rows, equal ones are observations and lie where they fall.
    """
    names = [name for name, each in described.items() if each.names_rows]
    others = [name for name in kept.columns if name not in names]
    if not names or _can_repeat(kept, others):
        return hashes
    read = np.concatenate([row_hashes(block.select(others)) for block in kept.blocks()])
    alike = np.unique(read, return_inverse=True)[1]
    least = np.full(alike.max() + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, alike, hashes)
    return least[alike]


def _clean(table: Table, target: str, labels: Labels) -> tuple[Table, Hashes, dict[str, int]]:
    """Rows with a target and without copies, their hashes, and what was left out."""
    labelled = _kept(table, labels.values.is_not_null().to_numpy())
    hashes = np.concatenate([row_hashes(block) for block in labelled.blocks()])
    nth = copies(hashes)
    counts = {"read": table.height, "duplicates": 0, "without_target": table.height - labelled.height}
    if _can_repeat(labelled, labelled.columns):
        return labelled, nth_copy(hashes, nth), counts
    first = nth == 0
    left = int(first.sum())
    if left < len(first) and left >= MIN_ROWS and not _tells_rows_apart(labelled, target, left):
        return labelled, hashes, counts
    if left < MIN_ROWS:
        raise DataFault(
            f"needs at least {MIN_ROWS} different rows with a value in {target!r}, got {left} of {table.height}: "
            "drop more rows"
        )
    return _kept(labelled, first), hashes[first], {**counts, "duplicates": len(first) - left}


def _tells_rows_apart(table: Table, target: str, rows: int) -> bool:
    """Whether a column other than the target has a value of its own in nearly every one of so many different rows."""
    return any(table.facts(name).count >= APART * rows for name in table.columns if name != target)


def _kept(table: Table, mask: NDArray[np.bool_]) -> Table:
    """The table itself where all rows are kept: what was counted of it still holds."""
    return table if mask.all() else Kept(table, mask)


def _can_repeat(table: Table, columns: Sequence[str]) -> bool:
    """Whether the distinct values of these columns allow no more different rows than there are."""
    possible = 1.0
    for name in sorted(columns, key=lambda name: -table.facts(name).count):
        possible *= table[name].n_unique()
        if possible > table.height:
            return False
    return True


def _type(table: Table, described: dict[str, Described], codes: NDArray[Any], parts: Parts) -> dict[str, Rows]:
    """The rows of each part; a column at a time, so that no more than one is held twice."""
    columns: dict[str, dict[str, NDArray[Any]]] = {part: {} for part in parts}
    for name, each in described.items():
        if not each.dropped:
            values = typed_column(table[name], each)
            for part, index in parts.items():
                columns[part][name] = values[index]
    return {part: Rows(columns[part], codes[index]) for part, index in parts.items()}
