"""What was left out, changed or guessed on the way from a file to a model: one record a thing, the worst first.

`profile.json` holds all of them, the run's row the worst ones; the CLI, the API and the report show the same list.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from dropforge.contract.documents import Record
from dropforge.contract.fitting import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Severity = Literal["warning", "notice"]

CODES: dict[str, Severity] = {
    "leak": "warning",
    "would_matter": "warning",
    "split": "warning",
    "rare_classes": "warning",
    "no_target": "warning",
    "contradicting": "warning",
    "unreadable": "warning",
    "number_style": "warning",
    "strays": "warning",
    "gpu_not_seen": "warning",
    "personal": "notice",
    "gap": "notice",
    "split_proposed": "notice",
    "left_out": "notice",
    "copy": "notice",
    "task": "notice",
    "target": "notice",
    "spellings": "notice",
    "missing_word": "notice",
    "dates": "notice",
    "several_units": "notice",
    "units": "notice",
    "encoding": "notice",
    "sheet": "notice",
    "repeated_rows": "notice",
    "place": "notice",
    "nothing_to_learn": "notice",
    "quasi": "notice",
    "note": "notice",
}
"""Every code, the worst first, with how much it matters: a warning may make the model's scores worthless or its answers
wrong; a notice is what most owners would have done, too."""

MOST = 20
"""Remarks in a run's row, which DynamoDB bounds to 400 KB with all else."""

LONGEST = 800
"""Characters of a sentence, an option or a column's name in a run's row."""

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*")
YAML_WORDS = ("true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan")


class Remark(Record):
    """One thing that was left out, changed or guessed."""

    code: str
    """A name for programs: one of `CODES`, or one that a newer version has added."""
    sentence: str
    severity: Severity = "notice"
    option: str | None = None
    """The line of spec.yaml that overrules it, with `<…>` where its owner has to fill in a name; None where no option
    does."""
    column: str | None = None
    """The column that it is about; None for one about the whole file."""

    @property
    def text(self) -> str:
        """The sentence and the line of spec.yaml, as plain text."""
        return self.sentence if self.option is None else f"{self.sentence} In spec.yaml: `{self.option}`"


def remark(code: str, sentence: str, *, option: str | None = None, column: str | None = None) -> Remark:
    """A remark with the severity of its code."""
    return Remark(code, sentence, CODES[code], option, column)


def worst_first(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """The remarks in the order of `CODES`; those of one code stay in the order in which they came."""
    order = {code: place for place, code in enumerate(CODES)}
    return tuple(sorted(remarks, key=lambda remark: order.get(remark.code, len(order))))


def leak(column: str, why: str) -> Remark:
    """A column that may tell the target, as `suspects` in profile.json has it."""
    name = yaml_text(column)
    return remark(
        "leak",
        f"Column {column!r} may leak the target: {why}. If its value becomes known only after the target, leave it "
        f"out; if it is known before, `trusted: [{name}]` keeps it and ends this warning.",
        option=f"drop: [{name}]",
        column=column,
    )


def remarks_in(profile: Mapping[str, Any]) -> tuple[Remark, ...]:
    """The remarks of a `profile.json`, the worst first; older ones hold plain sentences and suspects instead."""
    if "remarks" in profile:
        return tuple(Remark.from_json(stored) for stored in profile["remarks"])
    leaks = [leak(suspect["column"], suspect["why"]) for suspect in profile.get("suspects", [])]
    return worst_first([*leaks, *(remark("note", sentence) for sentence in profile.get("told", []))])


def row_fields(remarks: Iterable[Remark]) -> dict[str, Any]:
    """The fields `remarks` and `more_remarks` of a run's row: the worst ones, and how many more there are."""
    every = list(remarks)
    shown = [_short(remark) for remark in every[:MOST]]
    return {"remarks": shown, "more_remarks": len(every) - len(shown)}


def _short(remark: Remark) -> dict[str, Any]:
    """The remark with texts of at most `LONGEST` characters; half an option would be none."""
    option = remark.option if remark.option is None or len(remark.option) <= LONGEST else None
    column = None if remark.column is None else shortened(remark.column, LONGEST)
    return {**remark.to_json(), "sentence": shortened(remark.sentence, LONGEST), "option": option, "column": column}


def yaml_text(text: str) -> str:
    """A text as a value or key of a YAML list or mapping between brackets: quoted where it would not be itself."""
    if PLAIN.fullmatch(text) and text.lower() not in YAML_WORDS:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
