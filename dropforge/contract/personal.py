"""Personal data: the kinds that are recognised, and what may be done with a column of each.

What becomes of a column is decided where the data are prepared, and the decision travels in the model card, so that
whoever serves the file gives the model what it was trained on.
"""

from __future__ import annotations

from typing import Literal, get_args

from dropforge.contract.documents import Record

PersonalKind = Literal[
    "name", "email", "phone", "address", "national_id", "passport", "bank", "card", "ip", "device", "plate", "login",
    "birth", "postcode", "age", "birth_year", "sex",
]  # fmt: skip
"""What a column may hold. The first twelve name a person directly; the last four do only together with others."""

Treatment = Literal["drop", "generalise", "keep"]
"""Left out of all that is written; read in a coarser form; read as it is."""

TREATMENTS: tuple[Treatment, ...] = get_args(Treatment)

WORDS: dict[PersonalKind, str] = {
    "name": "names of people",
    "email": "e-mail addresses",
    "phone": "phone numbers",
    "address": "street addresses",
    "national_id": "national ids",
    "passport": "passport numbers",
    "bank": "bank accounts",
    "card": "payment card numbers",
    "ip": "IP addresses",
    "device": "device ids",
    "plate": "licence plates",
    "login": "user names",
    "birth": "dates of birth",
    "postcode": "postcodes",
    "age": "ages",
    "birth_year": "years of birth",
    "sex": "sexes",
}
"""Each kind in the words of a sentence."""

QUASI: tuple[PersonalKind, ...] = ("postcode", "age", "birth_year", "sex")
"""Kinds that are told and kept, unless the spec says otherwise: none of them names a person alone."""

GENERALISED: tuple[PersonalKind, ...] = ("birth", "postcode")
"""Kinds that have a coarser form: the year of a date of birth, and the first characters of a postcode."""


def default_treatment(kind: PersonalKind) -> Treatment:
    """What becomes of a column of this kind if the spec says nothing about it."""
    if kind in QUASI:
        return "keep"
    return "generalise" if kind == "birth" else "drop"


class PersonalColumn(Record):
    """What became of one column that looks like personal data."""

    column: str
    treatment: Treatment
    found_by: Literal["values", "name", "spec"]
    """Its values, its name, or a spec that names the column."""
    kind: PersonalKind | None = None
    """None of a column that the spec alone calls personal."""
