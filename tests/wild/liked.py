"""Inputs of our own that must make the data set that the plain table makes; some go the whole way."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
from typing import TYPE_CHECKING

import polars as pl

from .own import JAPANESE, POLISH, RUSSIAN, SPANISH, TARGETS, Own, encoded, hundreds, islands, parquet, spelled
from .respelled import (
    NARROW,
    accounting,
    american,
    by_turns,
    comma,
    delimited,
    dressed,
    grouped,
    indian,
    minus,
    moment,
    now_and_then,
    plain,
    renamed,
    workbook,
    zoned,
)
from .seen import Case

if TYPE_CHECKING:
    from pathlib import Path


LIKE: dict[str, Own] = {
    # numbers
    "decimal-comma": Own("penguins", spelled(";", bill_length_mm=comma, bill_depth_mm=comma)),
    "decimal-comma-quoted": Own(
        "penguins",
        lambda frame: delimited(frame, {"bill_length_mm": comma, "bill_depth_mm": comma}, quoting=csv.QUOTE_ALL),
    ),
    "swiss": Own("homes", spelled(";", income=grouped("'"), people=grouped("’"))),
    "french": Own(
        "homes",
        spelled(";", income=grouped(NARROW, ","), people=grouped("\xa0"), rooms=comma, latitude=comma, longitude=comma),
    ),
    "german-target": Own("homes", spelled(";", price=lambda value: grouped(".")(value // 100)), plain=hundreds),
    "german-features": Own(
        "homes",
        spelled(";", income=grouped(".", ","), people=grouped("."), rooms=comma, latitude=comma, longitude=comma),
    ),
    "american": Own("homes", spelled(income=grouped(","), people=grouped(","), price=dressed("$"))),
    "indian": Own("homes", spelled(people=indian, price=indian)),
    "units": Own("cars", spelled(Horsepower=dressed("", " hp"), Weight_in_lbs=dressed("", " lbs"))),
    "percent": Own("homes", spelled(age=dressed("", " %"), rooms=dressed("", "%"))),
    "euro-after": Own(
        "homes",
        spelled(
            ";",
            income=lambda value: f"{comma(value)} €",
            price=dressed("", " EUR"),
            rooms=comma,
            latitude=comma,
            longitude=comma,
        ),
    ),
    "unicode-minus-everywhere": Own("weather", spelled(temp_min=minus)),
    "accounting": Own("weather", spelled(temp_min=accounting)),
    "trailing-minus": Own("weather", spelled(temp_min=lambda value: f"{-value}-" if value < 0 else str(value))),
    "plus-signs": Own("weather", spelled(temp_min=lambda value: f"{value:+}", wind=lambda value: f" {value:6.1f} ")),
    "exponents": Own("homes", spelled(people=lambda value: f"{value:.4E}", income=lambda value: f"{value:.6e}")),
    "points-without-zero": Own("weather", spelled(precipitation=lambda value: str(value).removeprefix("0") or "0")),
    # dates
    "german-dates": Own("weather", spelled(date=moment("%d.%m.%Y %H:%M"))),
    "german-short-years": Own("weather", spelled(date=moment("%d.%m.%y %H:%M"))),
    "american-dates": Own("weather", spelled(date=american)),
    "british-dates": Own("weather", spelled(date=moment("%d/%m/%Y %H:%M"))),
    "month-names": Own("weather", spelled(date=moment("%d %b %Y %H:%M"))),
    "bigquery-dates": Own("weather", spelled(date=moment("%Y-%m-%d %H:%M:%S UTC"))),
    "zones": Own("weather", spelled(date=zoned)),
    "postgres-dates": Own("weather", spelled(date=moment("%Y-%m-%d %H:%M:%S.000000+00"))),
    "compact-dates": Own("weather", spelled(date=moment("%Y%m%dT%H%M%S"))),
    # missing values, strays
    "words-for-missing": Own("penguins", spelled(missing="n/a")),
    "dashes-for-missing": Own("penguins", spelled(missing="-")),
    "typographic-dash-for-missing": Own("penguins", spelled(missing="–")),
    "backslash-n-for-missing": Own("penguins", spelled(missing="\\N")),
    "stray-words": Own(
        "weather",
        spelled(temp_min=now_and_then(200, "trace"), wind=now_and_then(100, "n.d.")),
        told="",
        plain=lambda frame: frame.with_columns(
            temp_min=pl.when((pl.int_range(pl.len()) + 2) % 200 == 0).then(None).otherwise("temp_min"),
            wind=pl.when((pl.int_range(pl.len()) + 2) % 100 == 0).then(None).otherwise("wind"),
        ),
    ),
    # classes
    "class-called-na": Own(
        "cars",
        spelled(Origin=renamed({"USA": "NA", "Europe": "EU", "Japan": "AS"})),
        told="NA",
        plain=lambda frame: frame.with_columns(pl.col("Origin").replace({"USA": "NA", "Europe": "EU", "Japan": "AS"})),
    ),
    "class-spellings": Own(
        "penguins",
        spelled(species=by_turns(plain, plain, str.upper, lambda value: f" {value} ")),
        told="taken together",
    ),
    # files
    "tabs": Own("penguins", spelled("\t", missing="NA"), "data.tsv"),
    "tabs-called-csv": Own("penguins", spelled("\t")),
    "bars": Own("penguins", spelled("|")),
    "windows-lines": Own("penguins", lambda frame: delimited(frame, end="\r\n")),
    "old-mac-lines": Own("penguins", lambda frame: delimited(frame, end="\r")),
    "everything-quoted": Own("penguins", lambda frame: delimited(frame, quoting=csv.QUOTE_ALL)),
    "blank-lines": Own("penguins", lambda frame: delimited(frame, end="\n\n") + "\n\n"),
    "no-last-line-end": Own("penguins", lambda frame: delimited(frame).rstrip("\n")),
    "trailing-delimiters": Own("penguins", lambda frame: delimited(frame).replace("\n", ",\n"), absent=("Unnamed: 8",)),
    "sep-line": Own("penguins", lambda frame: "sep=;\r\n" + delimited(frame, delimiter=";", end="\r\n")),
    "spaces-around": Own("penguins", lambda frame: delimited(frame).replace(",", " , ")),
    "quoted-line-ends": Own(
        "penguins",
        spelled(island=lambda value: f"{value}\nAntarctica, south"),
        plain=lambda frame: frame.with_columns(pl.col("island") + "\nAntarctica, south"),
    ),
    "pandas-index": Own(
        "penguins",
        lambda frame: delimited(frame.with_row_index(""), header=["", *frame.columns]),
        absent=("Unnamed: 0",),
    ),
    "r-row-names": Own(
        "penguins",
        lambda frame: delimited(
            frame.with_row_index("n", 1).with_columns(pl.col("n").cast(pl.String)),
            header=["", *frame.columns],
            missing="NA",
            quoting=csv.QUOTE_NONNUMERIC,
        ),
        absent=("Unnamed: 0",),
    ),
    "sorted-by-target": Own("homes", lambda frame: delimited(frame.sort("price"))),
    "odd-names": Own(
        "penguins",
        lambda frame: delimited(
            frame, header=[*frame.columns[:2], "длина (мм)", 'a "b", c', "x\ny", *frame.columns[5:]]
        ),
        plain=lambda frame: frame.rename(
            {"bill_length_mm": "длина (мм)", "bill_depth_mm": 'a "b", c', "flipper_length_mm": "x\ny"}
        ),
    ),
    "a-copy-in-another-spelling": Own(
        "homes",
        lambda frame: delimited(frame.with_columns(again=pl.col("people").cast(pl.Float64))),
        absent=("again",),
    ),
    "constant-and-empty-columns": Own(
        "homes",
        lambda frame: delimited(frame.with_columns(unit=pl.lit("USD"), note=pl.lit(""))),
        absent=("unit", "note"),
    ),
    "gzip-without-its-name": Own("penguins", lambda frame: gzip.compress(delimited(frame).encode(), mtime=0)),
    # encodings
    "mark": Own("penguins", encoded("utf-8", SPANISH, codecs.BOM_UTF8), plain=islands(SPANISH)),
    "unicode-text-of-excel": Own(
        "penguins",
        lambda frame: delimited(frame, {"island": renamed(JAPANESE)}, "\t").encode("utf-16"),
        plain=islands(JAPANESE),
    ),
    "utf-16-big-endian": Own("penguins", encoded("utf-16-be", JAPANESE, codecs.BOM_UTF16_BE), plain=islands(JAPANESE)),
    "windows-1252": Own("penguins", encoded("cp1252", SPANISH), plain=islands(SPANISH), told="read as latin-1|cp1252"),
    "windows-1250": Own("penguins", encoded("cp1250", POLISH), spec={"encoding": "cp1250"}, plain=islands(POLISH)),
    "shift-jis": Own(
        "penguins", encoded("shift_jis", JAPANESE), spec={"encoding": "shift_jis"}, plain=islands(JAPANESE)
    ),
    "koi8-r": Own("penguins", encoded("koi8-r", RUSSIAN), spec={"encoding": "koi8-r"}, plain=islands(RUSSIAN)),
    # other formats
    "excel": Own("weather", workbook, "data.xlsx"),
    "excel-off-the-corner": Own("penguins", lambda frame: workbook(frame, top=4, left=2), "data.xlsx"),
    "excel-of-texts": Own(
        "weather",
        lambda frame: workbook(frame.select(pl.all().cast(pl.String))),
        "data.xlsx",
    ),
    "excel-of-two-sheets": Own("weather", lambda frame: workbook(frame, more=True), "data.xlsx", told="'Notes'"),
    "json-lines": Own("penguins", lambda frame: frame.write_ndjson(), "data.jsonl"),
    "json-lines-of-pandas": Own(
        "weather",
        lambda frame: frame.with_columns(pl.col("date").dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")).write_ndjson(),
        "data.jsonl",
    ),
    "json-lines-without-missing-keys": Own(
        "penguins",
        lambda frame: "\n".join(
            json.dumps({k: v for k, v in row.items() if v is not None}) for row in frame.to_dicts()
        ),
        "data.jsonl",
    ),
    "json-lines-of-texts": Own(
        "homes", lambda frame: frame.select(pl.all().cast(pl.String)).write_ndjson(), "data.jsonl"
    ),
    "json-lines-with-nan": Own(
        "penguins",
        lambda frame: frame.write_ndjson().replace("null", "NaN"),
        "data.jsonl",
    ),
    "parquet": Own("weather", lambda frame: parquet(frame), "data.parquet"),
    "parquet-of-categories": Own(
        "penguins",
        lambda frame: parquet(frame.with_columns(pl.col("species", "island", "sex").cast(pl.Categorical))),
        "data.parquet",
    ),
    "parquet-of-small-types": Own(
        "penguins",
        lambda frame: parquet(
            frame.cast(
                {
                    "year": pl.Int16,
                    "body_mass_g": pl.UInt16,
                    "bill_length_mm": pl.Float32,
                    "bill_depth_mm": pl.Decimal(9, 1),
                }
            )
        ),
        "data.parquet",
    ),
    "parquet-in-a-zone": Own(
        "weather",
        lambda frame: parquet(
            frame.with_columns(pl.col("date").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"))
        ),
        "data.parquet",
    ),
}


NOT_READ_YET: dict[str, str] = {}
"""Inputs of `LIKE` and `FAULTS` whose expectation does not come true yet, and why."""

CLOUD = (
    "german-dates", "american-dates", "german-target", "french", "class-called-na", "unicode-text-of-excel", "koi8-r",
    "r-row-names", "excel", "excel-off-the-corner", "json-lines-without-missing-keys", "parquet-in-a-zone",
)  # fmt: skip
"""Inputs that also go the whole way; their models must predict rows of the plain table."""

HELD_BACK = 40
"""Rows of the plain table that are predicted; the model has seen them."""


def write_all(folder: Path) -> dict[str, Case]:
    """The inputs of `CLOUD` as cases below `folder`."""
    return {f"own-{name}": write(folder / f"own-{name}", LIKE[name]) for name in CLOUD}


def write(folder: Path, own: Own) -> Case:
    """One input as a case in `folder`."""
    folder.mkdir()
    (folder / own.file).write_bytes(own.body())
    target, rows = TARGETS[own.table], own.frame.drop_nulls().head(HELD_BACK)
    dates = [name for name, kind in rows.schema.items() if kind.is_temporal()]
    plain_rows = rows.drop(target).with_columns(pl.col(dates).dt.strftime("%Y-%m-%dT%H:%M:%S")).to_dicts()
    (folder / "rows.json").write_text(json.dumps(plain_rows))
    truth = rows[target].cast(pl.Float64) if rows[target].dtype.is_numeric() else rows[target]
    (folder / "truth.json").write_text(json.dumps(truth.to_list()))
    spec = {"search": "none", **own.spec}
    (folder / "spec.yaml").write_text("".join(f"{key}: {value}\n" for key, value in spec.items()))
    expected = f"the model of the plain {own.table}"
    described = {"source": "own", "what": folder.name, "expected": expected, "file": own.file, "target": target}
    (folder / "case.json").write_text(json.dumps(described))
    return Case(folder.name, folder, own.file, target)
