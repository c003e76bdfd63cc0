"""How numbers are written as text, as patterns that the trainer's reader and the protocols' reader share.

The syntax is that of Python's `re` and of Rust's regex crate, which polars uses: no look-around, no back-references.

A file has one decimal mark and at most one mark for thousands, and a column at most one unit: `NumberRule` of
`dropforge.contract.schema` names them. Spaces and apostrophes for thousands, parentheses for negative numbers and the
minus of typographers or behind the number have one meaning only, and are read under every rule.
"""

from __future__ import annotations

import re

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
"""A plain number."""

GROUPED = r"[+-]?([1-9]\d{0,2}(,\d{3})+|[1-9]\d?(,\d{2})+,\d{3})(\.\d*)?"
"""A number with commas for thousands, or with those of India (`12,34,567`)."""

DECIMAL_COMMA = r"[+-]?\d+,\d+"

COMMA_NUMBER = r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?"
"""A plain number whose decimal mark is a comma."""

DRESSED = r"([+-]?)[$€£¥]?\s?(.*?)\s?[%€$£]?"
"""A number with any currency or per cent sign, as models without a `NumberRule` read it; the first two groups together
are the number."""

MINUS = "[\u2212\u2012\u2013]"
"""The minus of typographers and the dashes that stand for it; `-` is meant."""

ACCOUNTING = r"\(\s*([^()+-]*[0-9][^()+-]*)\)"
"""A negative number in parentheses, as accounts are written."""

TRAILING_MINUS = r"([0-9][^-]*)-"
"""A negative number as SAP writes it: `7.2-`."""

SPACED = "[+-]?[1-9]\\d{0,2}([ \u00a0\u2009\u202f'\u2019]\\d{3})+([.,]\\d*)?"
"""A number with spaces (plain, no-break, thin, narrow) or apostrophes for thousands."""

SPACES = "[ \u00a0\u2009\u202f'\u2019]"

POINTED = r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?"
"""A number with points for thousands, and perhaps a decimal comma."""

CURRENCIES = (
    "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "US$", "A$", "C$", "R$", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR",
    "AUD", "CAD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "Rs", "Rs.", "Fr.", "kr", "zł", "Kč",
)  # fmt: skip
"""Units that may also stand before the number."""

JOINED_UNITS = (
    "%", "‰", "°", "°C", "°F", "C", "F", "K", "g", "kg", "mg", "µg", "t", "lb", "lbs", "oz", "m", "km", "cm", "mm",
    "ft", "in", "mi", "m²", "m2", "sqm", "sqft", "m³", "m3", "km²", "ha", "l", "L", "ml", "mL", "cl", "gal", "W", "kW",
    "kWh", "MW", "MWh", "Wh", "V", "Hz", "kHz", "MHz", "GHz", "ms", "s", "sec", "min", "h", "hr", "hrs", "d", "yrs",
    "y", "km/h", "kmh", "mph", "m/s", "bar", "psi", "Pa", "hPa", "kPa", "J", "kJ", "cal", "kcal", "Nm", "hp", "bhp",
    "PS", "cc", "px", "pt", "dpi", "bp", "bps", "MB", "GB", "TB", "kB", "KB", "mmHg", "mg/dl", "mg/dL", "g/dl", "g/dL",
    "bpm", "dB", "ppm",
)  # fmt: skip
"""Units that may follow a number without a space. Other words need one (`36 months`): `12b` and `5A` are codes."""

NO_UNITS = ("am", "pm", "a.m.", "p.m.", "st", "nd", "rd", "th", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
            "sep", "sept", "oct", "nov", "dec", "o'clock", "uhr", "bc", "ad")  # fmt: skip
"""Words after a number that make it a time, a date or a rank."""

UNIT_BEFORE = rf"^[+-]?({'|'.join(sorted(map(re.escape, CURRENCIES), key=len, reverse=True))})\s?[+-]?[.,]?\d"
UNIT_AFTER = r"\d[.,]?(\s?)([^\s\d.,;:()+-][^\s\d,;:()+-]{0,11})$"
"""The space before a unit, and the unit: `is_unit` says of which there are any."""


def is_unit(word: str, spaced: bool) -> bool:
    """Whether a word right after a number, or after a number and a space, can be a unit of it."""
    if word in JOINED_UNITS or word in CURRENCIES:
        return True
    return spaced and len(word) > 1 and word.casefold() not in NO_UNITS


def dressed(unit: str) -> str:
    """A pattern of numbers with this unit before or behind; its first two groups together are the number."""
    escaped = re.escape(unit)
    return rf"([+-]?)(?:{escaped}\s?)?(.*?)(?:\s?{escaped})?"
