"""How a file is written: format by its ending, packing by its first bytes, encoding and delimiter by its content."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from dropforge.contract.csvtext import SAMPLE, delimiter_of
from dropforge.contract.encodings import candidates, is_western
from dropforge.contract.names import FORMATS, format_of
from dropforge.contract.plan import DataFormat
from dropforge.datasets import streams
from dropforge.datasets.excel import choose_sheet
from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
FOREIGN = {
    ZIP_MAGIC: "a zip or Excel file",
    OLD_EXCEL: "an old Excel file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"SQLite": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
}
LONGEST_LINE = 16 * 2**20
"""Bytes of one line: 2,000 cells of 8 KB."""
CONTROL = bytes([*range(1, 9), *range(14, 32), 127])
LATIN_CONTROL = re.compile(rb"[\x80-\x9f]")
NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def sniff(path: Path, name: str, encoding: str | None = None, sheet: str | int | None = None) -> DataFormat:
    """How the file at `path`, dropped under `name`, is to be read; the whole file is looked through.

    Args:
        path: of the file.
        name: with its ending.
        encoding: of its text, where the owner says it.
        sheet: of a workbook, where the owner says it.

    Raises:
        DataFault: an unknown ending, an empty file, bytes that are not what the ending says, text whose encoding cannot
            be told.
    """
    ending = format_of(name)
    if ending is None:
        raise DataFault(f"{name!r}: expected a file ending in {', '.join(FORMATS)}; convert it to one of these")
    if ending == "images":
        raise DataFault(f"{name!r} is a zip; expected rows here: pictures are dropped as one zip, alone")
    if path.stat().st_size == 0:
        raise DataFault(f"{name!r} is empty (0 bytes); expected a header and rows: check the export that wrote it")
    gzipped = streams.is_gzip(path)
    sample, _ = streams.head(path, gzipped, SAMPLE)
    _check_magic(name, ending, sample, gzipped)
    if ending == "parquet":
        return DataFormat("parquet")
    if ending == "excel":
        chosen, others = choose_sheet(path, name, sheet)
        return DataFormat("excel", sheet=chosen, other_sheets=others)
    encoding = _wished(name, encoding) if encoding else _encoding(name, streams.chunks(path, gzipped), sample)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    if not text.strip():
        raise DataFault(f"{name!r} holds nothing but white space; expected a header and rows: check the export")
    _check_json(name, ending, text)
    if ending == "jsonl":
        return DataFormat("jsonl", encoding=encoding, gzip=gzipped)
    delimiter, skipped = ("\t", 0) if ending == "tsv" else delimiter_of(text)
    only_returns = "\r" in text and "\n" not in text
    return DataFormat("csv", delimiter, encoding, gzipped, skipped, only_returns)


def _check_magic(name: str, ending: str, sample: bytes, gzipped: bool) -> None:
    is_parquet = sample.startswith(PARQUET_MAGIC)
    if ending == "parquet" and (gzipped or not is_parquet):
        raise DataFault(f"{name!r} starts with {sample[:4]!r}; expected a Parquet file, which starts with b'PAR1'")
    if ending != "parquet" and is_parquet:
        raise DataFault(f"{name!r} is a Parquet file; expected {ending}: name it .parquet")
    if ending == "excel":
        _check_workbook(name, sample, gzipped)
        return
    found = next((what for magic, what in FOREIGN.items() if sample.startswith(magic)), None)
    if found or sample.startswith(streams.GZIP_MAGIC):
        what = found or "packed twice"
        raise DataFault(
            f"{name!r} is {what} by its first bytes; expected {ending}: convert it, or give it its own ending"
        )


def _check_workbook(name: str, sample: bytes, gzipped: bool) -> None:
    if sample.startswith(OLD_EXCEL):
        raise DataFault(
            f"{name!r} is an old Excel file or has a password; expected an open .xlsx: save it again as an Excel "
            "workbook (.xlsx) without a password"
        )
    if gzipped or not sample.startswith(ZIP_MAGIC):
        raise DataFault(
            f"{name!r} starts with {sample[:20]!r}; expected an Excel workbook, which is a zip: save it again as "
            ".xlsx, or name it by what it is (.csv, .tsv)"
        )


def _check_json(name: str, ending: str, text: str) -> None:
    start = text.lstrip()[:1]
    if ending == "jsonl" and start != "{":
        hint = "write one object a line, not one list" if start == "[" else "write one JSON object a line"
        raise DataFault(f"{name!r} starts with {text.lstrip()[:20]!r}; expected '{{': {hint}")
    if ending != "jsonl" and re.match(r'\s*(\[\s*)?\{\s*"', text):
        raise DataFault(f"{name!r} looks like JSON; expected {ending}: write one object a line and name it .jsonl")
    if ending != "jsonl" and re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise DataFault(f"{name!r} looks like a web page or XML; expected {ending}: was an error page saved?")


def _encoding(name: str, blocks: Iterable[bytes], sample: bytes) -> str:
    """The first of utf-16 (by its mark), utf-8, latin-1 and cp1252 that fits every byte of the file."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked_utf16(name, blocks)
    decoder, at, line = codecs.getincrementaldecoder("utf-8")(), 0, 0
    utf8 = latin = windows = True
    for block in blocks:
        _check_control(name, block, at)
        at += len(block)
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        line = line + len(block) if end < 0 else len(block) - end
        if line > LONGEST_LINE:
            raise DataFault(
                f"{name!r} has a line of more than {LONGEST_LINE:,} bytes; expected rows: is it one document, or text "
                "without ends of lines?"
            )
        if block.isascii() and not decoder.getstate()[0]:
            continue  # the same in each of them, and most blocks of most files
        utf8 = utf8 and _decodes(decoder, block)
        latin = latin and LATIN_CONTROL.search(block) is None
        windows = windows and NOT_WINDOWS.search(block) is None
    if utf8 and _decodes(decoder, b"", final=True):
        return "utf-8-sig" if sample.startswith(codecs.BOM_UTF8) else "utf-8"
    if latin or windows:
        return _western(name, sample, "latin-1" if latin else "cp1252")
    raise DataFault(
        f"{name!r} is neither utf-8, utf-16, latin-1 nor cp1252 text; expected one of them: save it as utf-8"
    )


def _western(name: str, sample: bytes, encoding: str) -> str:
    """The encoding itself where the text reads like a Western language in it."""
    if is_western(sample.decode(encoding)):
        return encoding
    examples = ", ".join(f"{other} ({word!r})" for other, word in candidates(sample)[:4])
    raise DataFault(
        f"{name!r} is not utf-8, and in {encoding} it does not read like a language; expected utf-8: save it so, or "
        f"name its encoding with `encoding:` in spec.yaml, which may be {examples or 'any other'}"
    )


def _wished(name: str, encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as fault:
        raise DataFault(
            f"encoding: {encoding!r} of {name!r}; expected one that Python knows, such as utf-8, cp1251, gb18030, "
            "shift_jis or cp437"
        ) from fault


def _checked_utf16(name: str, blocks: Iterable[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        for block in blocks:
            _check_no_nul(name, decoder.decode(block))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as fault:
        raise DataFault(f"{name!r} starts as utf-16 but is not ({fault}); expected text: save it as utf-8") from fault
    return "utf-16"


def _check_no_nul(name: str, text: str) -> None:
    if "\0" in text:
        raise DataFault(f"{name!r} has a NUL character; expected text: export it again as utf-8")


def _check_control(name: str, block: bytes, at: int) -> None:
    found = block.find(b"\0")
    if found >= 0:
        raise DataFault(f"{name!r} has a NUL byte at byte {at + found}; expected text: export it again as utf-8")
    strange = len(block) - len(block.translate(None, CONTROL))
    if strange * 1000 > len(block):
        raise DataFault(f"{name!r} has {strange} control bytes near byte {at}; expected text: is it a binary file?")


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True
