"""No planted personal value is in any file of a run: searched byte by byte, after a training with the defaults."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from training_container import trainer

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 240
PERSONS = (("Ulrike", "Zimmermann"), ("Horatio", "Quackenbush"), ("Matilda", "Featherstone"), ("Casimir", "Wojtkowski"))
PLANTED = {
    "customer_name": [f"{first} {last}" for first, last in PERSONS],
    "email": [f"{first.lower()}.{last.lower()}@example.org" for first, last in PERSONS],
    "phone": ["+49 171 5550143", "+49 171 5550187", "+49 171 5550122", "+49 171 5550199"],
    "address": ["Lindenallee 4711", "Mozartstraße 4712", "Goetheplatz 4713", "Kastanienweg 4714"],
    "iban": ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606",
             "NL91ABNA0417164300"],
    "dob": ["1961-07-23", "1972-08-24", "1983-09-25", "1994-10-26"],
}  # fmt: skip
"""Twenty-four values in six columns, each in sixty rows, so that none of the columns is an id by its values."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, lean: None) -> Path:  # noqa: ARG001
    """The files of one run by hand."""
    where = tmp_path_factory.mktemp("personal")
    frame = pl.DataFrame({
        **{name: [values[row % 4] for row in range(ROWS)] for name, values in PLANTED.items()},
        "rooms": [row * 37 % 11 for row in range(ROWS)],
        "city": [("Bonn", "Kiel", "Ulm")[row * 5 % 7 % 3] for row in range(ROWS)],
        "price": [100 + row * 37 % 11 * 20 + row % 4 * 50 + row * 7919 % 97 / 10 for row in range(ROWS)],
    })  # fmt: skip
    frame.write_csv(where / "data.csv")
    wishes = ["--target", "price", "--search", "none", "--budget", "0.3"]
    assert trainer.main(["--data", str(where / "data.csv"), "--out", str(where / "model"), *wishes]) == 0
    return where / "model"


def contents(folder: Path) -> dict[str, str]:
    """Name of each file to its bytes as text; what is packed is unpacked."""
    texts = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        texts[path.name] = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace")
    return texts


def test_no_planted_value_is_in_any_file(folder: Path) -> None:
    texts = contents(folder)
    assert {"model.onnx", "golden.jsonl", "metrics.json", "profile.json", "report.html", "baseline.json"} <= set(texts)
    assert any(name.startswith("holdout") for name in texts)
    assert "Kiel" in texts["model.onnx"], "what is not personal is found by the same search"
    values = [value for values in PLANTED.values() for value in values]
    parts = [part for person in PERSONS for part in person]
    found = [(name, value) for name, text in texts.items() for value in [*values, *parts] if value in text]
    assert found == []


def test_what_became_of_them_is_told_and_travels_in_the_model_file(folder: Path) -> None:
    profile = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
    told = {remark["column"]: remark["option"] for remark in profile["remarks"] if remark["code"] == "personal"}
    assert told == {name: f"personal: {{{name}: keep}}" for name in PLANTED}
    became = {column["column"]: column["treatment"] for column in profile["personal"]}
    assert became == {name: "generalise" if name == "dob" else "drop" for name in PLANTED}
    assert all(f'"{name}"' in contents(folder)["model.onnx"] for name in PLANTED)
