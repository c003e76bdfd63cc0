"""How values of personal data are written: e-mail addresses, phone numbers, street addresses, names, and the like.

Each function takes the distinct values of one column and says something of all of them: a column is what nearly all of
its values are.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAC = re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
EMAIL = re.compile(r"[^@\s,;]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
DOTTED = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
PHONE_SIGNS = re.compile(r"[+(\d][\d\s()./–-]*(\s?(x|ext\.?)\s?\d{1,6})?")
CERTAIN_PHONE = re.compile(r"(\+|00)\d[\d\s()./-]{6,}.*|\(\+?\d{1,4}\)[\d\s./-]{5,}.*|.*\d\s?x\d{1,6}")
GROUPED_PHONE = re.compile(
    r"(1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}|0\d{1,4}[-/ ]\d{5,8}|0?\d{1,4}[-. /]\d{3,4}[-. ]\d{3,4}|\d{2}([ .-]\d{2}){3,4}"
    r"|0\d{1,4}[-. /]\d{2,3}[-. ]\d{2,3}([-. ]\d{2,3})*|\d{3} \d{3} \d{3}|\d{2}/\d{3}-\d{4}|0\d{2,4} \d{2,4} \d{2,4}"
)
STREET = re.compile(
    r"(^|[\s,.])(street|st|avenue|ave|road|rd|drive|dr|lane|ln|blvd|boulevard|court|ct|way|square|terrace|parkway|pkwy"
    r"|highway|hwy|suite|apt|unit|rue|chemin|impasse|quai|cours|allee|weg|platz|gasse|via|viale|piazza|corso|contrada"
    r"|vicolo|strada|calle|carrer|avenida|avda|plaza|paseo|ronda|glorieta|cuesta|rua|travessa|alameda|praca|largo|ulica"
    r"|ul|aleja|plac|flat|studio|isle|crescent|close|grove|circle|place|pl|loop|path|trail|plaza|row|pass|cove|bypass"
    r"|ул|улица|ш|пер|calzada|callejon|jardin)([\s,.]|$)"
    r"|(stra(ss|ß)e|str\.|weg|platz|allee|gasse|ring|straat|laan|baan|plein|singel|gracht|gatan|vagen|vag|gata|torget"
    r"|stigen|grand|vej|gade|veien|gaten|katu|tie|polku|utca|bulevardi)([\s,.]|$)",
    re.IGNORECASE,
)
TITLES = re.compile(
    r"\b(mrs?|ms|miss|dr|prof|herr|frau|dhr|mevr|ing|dipl|sr|sra|dott|jr|ii|iii|iv|md|phd|dds|dvm|mba)\b\.?", re.I
)
DATE = re.compile(
    r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}([T ].*)?|\d{8}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}"
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}"
)


def share(values: Sequence[str], check: Callable[[str], object]) -> float:
    """The share of the values that pass."""
    return sum(bool(check(value)) for value in values) / max(len(values), 1)


def emails(values: Sequence[str]) -> bool:
    """Whether the values are e-mail addresses."""
    return share(values, EMAIL.fullmatch) >= 0.8


def addresses_of_hosts(values: Sequence[str]) -> bool:
    """Whether the values are IP addresses, and no versions: these have small numbers throughout."""
    large = share(values, lambda text: any(part.isdigit() and int(part) >= 100 for part in text.split(".")))
    return share(values, is_ip) >= 0.9 and (large >= 0.5 or share(values, DOTTED.fullmatch) < 0.5)


def is_ip(text: str) -> bool:
    """Whether a text is an IP address of either version."""
    try:
        ipaddress.ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return "." in text or text.count(":") >= 2


def macs(values: Sequence[str]) -> bool:
    """Whether the values are addresses of network cards."""
    return share(values, MAC.fullmatch) >= 0.9


def phones(values: Sequence[str]) -> bool:
    """Whether the values are phone numbers, by how they are grouped; digits without a group say nothing."""
    if share(values, lambda text: could_be_phone(text, 7, 15)) < 0.9:
        return False
    certain, grouped = share(values, CERTAIN_PHONE.fullmatch), share(values, GROUPED_PHONE.fullmatch)
    return certain + grouped >= 0.6 and (certain >= 0.2 or grouped >= 0.8)


def could_be_phone(text: str, least: int = 6, most: int = 17) -> bool:
    """Whether a text has the signs of a phone number, and so many digits."""
    if PHONE_SIGNS.fullmatch(text) is None or re.fullmatch(r"\d+\.\d+", text):
        return False
    return least <= len(re.sub(r"\D", "", text.partition("x")[0])) <= most


def streets(values: Sequence[str]) -> bool:
    """Whether the values are street addresses: a number, and a word that streets are called by."""
    numbered = share(values, lambda text: re.search(r"\d", text) and re.search(r"[^\W\d_]{3}", text))
    named = share(values, lambda text: re.search(r"\d", text) and STREET.search(_bare(text)))
    return numbered >= 0.8 and named >= 0.35 and share(values, _is_prose) < 0.5


def _is_prose(text: str) -> bool:
    """Whether most of a text's words are in small letters, or there are more than an address has."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 1]
    return len(words) > 12 or 2 * sum(word[0].islower() for word in words) > len(words) > 2


def like_names(values: Sequence[str]) -> bool:
    """Whether the values could be names: letters, and few words."""
    return share(values, lambda text: _letters(text) and len(text.split()) <= 6) >= 0.85


def known_names(values: Sequence[str]) -> float:
    """The share of values that have a known first name where one stands, and look like a whole name."""
    return share(values, _is_full_name)


def single_names(values: Sequence[str]) -> float:
    """The share of values that are one known first name, or one known surname, whichever is more."""
    first = share(values, lambda text: _bare(text).split(" ")[0].lower() in _first_names() and len(text.split()) <= 2)
    return max(first, share(values, lambda text: _bare(text).lower() in _surnames()))


def _is_full_name(text: str) -> bool:
    bare = TITLES.sub(" ", _bare(text))
    if not _letters(bare) or re.search(r"[&@#/]", bare):
        return False
    last, comma, first = bare.partition(",")
    words = re.findall(r"[A-Za-z']+", first if comma else bare)
    if comma:
        return last.strip().lower() in _surnames() or (bool(words) and words[0].lower() in _first_names())
    if not 2 <= len(words) <= 5 or not all(word[0].isupper() for word in (words[0], words[-1])):
        return False
    return words[0].lower() in _first_names() and (len(words[0]) > 1)


def _letters(text: str) -> bool:
    return bool(text) and not any(sign.isdigit() for sign in text) and any(sign.isalpha() for sign in text)


def _bare(text: str) -> str:
    """The text without accents."""
    if text.isascii():
        return text.strip()
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).strip()


@cache
def _first_names() -> frozenset[str]:
    return _listed("firstnames.txt")


@cache
def _surnames() -> frozenset[str]:
    return _listed("surnames.txt")


def _listed(file: str) -> frozenset[str]:
    """The words of a file beside this one: the names of the United States census of 1990."""
    return frozenset((Path(__file__).parent / file).read_text(encoding="ascii").split())
