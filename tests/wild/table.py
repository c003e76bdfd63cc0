"""What is expected of each input in `cases/`, by the sentence in its `case.json`.

Several `Expect` of one input are alternatives. What is expected was derived from the sentences, not from what the code
does.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from .expect import TRAINED, Expect
from .liked import CLOUD, LIKE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .seen import Seen

ANY = ("promoted", "refused", "rejected")


def warned_of(column: str) -> Expect:
    """Trained, and a sentence names the column."""
    return Expect(TRAINED, told=(column,))


def quantile(column: str, below: float) -> Callable[[Seen], str | None]:
    """The smallest values of a column of numbers are below a bound."""

    def check(seen: Seen) -> str | None:
        low = seen.profile["columns"][column]["quantiles"]["q001"]
        return None if low < below else f"the lowest {column} is {low:.4g}"

    return check


def known(column: str, least: float = 0.9) -> Callable[[Seen], str | None]:
    """At least this share of a column's values was read."""

    def check(seen: Seen) -> str | None:
        missing = seen.profile["columns"].get(column, {"missing": 1.0})["missing"]
        return None if 1 - missing >= least else f"{missing:.0%} of {column} is missing"

    return check


def both(*checks: Callable[[Seen], str | None]) -> Callable[[Seen], str | None]:
    """Several checks as one."""
    return lambda seen: next((wrong for check in checks if (wrong := check(seen))), None)


def near(tolerance: float, names: tuple[str, ...]) -> Callable[[Seen], str | None]:
    """The first prediction of each of these spellings is the first value of `truth.json`, within a share of it."""

    def check(seen: Seen) -> str | None:
        (truth,) = seen.case.json("truth.json")
        for name in names:
            answer = seen.answers[name]
            if answer.refusal or abs(answer.predictions[0] - truth) > tolerance * abs(truth):
                return f"{name!r} is answered {answer.refusal or answer.predictions[0]}, the truth is {truth}"
        return None

    return check


def shares(seen: Seen) -> str | None:
    """The probability of the second class is within 0.1 of the truth."""
    truth, answers = seen.case.json("truth.json"), seen.answers["rows"].probabilities or []
    name = next((name for name in answers[0] if name == "bought"), None) if answers else None
    if name is None:
        return "no probability of 'bought'"
    worst = max(abs(answer[name] - true) for answer, true in zip(answers, truth, strict=True))
    return None if worst <= 0.1 else f"a probability is wrong by {worst:.2f}"


def not_absurd(seen: Seen) -> str | None:
    """No negative revenue, and half of the predictions are within a factor of 1.5."""
    truth, answers = seen.case.json("truth.json"), seen.answers["rows"].predictions
    if min(answers) < 0:
        return f"a revenue of {min(answers):.4g}"
    error = median(abs(answer - true) / true for answer, true in zip(answers, truth, strict=True))
    return None if error <= 0.5 else f"a median relative error of {error:.2f}"


def flag_matters(seen: Seen) -> str | None:
    """The two values of the flag have different predictions."""
    return "1 is answered as 0" if seen.answers["1"].predictions == seen.answers["0"].predictions else None


def two_words(seen: Seen) -> str | None:
    """The classes are one word for yes and one for no."""
    words = sorted(word.lower()[0] for word in seen.profile["target"]["classes"])
    return None if words in (["0", "1"], ["n", "y"], ["f", "t"]) else f"classes {seen.profile['target']['classes']}"


YES = ("yes", "TRUE", "one", "on", "onef", "onetext", "ja", "YES ")
MISSING = ("t_empty", "t_NA", "t_None", "t_nan", "t_blank", "t_n/a", "absent")
DATES = ("space", "z", "offset", "plus2", "epoch_ms", "epoch_s", "millis", "js", "us")
HOMES = {"area": "number", "rooms": "number", "district": "category"}

LEARNABLE = {"penguins": 0.9, "weather": 0.7, "homes": 0.5, "cars": 0.7}
"""Least score on rows of the plain table, which the model has seen in another spelling."""

TABLE: dict[str, list[Expect]] = {
    "accounting-negatives": [
        Expect(TRAINED, kinds={"flow": "number"}, check=both(known("flow"), quantile("flow", -1.0))),
        warned_of("flow"),
    ],
    "backslash-quotes": [
        Expect(("rejected",), ("line 3",)),
        Expect(kinds={"area": "number"}, task="regression"),
    ],
    "bool-target-missing": [
        Expect(task="binary", classes=2, told=("62",), truth=0.7, check=two_words),
    ],
    "bool-target-spellings": [
        Expect(TRAINED, task="binary", classes=2, check=two_words),
        Expect(TRAINED, told=("yes.*no",)),
    ],
    "constant-after-cleaning": [Expect(("rejected",), ("2 classes|one class|same value|only one",))],
    "cp1251-no-target": [Expect(("rejected",), ("encoding", "cp1251")), Expect(truth=0.8)],
    "cr-only": [Expect(kinds=HOMES, task="regression")],
    "currency-percent": [Expect(task="regression", kinds={"rate": "number", "amount": "number"}, truth=0.95)],
    "dates-ampm": [Expect(kinds={"day": "date"}), warned_of("day")],
    "dates-spellings-at-predict": [Expect(truth=0.85, of="iso", same={"iso": DATES})],
    "dates-us-one-number": [Expect(kinds={"day": "date"}, holdout={"r2": 0.9})],
    "dates-utc-offset": [Expect(kinds={"measured_at": "date"}, truth=0.9)],
    "dates-utc-word": [Expect(kinds={"measured_at": "date"}, holdout={"r2": 0.85}), warned_of("measured_at")],
    "decimal-comma-one-row": [
        Expect(kinds={"konz_a": "number", "konz_b": "number"}, check=near(0.2, ("csv", "csv_comma", "json"))),
    ],
    "dedupe-bias": [Expect(check=shares)],
    "dot-thousands-target": [Expect(truth=0.9)],
    "eu-thousands-target": [
        Expect(task="regression", holdout={"r2": 0.9}),
        Expect(("rejected",), (r"1\.299,99|773\.609,61|point|thousand",)),
    ],
    "excel-errors": [Expect(kinds={"cost": "number"}, holdout={"r2": 0.9})],
    "excel-sep-line": [
        Expect(kinds={"Fläche": "number", "Zimmer": "number", "Lage": "category"}, task="regression"),
        Expect(("rejected",), ("sep=",)),
    ],
    "french-thousands": [
        Expect(TRAINED, kinds={"depense": "number"}, check=both(known("depense"), quantile("depense", 25_000.0))),
        warned_of("depense"),
    ],
    "group-leak": [
        Expect(TRAINED, told=("patient_id",)),
        Expect(("refused",)),
        Expect(("rejected",), ("patient_id",)),
    ],
    "gzip-members": [Expect(kinds=HOMES, rows=600)],
    "headerless": [Expect(("rejected",), ("header|names",))],
    "huge-range-target": [Expect(check=not_absurd)],
    "infinities": [Expect(kinds={"signal": "number"}, holdout={"r2": 0.9})],
    "jsonl-nested": [Expect(("rejected",), ("line 1", "user")), Expect(TRAINED, kinds={"user.plan": "category"})],
    "jsonl-nul": [Expect(("rejected",), ("NUL",)), Expect(TRAINED, kinds={"c": "category"})],
    "missing-spellings": [
        Expect(
            same={
                "true": YES,
                "t_null": MISSING,
                "yes": ("t_gold ", "t_Gold", "hours_text", "hours_int", "extra", "with_target"),
                "hours_null": ("hours_empty",),
            }
        ),
    ],
    "na-is-north-america": [
        Expect(classes=6, truth=0.9),
        Expect(told=("NA",), truth=0.9),
    ],
    "nfc-nfd": [Expect(truth=0.9, of="nfc", same={"nfc": ("nfd_value", "nfd_name")})],
    "odd-names": [Expect(truth=0.9)],
    "offset-feature": [Expect(kinds={"freq_hz": "number"}, truth=0.9), warned_of("freq_hz")],
    "one-padded-typo": [Expect(kinds={"income": "number", "age": "number"}, truth=0.65)],
    "ordinal-0-10": [Expect(told=("task: (regression|multiclass)",))],
    "pandas-index": [Expect(kinds=HOMES, absent=("", "Unnamed: 0"), task="regression")],
    "parquet-lists": [Expect(("rejected",), ("'(v|b)'", "list|binary"))],
    "rare-positives": [Expect(TRAINED, task="binary", told=("[Ff]ew|chance",), holdout={"auc": 0.55})],
    "sorted-mileage": [Expect(kinds={"mileage_km": "number"}, truth=0.9)],
    "sorted-mileage-kinds": [Expect(kinds={"mileage_km": "number"}, truth=0.9)],
    "target-missing-nonascii": [Expect(("rejected",), ("'Größe'", "'Grösse'"))],
    "target-nonascii": [Expect(truth=0.7)],
    "text-only": [Expect(("rejected",), ("free text|text is not",)), Expect(truth=None)],
    "title-lines": [Expect(("rejected",), ("header.*(further|below|down|above)|title",))],
    "trailing-delimiter-rows": [Expect(("rejected",), ("line 2",)), Expect(kinds=HOMES, task="regression")],
    "unicode-minus": [
        Expect(TRAINED, kinds={"delta": "number"}, check=both(known("delta"), quantile("delta", -1.0))),
        warned_of("delta"),
    ],
    "unknown-word-in-age": [Expect(kinds={"age": "number", "bmi": "number"}, truth=0.75)],
    "wide": [Expect(TRAINED, seconds=300), Expect(("rejected",), ("columns",), seconds=60)],
    "wide-250": [Expect(TRAINED, seconds=150)],
    "wide-500": [Expect(TRAINED, seconds=200)],
    "wish-date-unmet": [
        Expect(kinds={"measured_at": "date"}, check=known("measured_at")),
        Expect(("rejected",), ("measured_at", "date")),
    ],
    "zero-one-flag": [Expect(same={"1": ("true", "truetext", "onetext", "onef")}, check=flag_matters)],
    "zip-codes": [Expect(truth=0.9, of="text", same={"text": ("number", "blank")})],
    **{f"own-{name}": [Expect(truth=LEARNABLE[LIKE[name].table], file=LIKE[name].spec == {})] for name in CLOUD},
}

NOT_YET: dict[str, str] = {}
"""Inputs whose expectation does not come true yet, and why. A change that makes one come true fails its test, so that
its line is deleted."""
