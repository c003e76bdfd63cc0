"""One file, read alike at training, by the API, by a batch and by `predict --file`: the file that was trained on."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from dropforge.client import rowfiles
from dropforge.contract.schema import ModelCard
from dropforge.contract.spec import Spec
from dropforge.datasets.columns import columns_read, describe
from dropforge.datasets.dataset import Rows as DataRows
from dropforge.datasets.reading import read_table, sniff
from dropforge.datasets.styles import style_of
from dropforge.datasets.table import as_table
from dropforge.datasets.typed import typed_column
from dropforge.datasets.values import MISSING
from dropforge.inference.rows import Rows, from_csv, from_json, to_arrays
from lambdas.batch.common.answering import Work
from lambdas.batch.plan.cutting import open_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROWS = 60
TARGET = [f"{row * 7 % 11 + 0.5}" for row in range(ROWS)]


def lines(delimiter: str = ",", **columns: Sequence[str]) -> str:
    """A table whose columns repeat the texts that they are given; the target is beside them."""
    header = delimiter.join([*columns, "y"])
    rows = (
        delimiter.join([*(texts[row % len(texts)] for texts in columns.values()), str(row * 7 % 11)])
        for row in range(ROWS)
    )
    return "\n".join([header, *rows]) + "\n"


PLAIN = lines(size=["1.5", "2", "", "NA", "3e2"], town=["Köln", "Bonn ", "NA", ""], on=["yes", "No", "TRUE"])
COMMAS = lines(";", size=["1,5", "2", "0,125", "5,123"], town=["Köln", "Bonn"])

FILES: dict[str, str | bytes] = {
    "plain": PLAIN,
    "carriage returns": PLAIN.replace("\n", "\r"),
    "carriage returns and line feeds": PLAIN.replace("\n", "\r\n"),
    "byte order mark": PLAIN.encode("utf-8-sig"),
    "utf-16": PLAIN.encode("utf-16"),
    "windows-1252": PLAIN.encode("cp1252"),
    "semicolons and decimal commas": COMMAS,
    "sep line": "sep=;\r\n" + COMMAS.replace("\n", "\r\n"),
    "mark and sep line": ("sep=;\n" + COMMAS).encode("utf-8-sig"),
    "tabs": PLAIN.replace(",", "\t"),
    "bars": PLAIN.replace(",", "|"),
    "blanks in the header": PLAIN.replace("size,town,on,y", " size , town ,on , y ", 1),
    "blank rows": PLAIN.replace("\n", "\n\n", 3).replace("\n", "\n   \n", 9) + "\n\n",
    "rows of delimiters": PLAIN + ",,,\n,,,\n",
    "trailing empty column": PLAIN.replace("\n", ",\n"),
    "index": "".join(f"{'' if row == 0 else row - 1},{line}\n" for row, line in enumerate(PLAIN.splitlines())),
    "free quotes": lines(nail=['5" nail', '6" nail', "screw"], size=["1", "2.5"]),
    "line breaks in quotes": lines(note=['"one\ntwo"', '"a ""b"", c"', "x"], size=["1", "2.5"]),
    "spreadsheet errors": lines(cost=["1678.87", "#DIV/0!", "#REF!", "12"], units=["1", "2"]),
    "infinities": lines(signal=[*(str(at / 8 - 2) for at in range(56)), "inf", "-Infinity", "3", "NaN"]),
    "words": lines(age=[*(str(at + 0.5) for at in range(57)), "unknown", "unknown", "12"], x=["1", "2"]),
    "points for thousands": lines(";", rent=["1.250", "980", "12.015"], size=["1", "2"]),
    "both marks": lines(";", rent=["1.299,99", "12,50", "1.234.567"], size=["1", "2,5"]),
    "spaces for thousands": lines(";", rent=["12\u202f345,67", "980,00", "1\u00a0250"], size=["1", "2"]),
    "commas for thousands": lines(rent=['"1,234.50"', "12.5"], size=["1", "2"]),
    "accounts": lines(flow=['"(1,466.48)"', "614.98", "($3.10)"], size=["1", "2"]),
    "typographic minus": lines(delta=["\u22121.35", "1.41", "10.24"], size=["1", "2"]),
    "units": lines(weight=["12 kg", "13.5 kg", "0.5kg"], rate=["38.2%", "5 %"], cost=["$3", '"$1,200"', "4"]),
    "codes": lines(zip=["01220", "94107", "08028"], code=["007", "012"], x=["1", "2"]),
    "answers": lines(ok=["yes", "no", "unknown"], flag=["0", "1"], x=["1.5", "2"]),
    "dates": lines(day=["31.05.2024", "1.6.2024", ""], at=["2024-05-31T12:30:00+02:00", "2024-06-01 08:00"]),
    "decomposed": unicodedata.normalize("NFD", lines(Städte=["Genève", "Zürich"], Größe=["1.5", "2"])),
    "names": lines(**{"Größe (m²)": ["1.5", "2"], "a.b": ["x", "y"], "100": ["1", "2"]}),
}


@dataclass(frozen=True)
class Trained:
    """What training reads in a file."""

    card: ModelCard
    columns: dict[str, list[Any]]


def trained(path: Path) -> Trained:
    data = sniff(path, path.name)
    frame = read_table([path], data)
    table, spec = as_table(frame), Spec(target="y")
    described = describe(table, spec, "y", style_of(table, spec, data))
    values = {name: typed_column(frame[name], column) for name, column in described.items() if not column.dropped}
    columns = columns_read(described, DataRows(values, np.zeros(frame.height)))
    ignored = ("y", *(name for name, column in described.items() if column.dropped))
    card = ModelCard("m", "run-0123456789abcdef", "regression", "y", "number", (), columns, ignored)
    return Trained(card, {column.name: compared(values[column.name]) for column in columns})


def compared(values: np.ndarray) -> list[Any]:
    """The values as the graph takes them: every spelling of a missing one is the same."""
    flat = values.reshape(-1)
    if flat.dtype == np.float32:
        return [None if np.isnan(value) else float(value) for value in flat]
    return [None if text in MISSING else unicodedata.normalize("NFC", text) for text in flat]


def asked(rows: Rows, card: ModelCard) -> dict[str, list[Any]]:
    """What the API gives the model, but for rows without any value, which training leaves out."""
    return without_blank({name: compared(array) for name, array in to_arrays(rows, card).items()})


def without_blank(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    kept = [any(value is not None for value in row) for row in zip(*columns.values(), strict=True)]
    return {name: [value for value, keep in zip(values, kept, strict=True) if keep] for name, values in columns.items()}


def by_file(path: Path, card: ModelCard) -> dict[str, list[Any]]:
    """What the API is sent by `predict --file`."""
    (batch,) = rowfiles.of_file(path)
    body, content_type = batch.request()
    return asked(from_csv(body) if content_type == "text/csv" else from_json(body), card)


class NoModel:
    """The part of a model that reading needs."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card


def by_batch(path: Path, card: ModelCard) -> dict[str, list[Any]]:
    """What a batch gives the model."""
    from dropforge.inference.values import to_array

    file = open_file(path, path.name, path.name, card)
    work = Work(NoModel(card), file.file, "run-0123456789abcdef", {})  # type: ignore[arg-type]
    chunks = list(work.chunks(file.blocks, file.line))
    assert not any(chunk.faults for chunk in chunks)
    found: dict[str, list[Any]] = {column.name: [] for column in card.columns}
    for chunk in chunks:
        for column in card.columns:
            if chunk.lines:
                found[column.name] += compared(to_array(column, chunk.columns[column.name], text=True))
    return without_blank(found)


@pytest.mark.parametrize("name", FILES)
def test_delimited_text_is_read_alike_everywhere(name: str, tmp_path: Path) -> None:
    content = FILES[name]
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    training = trained(path)
    expected = without_blank(training.columns)
    assert len(next(iter(expected.values()))) >= ROWS / 2
    assert asked(from_csv(path.read_bytes()), training.card) == expected
    assert by_file(path, training.card) == expected
    assert by_batch(path, training.card) == expected


RECORDS = [
    {"size": (1.125, 2, None, 3e2)[row % 4], "price": ("4,5", "1.250,5", "12")[row % 3], "town": "ab"[row % 2],
     "on": row % 2 == 0, "y": row * 7 % 11}
    for row in range(ROWS)
]  # fmt: skip


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_numbers_of_json_and_parquet_are_numbers_beside_texts_of_any_style(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"data.{ending}"
    if ending == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    else:
        pl.DataFrame(RECORDS).write_parquet(path)
    training = trained(path)
    assert training.columns["price"][:3] == [4.5, 1250.5, 12.0] and training.columns["size"][:2] == [1.125, 2.0]
    assert asked(from_json(json.dumps(RECORDS).encode()), training.card) == training.columns
    assert by_file(path, training.card) == training.columns
    assert by_batch(path, training.card) == training.columns


def test_numbers_of_json_and_parquet_are_read_by_a_model_of_decimal_commas(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(lines(";", size=["1.250,5", "1,125", "2"], town=["a", "b"]))
    card = trained(tmp_path / "data.csv").card
    records = [{"size": 1.125, "town": "a"}, {"size": 1250.5, "town": "b"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    pl.DataFrame(records).write_parquet(tmp_path / "rows.parquet")
    for name in ("rows.jsonl", "rows.parquet"):
        for found in (by_file(tmp_path / name, card), by_batch(tmp_path / name, card)):
            assert found["size"] == [1.125, 1250.5]


@pytest.mark.parametrize("content", ["size;town;y\n1,5;a;2\n", 'size,town,y\n"1,5",a,2\n', "size;town\n1,5;a\n"])
def test_one_row_is_read_by_the_style_of_the_data(content: str, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(lines(";", size=["4,5", "5,123"], town=["a", "b"]))
    card = trained(tmp_path / "data.csv").card
    path = tmp_path / "one.csv"
    path.write_text(content.replace("1,5", "5,123"))
    assert asked(from_csv(path.read_bytes()), card) == {"size": [float(np.float32(5.123))], "town": ["a"]}
    assert by_file(path, card) == by_batch(path, card) == asked(from_csv(path.read_bytes()), card)


@pytest.mark.parametrize("content", ['a,b\n1,"2\n3,4\n', 'a,b\n1,2\n3,"4'])
def test_a_quote_that_is_left_open_swallows_no_row(content: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    with pytest.raises(Exception, match="a quote is left open") as trainer:
        read_table([path], sniff(path, path.name))
    with pytest.raises(Exception, match="a quote is left open"):
        from_csv(path.read_bytes())
    with pytest.raises(Exception, match="a quote is left open"):
        list(rowfiles.of_file(path))
    assert type(trainer.value).__name__ == "DataFault"
