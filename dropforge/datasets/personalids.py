"""Numbers with a check that people are known by: national ids, bank accounts, cards, telephones' own numbers.

The checks are those of python-stdnum, a module a country. A shape that most numbers have by chance (a check digit among
ten) must be had by more values than a check of two digits must.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Check = Callable[[str], bool]

STRONG = ("es.dni|es.nie", "fr.nir", "it.codicefiscale", "br.cpf", "mx.curp", "no.fodselsnummer", "fi.hetu",
          "se.personnummer", "tr.tckimlik", "bg.egn", "ee.ik", "ro.cnp", "si.emso")  # fmt: skip
"""Checks that random values of the right length pass once in a hundred, or that ask for a date of birth as well."""

OTHERS = ("pl.pesel", "nl.bsn", "hr.oib", "ch.ssn", "ca.sin", "kr.rrn", "gr.amka", "be.nn", "za.idnr", "is_.kennitala",
          "de.idnr", "at.vnr", "il.idnr", "cl.rut", "in_.aadhaar", "gb.nhs", "th.pin", "lt.asmens", "ec.ci",
          "ar.cuit", "ie.pps", "cz.rc", "dk.cpr")  # fmt: skip

SHAPES = (
    r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}",  # United States
    r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]",  # United Kingdom
    r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])\d{2}-\d{4}",  # Denmark
    r"\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])-[1-8]\d{6}",  # South Korea
    r"[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]",  # China
)
"""Ids without a check, in a way of writing that little else has."""

SHARE = 0.9
"""Share of the values that must pass a check."""

FIRST, FIRST_SHARE = 20, 0.6
"""Values that are looked at first, spread over all, and the share of them that must pass for the others to count."""

FEW, MANY = 3, 10
"""Values from which on a strong check says something, and from which on any does."""


def national_ids(values: Sequence[str]) -> bool:
    """Whether nearly all of the (distinct) values are national ids of one country."""
    if len(values) < FEW or not _digits_in_all(values):
        return False
    if any(_most(values, re.compile(shape).fullmatch) for shape in SHAPES):
        return True
    names = (*STRONG, *OTHERS) if len(values) >= MANY else STRONG
    return any(_most(values, _check(name)) for name in names)


def ibans(values: Sequence[str]) -> bool:
    """Whether nearly all of the values are IBANs."""
    return len(values) >= FEW and _most(values, _check("iban"))


def imeis(values: Sequence[str]) -> bool:
    """Whether nearly all of the values are the numbers of mobile telephones."""
    return len(values) >= MANY and _most(
        values, lambda text: len(re.sub(r"\D", "", text)) == 15 and _check("imei")(text)
    )


def books_or_goods(values: Sequence[str]) -> bool:
    """Whether nearly all of the values are numbers of books or of trade items."""
    return _most(values, lambda text: _check("ean")(text) or _check("isbn")(text))


def cards(values: Sequence[str]) -> bool:
    """Whether nearly all of the values are numbers of payment cards: of a known issuer, with a right check digit."""
    return len(values) >= FEW and _most(values, is_card)


def is_card(text: str) -> bool:
    """A payment card: 12 to 19 digits of a known issuer, with a right check digit."""
    digits = re.sub(r"[ -]", "", text)
    issuer = re.fullmatch(r"(4|5[0-8]|2[2-7]|2131|1800|3[0-9]|6)\d{8,18}", digits)
    return issuer is not None and len(digits) <= 19 and _check("luhn")(digits)


def _most(values: Sequence[str], check: Callable[[str], object]) -> bool:
    """Whether enough of the values pass; a few are looked at first, since there are many checks."""
    if len(values) > 2 * FIRST and not _enough(values[:: len(values) // FIRST], check, FIRST_SHARE):
        return False
    return _enough(values, check, SHARE)


def _enough(values: Sequence[str], check: Callable[[str], object], share: float) -> bool:
    """Whether this share of the values passes; stops at the value that makes it impossible."""
    left = len(values) - share * len(values)
    for value in values:
        left -= not check(value)
        if left < 0:
            return False
    return True


def _digits_in_all(values: Sequence[str]) -> bool:
    return _most(values, lambda text: 8 <= len(text) <= 25 and sum(map(str.isdigit, text)) >= 5)


@cache
def _check(name: str) -> Check:
    """`is_valid` of a module of python-stdnum, or of any of some with `|`, imported when a column first needs it."""
    checks: list[Check] = [import_module(f"stdnum.{module}").is_valid for module in name.split("|")]
    return checks[0] if len(checks) == 1 else lambda text: any(check(text) for check in checks)
