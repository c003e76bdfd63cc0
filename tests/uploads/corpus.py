"""Bad uploads, each with its verdict: the words that its reason must have, or `ACCEPTED`."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

ACCEPTED = "accepted"
"""The verdict on a file that looks bad and is not."""
MB = 2**20

Body = bytes | Callable[[], bytes]


class Upload(NamedTuple):
    """One file, as it is dropped."""

    name: str
    body: Body
    verdict: str
    """A part of the reason; `ACCEPTED` if a model can be trained."""
    spec: bytes | None = None

    @property
    def content(self) -> bytes:
        """The bytes; large ones are made when they are needed."""
        return self.body() if callable(self.body) else self.body


def houses(rows: int = 120) -> list[str]:
    """A good table: header and rows."""
    return [
        "area,town,garden,price",
        *(f"{20 + at * 37 % 101},{('Ulm', 'Bonn')[at % 2]},{'yes' if at % 3 else 'no'},{at * 7 % 203 + 0.5}"
          for at in range(rows)),
    ]  # fmt: skip


GOOD = "\n".join(houses()).encode() + b"\n"
SECRET = "ada.lovelace@example.org"
"""A value that no reason may repeat."""


def parquet(columns: dict[str, object], **options: object) -> bytes:
    body = io.BytesIO()
    pq.write_table(pa.table(columns), body, **options)
    return body.getvalue()


def repeated_text() -> bytes:
    """A few hundred kilobytes that are 3.6 GiB once every text is written out."""
    text = pa.array(["x" * 100_000])
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(36_000, np.int32)), text)
    return parquet({"text": column, "y": pa.array(np.arange(36_000) % 2)}, compression="zstd")


def repeated_number() -> bytes:
    """A few kilobytes with 400 million numbers."""
    zeros = pa.array(np.zeros(4_000_000, np.int64))
    return parquet({f"c{at}": zeros for at in range(100)}, compression="zstd")


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return body.getvalue()


def picture(shade: int, size: tuple[int, int] = (8, 8)) -> bytes:
    body = io.BytesIO()
    Image.new("RGB", size, (shade % 256, shade * 7 % 256, shade * 13 % 256)).save(body, "PNG")
    return body.getvalue()


def pictures(**extra: bytes) -> dict[str, bytes]:
    return {**{f"{('cat', 'dog')[at % 2]}/{at}.png": picture(at) for at in range(80)}, **extra}


def workbook(frame: pl.DataFrame) -> bytes:
    body = io.BytesIO()
    frame.write_excel(body)
    return body.getvalue()


def json_lines(rows: int = 60, **changes: object) -> bytes:
    return b"".join(json.dumps({"x": at, "y": at % 2, **changes}).encode() + b"\n" for at in range(rows))


def every() -> Iterator[Upload]:
    """The whole corpus."""
    yield from _wrong_bytes()
    yield from _bombs()
    yield from _text()
    yield from _lines()
    yield from _objects()
    yield from _columnar()
    yield from _archives()
    yield from _options()


FOREIGN: dict[str, tuple[bytes, str]] = {
    "pdf": (b"%PDF-1.7\n" + bytes(range(32, 127)) * 20, "a PDF"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(2000), "a picture"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(2000), "a picture"),
    "bzip2": (b"BZh91AY&SY" + bytes(2000), "a bzip2 file"),
    "xz": (b"\xfd7zXZ\x00" + bytes(2000), "an xz file"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(2000), "a zstd file"),
    "orc": (b"ORC" + bytes(2000), "an ORC file"),
    "avro": (b"Obj\x01" + bytes(2000), "an Avro file"),
    "sqlite": (b"SQLite format 3\x00" + bytes(2000), "an SQLite database"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(2000), "an HDF5 file"),
    "xls": (b"\xd0\xcf\x11\xe0" + bytes(2000), "an old Excel file"),
    "zip": (zipped({"a.csv": GOOD}), "a zip or Excel file"),
    "elf": (b"\x7fELF\x02\x01\x01" + bytes(4000), "NUL"),
    "pickle": (b"\x80\x04\x95" + bytes(4000), "NUL"),
}
"""What the first bytes say, in files that are named otherwise."""


def _wrong_bytes() -> Iterator[Upload]:
    for kind, (body, verdict) in FOREIGN.items():
        for ending in ("csv", "tsv", "jsonl"):
            yield Upload(f"{kind}.{ending}", body, verdict)
    for kind in ("pdf", "png", "elf"):
        yield Upload(f"{kind}.parquet", FOREIGN[kind][0], "expected a Parquet file")
        yield Upload(f"{kind}.xlsx", FOREIGN[kind][0], "expected an Excel workbook")
    for ending in ("csv", "tsv", "jsonl", "parquet", "xlsx", "csv.gz"):
        yield Upload(f"empty.{ending}", b"", "is empty")
    yield Upload("parquet.csv", parquet({"x": [1, 2], "y": [0, 1]}), "is a Parquet file")
    yield Upload("csv.parquet", GOOD, "expected a Parquet file")
    yield Upload("csv.xlsx", GOOD, "expected an Excel workbook")
    yield Upload("page.csv", b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n" * 40, "looks like a web page")
    yield Upload("error.csv", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "a web page or XML")
    yield Upload("list.csv", b'[{"x": 1}]\n' * 40, "looks like JSON")


def _bombs() -> Iterator[Upload]:
    yield Upload("repeated-text.parquet", repeated_text, "bytes hold values of")
    yield Upload("repeated-number.parquet", repeated_number, "bytes hold values of")
    yield Upload("twice.csv.gz", gzip.compress(gzip.compress(GOOD)), "packed twice")
    yield Upload("half.csv.gz", gzip.compress(GOOD * 50)[:-300], "gzip stream is damaged")
    yield Upload("torn.csv.gz", _torn(gzip.compress(GOOD * 50)), "gzip stream is damaged")
    yield Upload("plain-text.csv.gz", GOOD, ACCEPTED)  # its first bytes say how it is packed, not its name
    yield Upload("packed.csv", gzip.compress(GOOD), ACCEPTED)
    yield Upload("one-cell.csv", lambda: GOOD + b'1,"' + b"x" * (40 * MB) + b'",no,1\n', "has a line of")
    yield Upload("open-quote.csv", lambda: GOOD + b'1,"Ulm,no,1\n' + GOOD * 600, "quot")
    yield Upload(
        "one-cell.csv.gz",
        lambda: gzip.compress(GOOD + b'1,"' + b"x" * (70 * MB) + b'",no,1\n', 1),
        "has a line of",
    )
    header = ",".join(f"c{at}" for at in range(5000)).encode()
    yield Upload("many-columns.csv", header + b"\n" + b"1," * 4999 + b"1\n", "expected at most 2000")


def _torn(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes(byte ^ 0xFF for byte in body[middle : middle + 20]) + body[middle + 20 :]


def _text() -> Iterator[Upload]:
    yield Upload("nul.csv", GOOD.replace(b"Ulm", b"U\0m", 1), "NUL byte")
    yield Upload("control.csv", GOOD + bytes(range(1, 9)) * 200, "control bytes")
    yield Upload("white.csv", b" \n\t\n" * 100, "nothing but white space")
    yield Upload("utf16-broken.csv", b"\xff\xfe" + GOOD + b"\x00\xd8x", "1 column")
    yield Upload("mixed.csv", GOOD + "Köln".encode() + b"\x81\x8d\x90" + "東京".encode("gbk"), "neither utf-8")
    yield Upload("utf16.csv", GOOD.decode().encode("utf-16"), ACCEPTED)
    yield Upload("bom.csv", b"\xef\xbb\xbf" + GOOD, ACCEPTED)
    yield Upload("windows.csv", GOOD.replace(b"\n", b"\r\n"), ACCEPTED)
    yield Upload("old-mac.csv", GOOD.replace(b"\n", b"\r"), ACCEPTED)


def _lines() -> Iterator[Upload]:
    yield Upload("header.csv", b"a,b,c\n", "no rows")
    yield Upload("one-column.csv", b"x\n" + b"1\n2\n" * 60, "1 column")
    yield Upload("prose.csv", b"Dear customer\nplease find attached\n" * 60, "1 column")
    yield Upload("no-rows.tsv", b"a\tb\n", "no rows")
    yield Upload("few.csv", "\n".join(houses(3)).encode(), "rows")
    yield Upload("same-names.csv", b"a,a,b\n" + b"1,2,3\n4,5,6\n" * 60, "expected each once")
    yield Upload("one-value.csv", b"x,y\n" + b"".join(b"%d,7\n" % at for at in range(120)), "at least 2 classes")
    yield Upload("no-target.csv", b"x,y\n" + b"".join(b"%d,\n" % at for at in range(120)), "value")
    yield Upload(
        "long-target.csv",
        b"x,y\n" + b"".join(b"%d,%s\n" % (at, b"z" * 10_001) for at in range(60)),
        "at least 2 classes",
    )


def _objects() -> Iterator[Upload]:
    yield Upload("list.jsonl", json.dumps([{"x": 1, "y": 2}] * 60).encode(), "write one object a line")
    yield Upload("numbers.jsonl", b"1\n2\n3\n" * 40, "write one JSON object a line")
    yield Upload("text.jsonl", GOOD, "expected '{'")
    yield Upload("half.jsonl", json_lines() + b'{"x": 1, "y"', "line 61")
    yield Upload("nested.jsonl", json_lines(z={"a": [1, 2]}), "holds an object")
    yield Upload("deep.jsonl", json_lines() + b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "line 61")
    yield Upload("same-keys.jsonl", b'{"x": 1, "x": 2, "y": 1}\n' * 60, "the key 'x' stands twice")
    yield Upload("empty-objects.jsonl", b"{}\n" * 60, "first line is empty")


def _columnar() -> Iterator[Upload]:
    whole = parquet({"x": pa.array(np.arange(500) % 83), "y": pa.array(np.arange(500) % 2)})
    yield Upload("half.parquet", whole[: len(whole) // 2], "Parquet")
    yield Upload("torn.parquet", whole[:100] + bytes(200) + whole[300:], "Parquet")
    yield Upload("magic.parquet", b"PAR1", "Parquet")
    yield Upload("footer.parquet", whole[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1", "The footer size")
    yield Upload("no-rows.parquet", parquet({"x": pa.array([], pa.int64()), "y": pa.array([], pa.int64())}), "Parquet")
    yield Upload("lists.parquet", parquet({"x": [[1], [2]] * 60, "y": [0, 1] * 60}), "is of type List")
    yield Upload("bytes.parquet", parquet({"x": [b"\x00", b"\x01"] * 60, "y": [0, 1] * 60}), "is of type Binary")
    yield Upload("structs.parquet", parquet({"x": [{"a": 1}] * 120, "y": [0, 1] * 60}), "is of type Struct")
    book = workbook(pl.DataFrame({"x": list(range(60)), "y": [0, 1] * 30}))
    yield Upload("half.xlsx", book[: len(book) // 2], "cannot be read as an Excel workbook")
    yield Upload("no-sheet.xlsx", zipped({"a.csv": GOOD}), "is a zip without")
    yield Upload("password.xlsx", b"\xd0\xcf\x11\xe0" + bytes(4000), "password")
    yield Upload("no-rows.xlsx", workbook(pl.DataFrame({"x": [], "y": []})), "no rows")


def _archives() -> Iterator[Upload]:
    yield Upload("few.zip", zipped({f"cat/{at}.png": picture(at) for at in range(3)}), "at least 2 classes")
    yield Upload("one-class.zip", zipped({f"cat/{at}.png": picture(at) for at in range(80)}), "at least 2 classes")
    yield Upload("no-pictures.zip", zipped({f"cat/{at}.txt": b"text" for at in range(80)}), "are no pictures")
    yield Upload("flat.zip", zipped({f"{at}.png": picture(at) for at in range(80)}), "are no pictures")
    yield Upload("empty.zip", zipped({}), "holds no file")
    yield Upload("half.zip", zipped(pictures())[:2000], "cannot be read as a zip")
    yield Upload("leaves.zip", zipped(pictures(**{"../../etc/cron.d/evil": b"* * * * * root sh"})), "leads out")
    yield Upload("absolute.zip", zipped(pictures(**{"/etc/passwd": b"root"})), "leads out")
    yield Upload("broken.zip", zipped({name: b"not a picture" for name in pictures()}), "different picture")
    yield Upload("program.zip", zipped({name.replace("png", "exe"): b"MZ" for name in pictures()}), "are no pictures")
    yield Upload(
        "bomb.zip",
        lambda: zipped(pictures(**{"cat/zeros.png": bytes(80 * MB)})),
        "67,108,864 a picture",
    )
    yield Upload("good.zip", zipped(pictures()), ACCEPTED)


NAMED = f"name: {SECRET}"


def _options() -> Iterator[Upload]:
    wrong: dict[str, tuple[str, str]] = {
        "twice": ("target: price\ntarget: area\n", "'target' stands twice"),
        "twice-inside": ("kinds: {area: number, area: category}\n", "'area' stands twice"),
        "kinds-number": ("kinds: {town: number}\n", "no numbers"),
        "kinds-date": ("kinds: {town: date}\n", "no dates"),
        "unknown": ("targte: price\n", "unknown key 'targte'"),
        "alias": ("a: &a [1]\nb: *a\n", "has an alias"),
        "not-yaml": ("target: [price\n", "expected YAML"),
        "list": ("- price\n- area\n", "expected 'key: value' lines"),
        "data": (f"name,mail\nAda,{SECRET}\n" * 700, "expected 'key: value' lines"),
        "mail": (f"target: price\n{NAMED}: x\n", "expected YAML"),
        "type": ("target: {a: 1}\n", "expected a text"),
        "budget": ("budget: -1\n", "between 0 and 1440"),
        "long-budget": ("budget: 100000\n", "between 0 and 1440"),
        "target": ("target: cost\n", "cost"),
        "metric": ("metric: beauty\n", "'beauty'"),
        "metric-of-another": ("metric: auc\n", "auc"),
        "encoding": ("encoding: klingon\n", "klingon"),
        "object": ("target: !!python/object/apply:os.system ['id']\n", "expected YAML"),
        "large": ("# " + "x" * 70_000 + "\n", "expected at most 65536"),
        "drop-target": ("target: price\ndrop: [price]\n", "holds the target"),
        "deep": ("a: " + "[" * 3000 + "]" * 3000 + "\n", "spec.yaml"),
    }
    for name, (text, verdict) in wrong.items():
        yield Upload(f"spec-{name}.csv", GOOD, verdict, text.encode())
    yield Upload("spec-bytes.csv", GOOD, "spec.yaml", b"\xff\xfe\x00\x01")
    yield Upload("spec-good.csv", GOOD, ACCEPTED, b"target: price\nkinds: {area: number}\n")
