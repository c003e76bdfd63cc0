"""Raw columns to tables: vocabularies, booleans, dates and their arithmetic."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import torch

from dropforge.contract.schema import Column
from dropforge.datasets.dates import parse_dates
from training_container.dates import parse_date
from training_container.encoding import FALSE, LARGEST, MISSING, TRUE, UNKNOWN, Encoder, Vocabulary
from training_container.models.features import DATE_FEATURES, RawNumbers, days_since_epoch


def test_a_column_of_float64_is_moved_before_it_is_cut() -> None:
    far = 2.4e9 + np.array([-40.0, -0.25, 0.0, 0.25, 39.5, np.nan])
    encoder = Encoder.learn((Column("x", "number", double=True),), {"x": far})
    numbers = encoder.encode({"x": far}).numbers[:, 0].numpy().astype(np.float64)
    shift = encoder.shifts["x"]
    np.testing.assert_array_equal(numbers / shift.factor + shift.offset, far)
    assert np.log2(shift.factor) == round(np.log2(shift.factor))
    assert abs(np.nanmedian(numbers)) < 1e-6
    assert 0.25 <= np.subtract(*np.nanquantile(numbers, [0.75, 0.25])) <= 1


@pytest.mark.parametrize("values", [[1e300, 1.5e300, -1e300], [1e-310, 2e-310, 5e-310], [7.0, 7.0], [np.nan, np.nan]])
def test_numbers_of_any_size_are_moved_into_float32(values: list[float]) -> None:
    column = np.array(values)
    encoder = Encoder.learn((Column("x", "number", double=True),), {"x": column})
    numbers = encoder.encode({"x": column}).numbers[:, 0].numpy()
    np.testing.assert_array_equal(np.isnan(numbers), np.isnan(column))
    assert np.isfinite(numbers[~np.isnan(column)]).all()
    known = column[~np.isnan(column)]
    assert len(np.unique(numbers[~np.isnan(column)])) == len(np.unique(known))


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


def test_a_rare_text_an_unseen_one_and_none_have_codes() -> None:
    made = Vocabulary.of_category("c", texts(*["a"] * 5, *["b"] * 3, "rare", ""))
    assert made.encode(texts("a", "b", "rare", "new", "", "NA")).tolist() == [2, 3, UNKNOWN, UNKNOWN, MISSING, MISSING]
    assert made.size == 4


def test_a_vocabulary_keeps_the_most_frequent() -> None:
    values = [f"v{at:04d}" for at in range(LARGEST + 50) for _ in range(3)]
    made = Vocabulary.of_category("c", texts(*values, *["v0549"] * 9))
    assert made.size == LARGEST + 2
    assert made.encode(texts("v0549", "v0548"))[1] == UNKNOWN
    assert made.encode(texts("v0549"))[0] > MISSING


def test_booleans_are_read_in_any_usual_spelling() -> None:
    given = texts("true", "True", "TRUE", "1", "yes", "Y", "false", "No", "0", "off", "", "maybe")
    assert Vocabulary.of_boolean("b").encode(given).tolist() == [TRUE] * 6 + [FALSE] * 4 + [MISSING] * 2


def test_dates_are_what_the_data_package_reads() -> None:
    written = ["2024-05-31T12:30:00.5Z", "2024/05/31", "05/31/2024", "31/05/2024", "31.05.2024"]
    written += ["2024-05-31", "1999-12-31 23:59", "2024-13-01", "2024-02-30", "31/12/1970T07:08:09", "1/2/2003Z", ""]
    written += ["x", "0001-01-01", "9999/12/31", "2024-05-31T24:00", "2024-05-31\n", "30.2.2024 00:00"]
    expected = parse_dates(pl.Series("d", written)).to_list()
    for text, days in zip(written, expected, strict=True):
        parts = parse_date(text)
        assert parts[6] == (days is not None), text
        if days is not None:
            seconds = parts[3] * 3600 + parts[4] * 60 + parts[5]
            assert int(days_since_epoch(torch.tensor(parts))) + seconds / 86400 == pytest.approx(days), text


def test_only_plain_digits_make_a_date() -> None:
    assert parse_date("٢٠٢٤-05-31")[6] == 0


def test_date_features_are_the_calendars() -> None:
    days = [
        date(1969, 12, 31),
        date(1970, 1, 1),
        date(2000, 2, 29),
        date(2024, 12, 31),
        date(1900, 3, 1),
        date(1, 1, 1),
    ]
    encoder = Encoder((Column("d", "date"),), ())
    table = encoder.encode({"d": texts(*(f"{each.isoformat()}T06:00" for each in days), "")})
    raw = RawNumbers(table)
    found = raw(table.groups)
    assert found.shape == (7, len(DATE_FEATURES))
    reference = date(1970, 1, 1) + timedelta(days=raw.reference)
    for row, day in zip(found.tolist(), days, strict=False):
        since = (day - reference).days + 0.25
        assert row == [day.year, day.month, day.weekday(), day.timetuple().tm_yday, 6, pytest.approx(since)]
    assert bool(found[-1].isnan().all())


def test_groups_leave_out_tables_without_columns() -> None:
    table = Encoder((Column("x", "number"),), ()).encode({"x": np.array([1, np.nan], dtype=np.float32)})
    assert list(table.groups) == ["numbers"]
    assert len(table) == 2


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (["4.0", "-2.0", "0.0"], ["4", "-2", "0"]),  # as pandas writes whole numbers beside a gap; as JSON's 4 is read
        (["4", "-2", "0"], ["4.0", "-2.0", "0.0"]),
        (["True", "False", "Unknown"], ["true", "false", "Unknown"]),
        (["TRUE", "false", "maybe"], ["True", "FALSE", "maybe"]),
    ],
)
def test_one_category_is_known_in_every_spelling(written: list[str], sent: list[str]) -> None:
    made = Vocabulary.of_category("c", texts(*written * 4))
    assert made.encode(texts(*written)).tolist() == made.encode(texts(*sent)).tolist()
    assert sorted(made.encode(texts(*sent)).tolist()) == [2, 3, 4] and made.size == 5


def test_answers_are_known_in_all_words_for_yes_and_no() -> None:
    made = Vocabulary.of_category("c", texts(*["yes", "no", "unknown"] * 5, "Yes", "Yes"))
    yes, no, unknown = (made.codes[word] for word in ("yes", "no", "unknown"))
    assert made.encode(texts("true", "Yes", "1", "Y")).tolist() == [yes] * 4
    assert made.encode(texts("false", "NO", "0", "unknown")).tolist() == [no] * 3 + [unknown]


@pytest.mark.parametrize(
    "written",
    [["N", "S", "E", "W"], ["Y", "N", "A", "B", "C", "D"], ["yes", "maybe", "never"], ["yes", "y", "no"]],
)
def test_words_for_yes_and_no_among_others_are_codes(written: list[str]) -> None:
    made = Vocabulary.of_category("c", texts(*written * 3))
    assert made.encode(texts("true", "false")).tolist() == [UNKNOWN] * 2
    assert made.size == 2 + len(written)


def test_a_rare_code_is_no_spelling_of_yes() -> None:
    made = Vocabulary.of_category("c", texts(*["Y", "N", "X"] * 5, "T", "T"))
    assert made.encode(texts("T")).tolist() == [UNKNOWN]


def test_accents_apart_from_their_letters_are_the_same_category() -> None:
    made = Vocabulary.of_category("c", texts(*["Genève", "Zürich", "Bern"] * 5))
    apart = [unicodedata.normalize("NFD", text) for text in ("Genève", "Zürich", "Bern")]
    assert made.encode(texts(*apart)).tolist() == made.encode(texts("Genève", "Zürich", "Bern")).tolist()


def test_spellings_are_counted_together_and_codes_are_left_as_they_are() -> None:
    made = Vocabulary.of_category("c", texts("4", "4.0", "4.00", *["007"] * 3, *["1.5"] * 3, *["7"] * 3, "8.0"))
    assert made.encode(texts("4", "4.0", "4.00")).tolist() == [made.codes["4"]] * 3
    assert len({made.codes[text] for text in ("007", "7", "1.5", "4")}) == 4
    assert made.encode(texts("8", "007.0", "1.50")).tolist() == [UNKNOWN] * 3
