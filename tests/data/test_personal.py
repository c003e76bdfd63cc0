"""Personal data is found by checksum, shape and name, and ordinary columns are left alone."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.personal.__main__ import PRECISION, RECALL, columns, is_personal, quasi_recall, scores
from dropforge.datasets.personal import find_personal


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["ann@example.org", "bob.b@mail.example.com", "c+d@e.io"], "e-mail addresses"),
        (["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR1420041010050500013M02606"], "bank accounts"),
        (["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"], "payment card numbers"),
        (["219-09-9999", "078-05-1120", "123-45-6789"], "national ids"),
        (["12345678Z", "X1234567L", "00000000T"], "national ids"),
        (["2 69 05 49 588 157 80", "180126955222380", "151024610204325"], "national ids"),
        (["529.982.247-25", "111.444.777-35", "168.995.350-09"], "national ids"),
        (["+49 30 1234567", "(555) 123-4567", "+1-202-555-0173"], "phone numbers"),
    ],
)
def test_found_by_values(values, what):
    (finding,) = find_personal(pl.DataFrame({"c": values}))
    assert (finding.what, finding.found_by) == (what, "values")


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-02", "2023-12-31", "2020-02-29"],
        ["2024-01-02 10:20:30", "2023-12-31 00:00:00", "2020-02-29 01:02:03"],
        ["4111111111111112", "4111111111111113", "4111111111111114"],
        ["DE00 3704 0044 0532 0130 00", "GB00WEST12345698765432", "FR0020041010050500013M02606"],
        ["12345678A", "00000000B", "X1234567A"],
        ["100000001", "100000002", "123456789"],
        ["881250949", "891717742", "878887116"],
        ["1234567.125", "234567.25", "3456789.5"],
        ["area_code_415", "area_code_510", "area_code_408"],
    ],
)
def test_ordinary_values_are_left_alone(values):
    assert find_personal(pl.DataFrame({"c": values})) == ()


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("Email", ["a@b", "c@d"], "email"),
        ("phoneNumber", ["5551234567", "5559876543"], "phone"),
        ("First Name", ["Xq", "Zw"], "name"),
        ("date_of_birth", ["1980-02-03", "1999-12-31"], "birth"),
        ("SSN", ["078051120", "219099999"], "national_id"),
        ("IP-Address", ["1.2.3.4", "1.2.3.5"], "ip"),
        ("teléfono", ["912345678"], "phone"),
        ("电话号码", ["13812345678"], "phone"),
    ],
)
def test_found_by_name(name, values, kind):
    (finding,) = find_personal(pl.DataFrame({name: values}))
    assert (finding.kind, finding.found_by) == (kind, "name")


@pytest.mark.parametrize("name", ["Email", "phone", "passport", "mobile", "date_of_birth", "login", "card_number"])
def test_a_name_that_its_values_do_not_agree_with_is_not_believed(name):
    assert find_personal(pl.DataFrame({name: ["yes", "no"]})) == ()


@pytest.mark.parametrize(
    "name", ["Name", "phone_service", "hostname", "age", "gender", "address_changes", "account_length"]
)
def test_ordinary_names_are_left_alone(name):
    assert find_personal(pl.DataFrame({name: ["a", "b"]})) == ()


def test_the_spec_adds_columns():
    (finding,) = find_personal(pl.DataFrame({"salary": [1, 2], "x": [1, 2]}), ["salary"])
    assert (finding.column, finding.found_by) == ("salary", "spec")


@pytest.mark.parametrize("half", ["tuned", "measured"])
def test_the_labelled_columns_are_found(half):
    precision, recall = scores(half, find_personal)
    assert precision >= PRECISION
    assert recall >= RECALL
    assert quasi_recall(half) >= RECALL


def test_the_labelled_columns_are_many_and_a_good_part_is_not_personal():
    for half in ("tuned", "measured"):
        labelled = columns(half)
        assert len(labelled) >= 100
        assert sum(not is_personal(column) for column in labelled) >= 0.4 * len(labelled)
