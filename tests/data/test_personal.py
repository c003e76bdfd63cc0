"""Personal data is found by checksum, shape and name, and ordinary columns are left alone."""

from __future__ import annotations

import polars as pl
import pytest

from dropforge.datasets.personal import find_personal


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["ann@example.org", "bob.b@mail.example.com", "c+d@e.io"], "e-mail addresses"),
        (["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR1420041010050500013M02606"], "IBANs"),
        (["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"], "payment card numbers"),
        (["219-09-9999", "078-05-1120", "123-45-6789"], "US social security numbers"),
        (["12345678Z", "X1234567L", "00000000T"], "Spanish identity numbers"),
        (["2 69 05 49 588 157 80", "180126955222380", "151024610204325"], "French social security numbers"),
        (["529.982.247-25", "111.444.777-35", "168.995.350-09"], "Brazilian CPF numbers"),
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
    "name", ["Email", "customer_email", "phoneNumber", "First Name", "date_of_birth", "SSN", "IP-Address"]
)
def test_found_by_name(name):
    assert find_personal(pl.DataFrame({name: ["a", "b"]}))[0].found_by == "name"


@pytest.mark.parametrize(
    "name", ["Name", "phone_service", "hostname", "age", "gender", "address_changes", "account_length"]
)
def test_ordinary_names_are_left_alone(name):
    assert find_personal(pl.DataFrame({name: ["a", "b"]})) == ()


def test_the_spec_adds_columns():
    (finding,) = find_personal(pl.DataFrame({"salary": [1, 2], "x": [1, 2]}), ["salary"])
    assert (finding.column, finding.found_by) == ("salary", "spec")
