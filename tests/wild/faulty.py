"""Inputs of our own that must be rejected, with a sentence."""

from __future__ import annotations

import gzip

import polars as pl

from .own import JAPANESE, RUSSIAN, SPANISH, Own, encoded, parquet
from .respelled import delimited, workbook

FAULTS: dict[str, Own] = {
    "shift-jis-unnamed": Own("penguins", encoded("shift_jis", JAPANESE), fault="encoding:.*shift_jis"),
    "koi8-r-unnamed": Own("penguins", encoded("koi8-r", RUSSIAN), fault="encoding:.*koi8-r"),
    "utf-16-without-mark": Own("penguins", encoded("utf-16-le", SPANISH), fault="NUL"),
    "no-header": Own(
        "homes", lambda frame: delimited(frame).partition("\n")[2], fault="first (row|line)", names_target=False
    ),
    "no-header-of-texts": Own(
        "penguins", lambda frame: delimited(frame).partition("\n")[2], fault="first row|header", names_target=False
    ),
    "r-table": Own(
        "penguins",
        lambda frame: delimited(frame.with_row_index("n", 1), delimiter="\t").replace("n\t", "", 1),
        fault="line 2",
    ),
    "title-above": Own("penguins", lambda frame: "Penguins of Palmer,,,,,,,\n" + delimited(frame), fault="name|header"),
    "source-below": Own("penguins", lambda frame: delimited(frame) + "Source: palmerpenguins\n", fault="line 346"),
    "doubled-name": Own(
        "penguins", lambda frame: delimited(frame, header=["species", *["a"] * 7]), fault="'a' 7 times"
    ),
    "unclosed-quote": Own(
        "penguins", lambda frame: delimited(frame).replace("Biscoe", '"Biscoe', 1), fault="line|quote"
    ),
    "one-column": Own("penguins", lambda frame: delimited(frame.select("species")), fault="1 column"),
    "forty-nine-rows": Own("penguins", lambda frame: delimited(frame.head(49)), fault="at least 50"),
    "header-alone": Own("penguins", lambda frame: delimited(frame.clear()), fault="no rows"),
    "json-list": Own("penguins", lambda frame: frame.write_json(), "data.jsonl", fault="one object a line"),
    "json-called-csv": Own("penguins", lambda frame: frame.write_ndjson(), fault="looks like JSON"),
    "nested-json": Own(
        "penguins",
        lambda frame: frame.select("species", bill=pl.struct("bill_length_mm", "bill_depth_mm")).write_ndjson(),
        "data.jsonl",
        fault="'bill'",
    ),
    "parquet-of-lists": Own(
        "penguins",
        lambda frame: parquet(frame.with_columns(both=pl.concat_list("bill_length_mm", "bill_depth_mm"))),
        "data.parquet",
        fault="'both'.*List",
    ),
    "parquet-called-csv": Own("penguins", parquet, fault="name it .parquet"),
    "excel-called-csv": Own("penguins", workbook, fault="Excel"),
    "csv-called-excel": Own("penguins", delimited, "data.xlsx", fault="Excel workbook"),
    "excel-with-a-title": Own(
        "penguins", lambda frame: workbook(frame, top=2, title="Penguins"), "data.xlsx", fault="titles above"
    ),
    "web-page": Own("penguins", lambda _: "<!DOCTYPE html><html><body>404</body></html>", fault="web page"),
    "gzip-cut-short": Own(
        "penguins", lambda frame: gzip.compress(delimited(frame).encode())[:-900], "data.csv.gz", fault="gzip"
    ),
    "a-class-per-row": Own(
        "penguins",
        lambda frame: delimited(frame.with_columns(species=pl.format("bird-{}", pl.int_range(pl.len())))),
        fault="classes",
    ),
    "target-of-one-class": Own(
        "penguins",
        lambda frame: delimited(frame.with_columns(species=pl.lit("Adelie"))),
        fault="at least 2 classes",
    ),
}
