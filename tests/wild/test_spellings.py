"""Random tables in every spelling of the same values: one data set at training, one input at prediction."""

from __future__ import annotations

import csv
import json
import tempfile
from codecs import BOM_UTF8
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropforge.contract.schema import ModelCard
from dropforge.contract.spec import Spec
from dropforge.datasets.columns import columns_read, describe
from dropforge.datasets.dataset import Rows
from dropforge.datasets.reading import read_table, sniff
from dropforge.datasets.typed import typed_column
from dropforge.datasets.values import FALSE, MISSING, TRUE
from dropforge.inference import rows as requests
from dropforge.inference.faults import InputFault
from dropforge.inference.protocols.v2 import inputs, wire

from .own import parquet
from .respelled import american, comma, delimited, grouped, minus, moment, workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropforge.contract.schema import Column

HEIGHT = 60
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

WORDS = st.text(
    st.characters(codec="utf-8", categories=("L",), include_characters=" -'&", exclude_characters="\u0130"),
    min_size=3, max_size=12,
).map(str.strip).filter(lambda word: len(word) > 2 and word[0].isalpha())  # fmt: skip


@st.composite
def tables(draw: Any) -> pl.DataFrame:
    """Sixty rows: two columns of numbers with decimals, one of whole numbers, a category, a boolean, a date; gaps."""
    random = Random(draw(st.integers(0, 10**6)))
    scale = draw(st.sampled_from([1.0, 40.0, 3_000.0, 2_000_000.0]))
    words = draw(st.lists(WORDS, min_size=2, max_size=6, unique_by=str.casefold))

    def column(value: Callable[[], Any]) -> list[Any]:
        return [None if random.random() < 0.1 else value() for _ in range(HEIGHT)]

    def one_decimal() -> float:
        return round(random.uniform(-1, 1) * scale, 1) + 0.0

    return pl.DataFrame(
        {
            "amount": column(lambda: round(random.uniform(0.01, 1) * scale, 2)),
            "change": [-0.5, *column(one_decimal)[1:]],
            "count": column(lambda: random.randrange(int(scale) + 30)),
            "word": [*words, *column(lambda: random.choice(words))][:HEIGHT],
            "flag": [True, False, *column(lambda: random.random() < 0.5)[2:]],
            "moment": [
                datetime(2021, 5, 31, 14, 30),
                *column(lambda: datetime(random.randrange(1990, 2030), random.randrange(1, 13),
                                         random.randrange(1, 29), random.randrange(24), random.randrange(60)))[1:],
            ],
        },
        schema_overrides={"count": pl.Int64},
    )  # fmt: skip


def shown(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def word(value: bool) -> str:
    return "yes" if value else "no"


NAMED = moment("%b %d, %Y %H:%M")
ISO = moment("%Y-%m-%dT%H:%M:%S")
FILES: dict[str, tuple[str, Callable[[pl.DataFrame], bytes | str]]] = {
    "csv": ("a.csv", lambda frame: delimited(frame, {"moment": ISO})),
    "quoted": ("a.csv", lambda frame: delimited(frame, {"flag": word, "moment": ISO}, quoting=csv.QUOTE_ALL)),
    "german": (
        "a.csv",
        lambda frame: delimited(
            frame, {"amount": comma, "change": comma, "moment": moment("%d.%m.%Y %H:%M")}, ";", end="\r\n"
        ),
    ),
    "american": (
        "a.csv",
        lambda frame: delimited(
            frame, {"amount": grouped(","), "change": grouped(","), "count": grouped(","), "flag": shown,
                    "moment": american}, missing="N/A",
        ),
    ),
    "swiss": (
        "a.tsv",
        lambda frame: delimited(
            frame, {"amount": grouped("'"), "change": minus, "count": grouped("'"),
                    "moment": moment("%Y-%m-%d %H:%M:%S UTC")}, "\t", missing="NA",
        ),
    ),
    "unicode text": ("a.csv", lambda frame: delimited(frame, {"moment": ISO}, "\t").encode("utf-16")),
    "mark and bars": ("a.csv", lambda frame: (BOM_UTF8 + delimited(frame, {"moment": ISO}, "|").encode())),
    "json lines": ("a.jsonl", lambda frame: frame.with_columns(pl.col("moment").dt.strftime("%FT%TZ")).write_ndjson()),
    "excel": ("a.xlsx", workbook),
}  # fmt: skip


def learned(folder: Path, name: str, content: bytes | str) -> tuple[tuple[Column, ...], dict[str, np.ndarray]]:
    """The columns that a model of this file reads, and their typed values in the order of the rows."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_table([path], sniff(path, name))
    described = describe(table, Spec(kinds={"word": "category"}))
    values = {column.name: typed_column(table[column.name], column) for column in described.values()}
    return columns_read(described, Rows(values, np.zeros(table.height))), values


def canonical(values: Any, column: Column) -> list[Any]:
    """What words stand for, by the rules that the graph of a model has too: missing values, booleans, midnights."""
    texts = ["" if str(value) in MISSING else str(value) for value in np.asarray(values).ravel()]
    if column.kind == "boolean":
        return [True if text in TRUE else False if text in FALSE else text for text in texts]
    return [text.removesuffix("T00:00:00") for text in texts] if column.kind == "date" else texts


def assert_alike(found: Mapping[str, Any], expected: Mapping[str, Any], columns: tuple[Column, ...]) -> None:
    for column in columns:
        ours, theirs = found[column.name], expected[column.name]
        if column.kind == "number":
            np.testing.assert_allclose(
                np.asarray(ours, float).ravel(), np.asarray(theirs, float).ravel(), rtol=1e-5, err_msg=column.name
            )
        else:
            assert canonical(ours, column) == canonical(theirs, column), column.name


@QUICK
@given(tables())
def test_training_reads_one_table_in_every_spelling(frame: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        columns, values = learned(Path(folder), "plain.parquet", parquet(frame))
        assert [column.kind for column in columns] == ["number"] * 3 + ["category", "boolean", "date"]
        for spelling, (name, write) in FILES.items():
            found, others = learned(Path(folder), name, write(frame))
            assert [(each.name, each.kind) for each in found] == [(each.name, each.kind) for each in columns], spelling
            assert_alike(others, values, columns)


def card_of(columns: tuple[Column, ...]) -> ModelCard:
    return ModelCard("m", "run-0123456789abcdef", "regression", "y", "number", (), columns)


def records(frame: pl.DataFrame, **spellings: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """The rows as a program has them."""
    ways = {"moment": lambda value: value.isoformat(), **spellings}
    return [
        {name: value if value is None or name not in ways else ways[name](value) for name, value in row.items()}
        for row in frame.to_dicts()
    ]


def as_json(rows: Any) -> requests.Rows:
    return requests.from_json(json.dumps(rows).encode())


def as_csv(frame: pl.DataFrame, missing: str = "", **spellings: Callable[[Any], str]) -> requests.Rows:
    return requests.from_csv(delimited(frame, {"moment": ISO, **spellings}, missing=missing, end="\r\n").encode())


def by_column(frame: pl.DataFrame) -> requests.Rows:
    rows = records(frame)
    return as_json({"columns": {name: [row[name] for row in rows] for name in frame.columns}})


REQUESTS: dict[str, Callable[[pl.DataFrame], requests.Rows]] = {
    "rows": lambda frame: as_json({"rows": records(frame)}),
    "columns": by_column,
    "words and zones": lambda frame: as_json(
        records(frame, flag=word, moment=lambda value: f"{value.isoformat()}.000Z", count=float)
    ),
    "milliseconds": lambda frame: as_json(
        records(frame, moment=lambda value: round((value - datetime(1970, 1, 1)).total_seconds() * 1000))
    ),
    "csv": as_csv,
    "american csv": lambda frame: as_csv(
        frame,
        "NA",
        amount=grouped(","),
        change=grouped(","),
        count=grouped(","),
        flag=shown,
        moment=moment("%b %d, %Y %H:%M"),
    ),
    "swiss csv": lambda frame: as_csv(
        frame, "null", amount=grouped("'"), change=minus, flag=word, moment=moment("%d.%m.%Y %H:%M")
    ),
}


def tensors(frame: pl.DataFrame) -> bytes:
    """A request of the Open Inference Protocol in JSON: a tensor a column, null and the empty text for missing."""
    made = []
    for name, values in frame.to_dict(as_series=False).items():
        number = name in ("amount", "change", "count")
        if number:
            data = [None if value is None else float(value) for value in values]
        elif name == "moment":
            data = ["" if value is None else value.isoformat() for value in values]
        else:
            data = ["" if value is None else str(value) for value in values]
        made.append({"name": name, "shape": [len(data), 1], "datatype": "FP64" if number else "BYTES", "data": data})
    return json.dumps({"inputs": made}).encode()


def assert_read(ask: Callable[[pl.DataFrame], requests.Rows], frame: pl.DataFrame, card: ModelCard,
                expected: Mapping[str, Any]) -> None:  # fmt: skip
    """Reads alike, or refuses a number that the data do not say how to read, with what it could mean."""
    try:
        found = requests.to_arrays(ask(frame), card)
    except InputFault as fault:
        assert "which could be" in str(fault) and fault.column in ("amount", "change", "count")
    else:
        assert_alike(found, expected, card.columns)


@QUICK
@given(tables())
def test_prediction_makes_one_input_of_every_spelling(frame: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        columns, _ = learned(Path(folder), "plain.parquet", parquet(frame))
        card = card_of(columns)
        expected = requests.to_arrays(as_json(records(frame)), card)
        for ask in REQUESTS.values():
            assert_read(ask, frame, card, expected)
        assert_alike(inputs.to_arrays(wire.read(tensors(frame), None), card), expected, columns)
        assert_alike(expected, dict(learned(Path(folder), "plain.parquet", parquet(frame))[1]), columns)


@QUICK
@given(tables(), st.integers(0, HEIGHT - 1))
def test_a_row_alone_is_the_input_that_it_is_among_others(frame: pl.DataFrame, at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        columns, _ = learned(Path(folder), "plain.parquet", parquet(frame))
    card, row = card_of(columns), frame.slice(at, 1)
    expected = {name: each[at : at + 1] for name, each in requests.to_arrays(as_json(records(frame)), card).items()}
    for ask in REQUESTS.values():
        assert_read(ask, row, card, expected)
