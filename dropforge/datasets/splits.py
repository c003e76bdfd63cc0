"""How the rows of a table with a target are split, for the trainer and in words; `splitchoice` chooses it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

import numpy as np

from dropforge.contract.remarks import remark
from dropforge.datasets import leftout
from dropforge.datasets.splitting import HELD, LEFT_OUT, split, split_as_told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dropforge.contract.remarks import Remark
    from dropforge.contract.spec import Spec
    from dropforge.datasets.columns import Described
    from dropforge.datasets.hashing import Hashes
    from dropforge.datasets.splitting import Assigned, Parts
    from dropforge.datasets.table import Table


class Proposal(NamedTuple):
    """A split that the owner may wish: why, and its line of `spec.yaml`."""

    sentence: str
    option: str


@dataclass(frozen=True)
class Split:
    """How the rows are split, and why."""

    by: Literal["rows", "column", "group", "time"] = "rows"
    column: str | None = None
    evidence: str = ""
    """What in the data calls for it; empty where the spec says so, and for a split by content."""
    gap: str | None = None
    assigned: Assigned | None = None
    """Of a split by group or by time."""
    start: str = ""
    """The first time that is held out, of a split by time."""
    proposals: tuple[Proposal, ...] = ()
    """What weaker signs of a structure call for."""

    def leaves_out(self, described: Mapping[str, Described], spec: Spec) -> dict[str, Described]:
        """The columns, without the one that the rows are grouped by: rows to predict have other values there.

        A column that `kinds` in the spec names is kept, as always, and so is the only column that there is.
        """
        read = [name for name, column in described.items() if column.left_out is None]
        if self.by != "group" or self.column is None or self.column in spec.kinds or read in ([], [self.column]):
            return dict(described)
        column = described[self.column]
        return {**described, self.column: replace(column, left_out=column.left_out or leftout.GROUP)}

    def parts(self, table: Table, hashes: Hashes, classes: NDArray[np.int64] | None) -> Parts:
        """Positions of the rows of each part, in the order of the rows' hashes."""
        if self.assigned is not None:
            return self.assigned.parts(hashes)
        if self.by == "column" and self.column is not None:
            return split_as_told(table[self.column], hashes)
        return split(hashes, classes)

    def folds(self, parts: Parts) -> NDArray[np.int64] | None:
        """The fold of each row of the training part, then of the validation part; None where content decides."""
        if self.assigned is None:
            return None
        rows = np.concatenate([parts["train"], parts["validation"]])
        return np.unique(self.assigned.folds[rows], return_inverse=True)[1].astype(np.int64)

    def groups(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """The group of each of these rows, from 0; None where rows are not split by group."""
        if self.assigned is None or self.assigned.groups is None:
            return None
        return np.unique(self.assigned.groups[rows], return_inverse=True)[1].astype(np.int64)

    @property
    def key(self) -> str:
        """The split as a model card names it."""
        return self.by if self.column is None else f"{self.by}:{self.column}"

    @property
    def left_out(self) -> int:
        """The rows that lie in a gap."""
        return 0 if self.assigned is None else int((self.assigned.labels == LEFT_OUT).sum())


def split_remarks(split: Split, counts: Mapping[str, int], *, masked: Sequence[str] = ()) -> list[Remark]:
    """What people are told of the split: nothing where the data are split by content and give no other sign."""
    remarks = [remark("split_proposed", sentence, option=option) for sentence, option in split.proposals]
    if split.by in ("group", "time"):
        why = f", because {split.evidence}" if split.evidence else ""
        sentence = f"{in_words(split, masked=masked)}{why}."
        remarks.append(remark("split", sentence, option="split: {by: rows}" if split.evidence else None))
    if split.left_out:
        sentence = (
            f"{split.left_out:,} of {counts['read']:,} rows lie in the gaps of {split.gap} before the validation and "
            "the hold-out part and are left out."
        )
        remarks.append(remark("gap", sentence))
    return remarks


def in_words(split: Split, *, masked: Sequence[str] = ()) -> str:
    """How the rows are split, as a sentence without its full stop."""
    match split.by:
        case "rows":
            return "The hold-out is a fifth of the rows, chosen by their content"
        case "column":
            return f"The hold-out is the rows that {split.column!r} calls so"
        case "group":
            assert split.assigned is not None and split.assigned.groups is not None  # a split by group has them
            held = len(np.unique(split.assigned.groups[split.assigned.labels == HELD]))
            every = int(split.assigned.groups.max()) + 1
            return f"The hold-out is all rows of {held:,} of the {every:,} values of {split.column!r}"
        case "time":
            assert split.assigned is not None  # a split by time has it
            share = float(np.mean(split.assigned.labels == HELD))
            start = "" if split.column in masked else f" (from {split.start} on)"
            return f"The hold-out is the latest {share:.0%} of the rows by {split.column!r}{start}"
        case _:
            assert_never(split.by)


def facts(split: Split, *, masked: Sequence[str] = ()) -> dict[str, object]:
    """What the profile says of the split."""
    return {
        "by": split.by,
        "column": split.column,
        "found": bool(split.evidence),
        "gap": split.gap,
        "sentence": f"{in_words(split, masked=masked)}.",
    }
