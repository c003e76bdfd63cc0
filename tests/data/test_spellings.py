"""Spellings of one class, words for "no value" that are classes, and the sentences that tell of what was decided."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import polars as pl
import pytest

from dropforge.contract.plan import DataFormat
from dropforge.contract.spec import Spec
from dropforge.datasets.choosing import read_labels
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare, prepare_table
from dropforge.datasets.spellings import spellings_of

if TYPE_CHECKING:
    from pathlib import Path


def labels(texts: list[str]) -> list[str | None]:
    return read_labels(pl.Series("answer", texts)).values.to_list()


def test_words_for_yes_and_no_are_two_classes_in_their_most_frequent_spelling() -> None:
    texts = ["Yes"] * 5 + ["yes", "Y", "TRUE", "1"] + ["No"] * 4 + ["no", "N", "false", "0"]
    assert labels(texts) == ["Yes"] * 9 + ["No"] * 8


def test_capitals_and_composed_accents_make_no_class_of_their_own() -> None:
    assert labels(["Rot", "rot", "Rot", "Gr\u00fcn", "Gru\u0308n", "Gr\u00fcn"]) == ["Rot"] * 3 + ["Gr\u00fcn"] * 3


@pytest.mark.parametrize("texts", [["yes", "no", "maybe"], ["a", "b"], ["y", "t"], ["Mild", "None", "Severe"]])
def test_other_classes_stay_as_they_are(texts: list[str]) -> None:
    assert labels(texts) == texts
    assert spellings_of(pl.Series(texts)) == {}


def test_numbers_stay_numbers() -> None:
    assert labels(["1", "0", "1.0"]) == [1.0, 0.0, 1.0]


def test_a_word_for_no_value_is_a_class_where_no_cell_is_empty() -> None:
    continents = ["AS", "EU", "NA", "SA"] * 20
    assert labels(continents) == continents
    assert labels([*continents, ""])[2] is None
    assert labels(["AS", "EU"] * 40 + ["NA"])[-1] is None
    assert labels(["yes", "no", "NA"] * 20)[2] is None


def frame() -> pl.DataFrame:
    rows = range(200)
    return pl.DataFrame(
        {
            "ticket": [f"T-{row * 7919 % 10007}" for row in rows],
            "size": [str(row * 37 % 101) for row in rows],
            "when": [f"0{row % 9 + 1}/{row % 28 + 1:02d}/2021" for row in rows],
            "outcome": ["" if row % 50 == 0 else ("Yes", "yes", "no", "Yes")[row % 4] for row in rows],
        }
    )


def test_what_was_decided_is_told_with_the_line_that_overrules_it() -> None:
    data = prepare_table(frame(), Options(target="outcome", data=DataFormat("csv", encoding="cp1252")))
    told = data.profile["told"]
    assert "4 of 200 rows have no value in 'outcome'" in told[0]
    assert told[1].startswith("Column 'ticket' is left out: an id: 196 different texts")
    assert told[1].endswith("In spec.yaml: `kinds: {ticket: category}`")
    assert told[2] == "Spellings of one class in 'outcome' are taken together: 'yes' for 'Yes'."
    assert told[3] == "Dates such as 05/03/2024 in 'when' are read with the month first."
    assert "read as cp1252" in told[4] and len(told) == 5
    assert data.classes == ("Yes", "no")


def test_nothing_is_told_of_what_the_owner_wished_or_of_plain_data() -> None:
    plain = frame().drop("when").with_columns(pl.col("outcome").replace({"yes": "Yes", "": "no"}))
    wished = prepare_table(plain, Options(Spec(drop=("ticket",)), "outcome", data=DataFormat("csv")))
    assert wished.profile["told"] == []


def test_names_and_texts_are_the_same_however_their_accents_are_typed(tmp_path: Path) -> None:
    apart = unicodedata.normalize("NFD", "Genève")
    path = tmp_path / "a.csv"
    rows = [f"{(apart, 'Genève', 'Bern')[at % 3]},{at * 37 % 61}.5,{at * 7 % 11 / 2}" for at in range(90)]
    path.write_text("\n".join([unicodedata.normalize("NFD", "Städte,Größe,Miete"), *rows]))
    spec = Spec.read({"target": "Miete", "kinds": {unicodedata.normalize("NFD", "Städte"): "category"}})
    dataset = prepare([path], Options(spec))
    assert [column.name for column in dataset.columns] == ["Städte", "Größe"]
    assert set(dataset.train.columns["Städte"]) == {"Genève", "Bern"}
