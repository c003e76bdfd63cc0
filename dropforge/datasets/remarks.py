"""What was left out, changed or guessed on the way from the file to the rows, the worst first.

Each remark has a sentence for people and, where there is one, the line of spec.yaml that overrules it. They stand in
`profile.json`, and from there in the run, the report, the CLI and the SDK.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropforge.contract.remarks import leak, remark, worst_first, yaml_text
from dropforge.datasets.choosing import MAX_CODES, read_labels
from dropforge.datasets.classes import rare_sentence
from dropforge.datasets.numberremarks import number_remarks
from dropforge.datasets.spellings import spellings_of, words_that_are_classes
from dropforge.datasets.values import stripped, without_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import polars as pl

    from dropforge.contract.remarks import Remark
    from dropforge.contract.schema import LabelType
    from dropforge.contract.tasks import Task
    from dropforge.datasets.columns import Described
    from dropforge.datasets.dataset import Options
    from dropforge.datasets.lost import Alone
    from dropforge.datasets.styles import Style

NAMED = 5
"""Columns, and spellings, that a sentence names."""


@dataclass(frozen=True)
class Found:
    """What `prepare` found out about a table with a target."""

    described: Mapping[str, Described]
    target: pl.Series
    """The target as it stands in the file."""
    task: Task
    label_type: LabelType
    counts: Mapping[str, int]
    """Rows, as `Dataset.counts` has them."""
    style: Style
    """How its numbers are written."""
    masked: Collection[str] = ()
    """Columns, the target among them, whose values are not to be shown."""
    rare: Mapping[str, int] = field(default_factory=dict)
    """Classes left out, to their rows."""
    suspects: Sequence[Mapping[str, Any]] = ()
    lost: Mapping[str, Alone] = field(default_factory=dict)
    """Left-out columns that would have mattered, to what they reach alone."""
    split: Sequence[Remark] = ()
    """How the rows are split, where the data called for it."""
    personal: Sequence[Remark] = ()
    """What became of personal data."""

    @property
    def hides_target(self) -> bool:
        """Whether the target's values are not to be shown."""
        return self.target.name in self.masked


def remarks(found: Found, options: Options) -> tuple[Remark, ...]:
    """Every remark on a table with a target, the worst first."""
    target = [] if found.hides_target else _target(found.target)
    return worst_first(
        [
            *(leak(suspect["column"], suspect["why"]) for suspect in found.suspects),
            *_would_matter(found),
            *found.split,
            *found.personal,
            *number_remarks(found.described, found.style, found.masked),
            *_rare(found),
            *rows_left_out(found.counts, found.target.name),
            *target,
            *columns_left_out(found.described.values(), besides=found.lost),
            *_guesses(found, options),
            *_dates(found.described),
            *encoding_guessed(options),
            *sheet_chosen(options),
        ]
    )


def _would_matter(found: Found) -> list[Remark]:
    """The left-out columns that say something of the target, the one that says most first."""
    remarks = []
    for name, alone in found.lost.items():
        column = found.described[name]
        assert column.left_out is not None
        sorted_file = (
            " If it only counts the rows of a file that is sorted by its target, it says nothing of new rows."
            if column.left_out.why == "id" and column.kind == "number"
            else ""
        )
        sentence = (
            f"Column {name!r} is left out ({column.dropped}), but it alone predicts {found.target.name!r} with "
            f"{alone.measure} {alone.score:.2f} on rows not fitted to. Keep it if callers know its value.{sorted_file}"
        )
        remarks.append(remark("would_matter", sentence, option=kept_by(column), column=name))
    return remarks


def kept_by(column: Described) -> str:
    """The line of spec.yaml that keeps a column."""
    return f"kinds: {{{yaml_text(column.name)}: {column.kind}}}"


def columns_left_out(columns: Iterable[Described], besides: Iterable[str] = ()) -> list[Remark]:
    """The columns that are left out by rule, by reason; `besides` have remarks of their own."""
    left = [column for column in columns if column.left_out is not None and column.name not in besides]
    by_rule = [
        column for column in left if column.left_out is not None and column.left_out.why in ("id", "text", "group")
    ]
    copies = [column for column in left if column.left_out is not None and column.left_out.why == "copy"]
    return [*_named("left_out", by_rule), *_named("copy", copies), *_nothing_to_learn(left)]


def _named(code: str, columns: list[Described]) -> list[Remark]:
    """A remark each for the first columns, and one for all others."""
    remarks = [
        remark(code, f"Column {column.name!r} is left out: {column.dropped}.", option=kept_by(column),
               column=column.name)
        for column in columns[:NAMED]
    ]  # fmt: skip
    more = len(columns) - NAMED
    if more > 0:
        remarks.append(remark(code, f"{more:,} further columns are left out; the report names them."))
    return remarks


def _nothing_to_learn(columns: list[Described]) -> list[Remark]:
    """The columns without a value, or with one value in every row."""
    empty = [
        column for column in columns if column.left_out is not None and column.left_out.why in ("empty", "constant")
    ]
    if not empty:
        return []
    named = ", ".join(f"{column.name!r} ({column.dropped})" for column in empty[:NAMED])
    more = f" and {len(empty) - NAMED:,} more" if len(empty) > NAMED else ""
    return [remark("nothing_to_learn", f"Columns with nothing to learn from are left out: {named}{more}.")]


def _rare(found: Found) -> list[Remark]:
    sentence = rare_sentence(found.rare, are_named=not found.hides_target)
    return [remark("rare_classes", sentence)] if sentence else []


def rows_left_out(counts: Mapping[str, int], target: str) -> list[Remark]:
    """The rows without a target, and those that repeat others."""
    remarks = []
    if counts["without_target"]:
        sentence = (
            f"{counts['without_target']:,} of {counts['read']:,} rows have no value in {target!r} and are left out."
        )
        remarks.append(remark("no_target", sentence, column=target))
    if counts["duplicates"]:
        sentence = f"{counts['duplicates']:,} of {counts['read']:,} rows are exact copies of others and count once."
        remarks.append(remark("repeated_rows", sentence))
    return remarks


def _target(target: pl.Series) -> list[Remark]:
    """How a target of texts was read."""
    if target.dtype.is_numeric():
        return []
    texts, name = stripped(target), target.name
    words, others = words_that_are_classes(texts), spellings_of(without_missing(texts))
    remarks = [
        remark(
            "missing_word",
            f"{word!r} is a class of {name!r}, for no cell is empty; a file that leaves missing values empty says "
            "otherwise.",
            column=name,
        )
        for word in words
    ]
    if others:
        named = ", ".join(f"{text!r} for {best!r}" for text, best in sorted(others.items())[:NAMED])
        more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
        sentence = f"Spellings of one class in {name!r} are taken together: {named}{more}."
        remarks.append(remark("spellings", sentence, column=name))
    return remarks


def _guesses(found: Found, options: Options) -> list[Remark]:
    """The target and the task, where a rule chose them and another choice was as near."""
    name, remarks = found.target.name, []
    if options.guesses_target:
        sentence = f"The target {name!r} was chosen by rule, as nobody named one."
        remarks.append(remark("target", sentence, option="target: <column>", column=name))
    if not options.guesses_task or found.label_type != "integer" or found.target.n_unique() > 2 * MAX_CODES:
        return remarks
    distinct = read_labels(found.target, None, found.style.of(name)).values.drop_nulls().n_unique()
    if found.task == "multiclass":
        sentence = f"The {distinct} whole numbers in {name!r} are read as classes, not as amounts."
        remarks.append(remark("task", sentence, option="task: regression", column=name))
    elif found.task == "regression" and distinct <= MAX_CODES:
        sentence = f"The {distinct} whole numbers in {name!r} are read as amounts, not as classes."
        remarks.append(remark("task", sentence, option="task: multiclass", column=name))
    return remarks


def _dates(described: Mapping[str, Described]) -> list[Remark]:
    """How dates between slashes are read."""
    return [
        remark(
            "dates",
            f"Dates such as 05/03/2024 in {column.name!r} are read with the "
            f"{column.dates.slashes.partition('-')[0]} first.",
            column=column.name,
        )
        for column in described.values()
        if column.dates is not None and column.dates.slashes is not None and not column.dropped
    ]


def encoding_guessed(options: Options) -> list[Remark]:
    """The encoding of a text that is not UTF-8, where nobody named it."""
    data = options.data
    if data is None or options.spec.encoding is not None or data.encoding not in ("latin-1", "cp1252"):
        return []
    sentence = f"The file is no UTF-8 and was read as {data.encoding}."
    return [remark("encoding", sentence, option="encoding: <name>")]


def sheet_chosen(options: Options) -> list[Remark]:
    """The sheet of a workbook that was read, where others hold values too."""
    data = options.data
    if data is None or not data.other_sheets:
        return []
    others = ", ".join(map(repr, data.other_sheets[:NAMED]))
    sentence = f"The sheet {data.sheet!r} of the workbook was read, not {others}."
    return [remark("sheet", sentence, option=f"sheet: {yaml_text(data.other_sheets[0])}")]
