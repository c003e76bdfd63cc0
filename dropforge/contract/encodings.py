"""Whether bytes that are not UTF-8 can be taken for a Western European encoding, and what else they could be.

Every byte is a letter in Latin-1 and Windows-1252, so that text in any other encoding decodes without an error, and
without a sense. In Western languages letters beyond ASCII stand alone among others (`Köln`, `Citroën`), are two of the
same (`määrä`, `créée`) or stand before an `ß` (`Größe`). Cyrillic, Greek or Chinese text that is taken for Latin-1 is
made of nothing else. Shift-JIS has the first halves of its characters where Windows-1252 has signs, and the second
halves may be ASCII.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOREIGN_LETTERS = re.compile("[\u00a1-\u024f]+")
WESTERN_PAIR = re.compile("([\u00e0-\u00ff])\\1|[\u00c0-\u00ff]\u00df")
MOST_RUNS = 0.6
"""Of the letters beyond ASCII, the share that may stand in runs of two or more that are no Western pairs."""

BROKEN_WORD = re.compile("[A-Za-z][\u2018\u201a-\u2030\u20ac\u00a1-\u00bf\u00d7\u00f7\u02c6\u02dc][a-z]")
"""A sign inside a word, as `K”ln` has it where the file is of MS-DOS; an apostrophe (`it’s`) is none."""

MOST_BROKEN = 0.3
"""Signs inside words, as a share of all characters beyond ASCII."""

SIGNS = re.compile(rb"[\x80-\x9f]")
"""What Windows-1252 has beyond Latin-1."""

LEAST_JAPANESE = 0.5
"""Of the characters beyond ASCII, the share that stands in words of two and more where a text is Japanese."""

CANDIDATES = (
    "cp1251", "koi8-r", "gb18030", "shift_jis", "euc_jp", "big5", "euc_kr", "cp1253", "cp1255", "cp1256", "cp437",
)  # fmt: skip
LEAST_OF_ONE_SCRIPT = 0.95
SCRIPTS = ("CYRILLIC", "CJK", "HANGUL", "GREEK", "HEBREW", "ARABIC", "LATIN")
SAME_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}
"""Japanese words mix them."""


def encoding_of(blocks: Iterable[bytes], named: Callable[[], str] = str) -> str:
    """utf-16 by its mark, utf-8 when every byte fits, otherwise the named encoding, or cp1252 of a Western language.

    Args:
        blocks: the bytes of a text.
        named: returns the encoding that the owner of the data named, or nothing; called when the text is not UTF-8.

    Raises:
        UnicodeError: it is none of them.
    """
    decoder, encoding, sample = codecs.getincrementaldecoder("utf-8")(), "", b""
    for block in chain(blocks, (None,)):
        if not encoding and block is not None:
            if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            encoding = "utf-8-sig" if block.startswith(codecs.BOM_UTF8) else "utf-8"
        try:
            decoder.decode(block or b"", final=block is None)
        except UnicodeDecodeError:
            sample = block or sample
            break
        sample = block or sample
    else:
        return encoding or "utf-8"
    if encoding := named():
        return encoding
    if is_western(sample.decode("cp1252", "replace")):
        return "cp1252"
    raise UnicodeError("it is neither UTF-8 nor a Western encoding: save it as UTF-8")


def decoded(raw: bytes, named: str = "") -> str:
    """The text of the bytes, without a byte order mark; `UnicodeError` when their encoding cannot be told.

    Args:
        raw: the bytes.
        named: the encoding of text that is not UTF-8, where the owner of the data named it.
    """
    if raw.isascii():
        return raw.decode("ascii")
    return raw.decode(encoding_of([raw], lambda: named)).removeprefix("\ufeff")


def is_western(text: str) -> bool:
    """Whether text that was decoded as Latin-1 or Windows-1252 reads like a Western language."""
    foreign = FOREIGN_LETTERS.findall(text)
    letters = sum(map(len, foreign))
    in_runs = sum(len(run) for run in foreign if len(run) > 1 and not WESTERN_PAIR.fullmatch(run))
    others = sum(not character.isascii() for character in text)
    broken = len(BROKEN_WORD.findall(text))
    if in_runs > MOST_RUNS * letters or broken > MOST_BROKEN * others:
        return False
    return not _is_japanese(text.encode("cp1252", "ignore"))


def _is_japanese(raw: bytes) -> bool:
    """Whether bytes with signs of Windows-1252 are words in Shift-JIS; a single kanji among ASCII is no word."""
    if SIGNS.search(raw) is None:
        return False
    words = _foreign_words(raw, "shift_jis")
    others = sum(not character.isascii() for character in raw.decode("shift_jis", "ignore"))
    return sum(map(len, words)) > LEAST_JAPANESE * others and _of_one_script(words) > LEAST_OF_ONE_SCRIPT


def candidates(raw: bytes) -> list[tuple[str, str]]:
    """Encodings in which the bytes are words of one script, each with such a word, the most plausible first."""
    plausible = []
    for name in CANDIDATES:
        words = _foreign_words(raw, name)
        share = _of_one_script(words)
        if share > LEAST_OF_ONE_SCRIPT:
            plausible.append((share, name, max(words[:50], key=len)))
    plausible.sort(key=lambda candidate: -candidate[0])
    return [(name, word) for _, name, word in plausible]


def _foreign_words(raw: bytes, encoding: str) -> list[str]:
    """Words of two letters and more beyond ASCII; none where the bytes are not of the encoding."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as fault:  # the last character may be cut off
        text = raw[: fault.start].decode(encoding, "ignore") if fault.start > len(raw) - 8 else ""
    return re.findall(r"[^\W\d_]{2,}", "".join(" " if letter.isascii() else letter for letter in text))


def _of_one_script(words: list[str]) -> float:
    """Share of the words' letters that belong to their most frequent script."""
    scripts = [unicodedata.name(letter, "").split(" ")[0].split("-")[0] for word in words[:200] for letter in word]
    known = [SAME_SCRIPT.get(script, script) for script in scripts]
    return max((known.count(script) for script in SCRIPTS), default=0) / max(len(scripts), 1)
