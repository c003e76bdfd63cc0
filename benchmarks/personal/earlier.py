"""The rule by which columns of personal data were found before `benchmarks.personal` was made, as its peer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from dropforge.datasets.values import stripped, without_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAMPLE = 1000
"""Distinct values that are looked at."""

SHARE = 0.8
"""Share of them that must have the shape."""

FEWEST = 3


@dataclass(frozen=True)
class Finding:
    """One column that looks like personal data."""

    column: str
    what: str
    found_by: str
    """`values`, `name` or `spec`."""


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit that cards have."""
    total = sum(
        sum(divmod(2 * int(digit), 10)) if place % 2 else int(digit) for place, digit in enumerate(digits[::-1])
    )
    return total % 10 == 0


def is_card(text: str) -> bool:
    """A payment card: 13 to 19 digits of a known issuer, with a right check digit."""
    digits = re.sub(r"[ -]", "", text)
    return (
        re.fullmatch(r"(4|5[1-5]|2[2-7]|3[47]|6)\d{12,18}", digits) is not None and len(digits) <= 19 and luhn(digits)
    )


def is_iban(text: str) -> bool:
    """An IBAN with right check digits (ISO 13616)."""
    bare = text.replace(" ", "").upper()
    if re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", bare) is None:
        return False
    return int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])) % 97 == 1


def is_email(text: str) -> bool:
    """An e-mail address."""
    return re.fullmatch(r"[^@\s,;]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", text) is not None


def is_phone(text: str) -> bool:
    """A phone number: 9 to 15 digits with a leading plus, or grouped as phone numbers are."""
    digits = re.sub(r"\D", "", text)
    if not 9 <= len(digits) <= 15 or re.fullmatch(r"[+(]?[\d\s().-]+(x\d{1,5})?", text) is None:
        return False
    return text.startswith("+") or re.search(r"\d[\s)-]+\d{2,}[\s.-]\d{2,}", text) is not None


def is_us_ssn(text: str) -> bool:
    """A United States social security number, written with dashes."""
    return re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", text) is not None


def is_spanish_id(text: str) -> bool:
    """A Spanish DNI or NIE with its check letter."""
    if re.fullmatch(r"[XYZ\d]\d{7}-?[A-Z]", text.upper()) is None:
        return False
    number = text.upper().replace("-", "").translate(str.maketrans("XYZ", "012", "")) if text[0].isalpha() else text
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number[:8]) % 23] == text.upper()[-1]


def is_french_id(text: str) -> bool:
    """A French social security number with its key."""
    bare = re.sub(r"[ .-]", "", text).upper()
    if re.fullmatch(r"[12]\d{4}(\d{2}|2[AB])\d{8}", bare) is None:
        return False
    number = bare[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(bare[13:])


def is_brazilian_id(text: str) -> bool:
    """A Brazilian CPF, written with its dots, with both check digits."""
    if re.fullmatch(r"\d{3}\.\d{3}\.\d{3}-\d{2}", text) is None:
        return False
    digits = [int(sign) for sign in text if sign.isdigit()]
    checks = [
        sum(digit * (size - place) for place, digit in enumerate(digits[: size - 1])) * 10 % 11 % 10
        for size in (10, 11)
    ]
    return digits[9:] == checks


SHAPES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("e-mail addresses", is_email),
    ("IBANs", is_iban),
    ("payment card numbers", is_card),
    ("US social security numbers", is_us_ssn),
    ("Spanish identity numbers", is_spanish_id),
    ("French social security numbers", is_french_id),
    ("Brazilian CPF numbers", is_brazilian_id),
    ("phone numbers", is_phone),
)

NAMES = (
    ("e-mail addresses", r"e_?mail(_?addr(ess)?)?"),
    ("phone numbers", r"(tele)?phone(_?(no|num|number))?|mobile(_?(no|num|number))?|fax|whatsapp"),
    (
        "names of people",
        r"(first|last|middle|family|given|full|sur|maiden|customer|patient|employee|user)_?name|surname",
    ),
    ("addresses", r"(street|home|postal|mailing|billing|shipping|ip|residential)_?addr(ess)?|address(_?line_?\d)?"),
    ("dates of birth", r"birth_?(date|day)|date_?of_?birth|dob"),
    ("national ids", r"ssn|social_?security(_?(no|num|number))?|passport(_?(no|num|number))?|national_?id|nin|cpf|nif"),
    (
        "bank or card numbers",
        r"iban|bic|card_?(no|num|number)|credit_?card(_?(no|num|number))?|account_?(no|num|number)",
    ),
)


def find_personal(frame: pl.DataFrame, sensitive: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Every column that looks like personal data or that `sensitive` names, in the order of the file."""
    findings = ((name, _finding(frame[name], name in sensitive)) for name in frame.columns)
    return tuple(finding for _, finding in findings if finding is not None)


def _finding(series: pl.Series, sensitive: bool) -> Finding | None:
    if sensitive:
        return Finding(series.name, "called sensitive", "spec")
    if what := _by_values(series):
        return Finding(series.name, what, "values")
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+", "_", series.name).strip("_").lower()
    what = next((what for what, pattern in NAMES if re.fullmatch(rf"(\w+_)?({pattern})(_\d+)?", plain)), "")
    return Finding(series.name, what, "name") if what else None


def _by_values(series: pl.Series) -> str:
    if series.dtype.is_float():
        return ""
    distinct = without_missing(stripped(series.cast(pl.String))).drop_nulls().unique(maintain_order=True)
    sample = distinct.head(SAMPLE).to_list()
    if len(sample) < FEWEST:
        return ""
    return next((what for what, has in SHAPES if sum(map(has, sample)) >= SHARE * len(sample)), "")
