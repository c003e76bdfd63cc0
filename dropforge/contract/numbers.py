"""How numbers are written as text, as patterns that the trainer's reader and the protocols' reader share.

The syntax is that of Python's `re` and of Rust's regex crate, which polars uses: no look-around, no back-references.
"""

from __future__ import annotations

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
"""A plain number."""

GROUPED = r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?"
"""A number with commas for thousands."""

DECIMAL_COMMA = r"[+-]?\d+,\d+"

DRESSED = r"([+-]?)[$€£¥]?\s?(.*?)\s?[%€$£]?"
"""A number with a currency or per cent sign; the first two groups together are the number."""

MINUS = "[\u2212\u2012\u2013]"
"""The minus of typographers and the dashes that stand for it; `-` is meant."""

ACCOUNTING = r"\(\s*([^()+-]*[0-9][^()+-]*)\)"
"""A negative number in parentheses, as accounts are written."""

SPACED = "[+-]?\\d{1,3}([ \u00a0\u2009\u202f']\\d{3})+([.,]\\d*)?"
"""A number with spaces (plain, no-break, thin, narrow) or apostrophes for thousands."""

SPACES = "[ \u00a0\u2009\u202f']"

POINTED = r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?"
"""A number with points for thousands, and perhaps a decimal comma."""
