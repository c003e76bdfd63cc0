"""What the keys of the drop bucket mean is a public contract."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropforge.contract import ids, names
from dropforge.contract.artifacts import ArtifactSettings
from dropforge.contract.environment import EnvironmentFault, load, variables
from dropforge.contract.spec import Spec, SpecFault


@pytest.mark.parametrize(
    ("key", "kind", "name"),
    [
        ("datasets/houses/ames.csv", "file", "ames.csv"),
        ("datasets/houses/ames.CSV.GZ", "file", "ames.CSV.GZ"),
        ("datasets/houses/ames.parquet", "file", "ames.parquet"),
        ("datasets/houses/ames.xlsx", "file", "ames.xlsx"),
        ("datasets/houses/ames.xls", "unknown", "ames.xls"),
        ("datasets/houses/spec.yaml", "spec", "spec.yaml"),
        ("datasets/houses/2024/part-0001.csv", "part", "2024/part-0001.csv"),
        ("datasets/houses/2024/_SUCCESS", "set", "2024"),
        ("datasets/houses/2024/extra.csv", "unknown", "2024/extra.csv"),
        ("datasets/houses/", "folder", ""),
        ("datasets/houses/2024/", "folder", "2024/"),
    ],
)
def test_a_key_means_one_thing(key: str, kind: str, name: str) -> None:
    drop = names.parse_drop(key)
    assert (drop.kind, drop.model, drop.name) == (kind, "houses", name)
    assert drop.starts_run == (kind in ("file", "set", "unknown"))


@pytest.mark.parametrize(
    "key", ["houses.csv", "datasets/houses.csv", "datasets/Houses/a.csv", "datasets//a.csv", "batch/m/a"]
)
def test_a_key_that_breaks_the_contract_is_refused(key: str) -> None:
    with pytest.raises(names.NameFault, match="expected"):
        names.parse_drop(key)


@given(st.text(max_size=80))
def test_any_key_is_parsed_or_refused(key: str) -> None:
    try:
        drop = names.parse_drop(names.DATASETS + key)
    except names.NameFault:
        return
    assert names.check_model(drop.model) == drop.model


@given(st.sampled_from((names.DATASETS, names.BATCH)), st.text(max_size=80))
def test_any_key_in_the_drop_bucket_has_an_owner_or_waits(top: str, key: str) -> None:
    drop = names.drop_at(top + key)
    assert names.check_model(drop.model) == drop.model
    assert (drop.kind == "misnamed") == bool(drop.fault)


@pytest.mark.parametrize("top", ["datasets", "batch"])
@pytest.mark.parametrize(
    ("key", "kind", "model"),
    [
        ("My Model/x.csv", "misnamed", "my-model"),
        ("My Model/monday/_SUCCESS", "misnamed", "my-model"),
        ("My Model/x.docx", "misnamed", "my-model"),
        ("houses.csv", "misnamed", "houses"),
        ("/x.csv", "misnamed", "unnamed"),
        ("売上/x.csv", "misnamed", "unnamed"),
        (f"{'a' * 300}/x.csv", "misnamed", "a" * 63),
        ("My Model/", "folder", "my-model"),
        ("My Model/monday/part-1.csv", "part", "my-model"),
        ("", "folder", "unnamed"),
    ],
)
def test_a_key_under_an_invalid_name_says_where_it_belongs(top: str, key: str, kind: str, model: str) -> None:
    drop = names.drop_at(f"{top}/{key}")
    assert (drop.kind, drop.model) == (kind, model)
    assert names.starts_run(f"{top}/{key}") == (kind == "misnamed")
    if kind == "misnamed":
        assert drop.fault.endswith(f"drop it under {top}/{model}/") and "expected" in drop.fault
        assert len(drop.fault) < 400


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("House Prices.csv.gz", "house-prices"),
        ("adult.parquet", "adult"),
        ("2024_sales.tsv", "2024-sales"),
        ("Äpfel 2024.csv", "aepfel-2024"),
        (unicodedata.normalize("NFD", "Äpfel 2024.csv"), "aepfel-2024"),
        ("GRÖSSE (Müller & Söhne), neu.CSV", "groesse-mueller-soehne-neu"),
        ("Straße.csv", "strasse"),
        ("STRAẞE.csv", "strasse"),
        ("Crème brûlée – été.csv", "creme-brulee-ete"),
        ("Łódź Øresund Ævintýri Žižkov İstanbul.csv", "lodz-oresund-aevintyri-zizkov-istanbul"),
        ("１２ ﬁles.csv", "12-files"),
        ("売上 2024.csv", "2024"),
        ("données.csv.csv", "donnees-csv"),
        (f"{'a' * 62}  b.csv", "a" * 62),
        ("ü" * 100 + ".csv", "ue" * 31 + "u"),
        ("___x.csv", "x"),
    ],
)
def test_a_model_is_named_after_its_file(file: str, model: str) -> None:
    assert names.model_from_file(file) == model
    assert names.check_model(model) == model


@given(st.text(max_size=200))
def test_any_file_gives_a_valid_name_or_none(file: str) -> None:
    try:
        assert names.check_model(names.model_from_file(f"{file}.csv"))
    except names.NameFault as fault:
        assert "expected at least one Latin letter or digit" in str(fault)


@pytest.mark.parametrize("file", ["___.csv", "売上.csv", "–.parquet", ".csv"])
def test_a_file_without_a_usable_name_is_refused(file: str) -> None:
    with pytest.raises(names.NameFault, match="expected at least one Latin letter or digit"):
        names.model_from_file(file)


def test_ids_come_from_content_and_keep_their_parts_apart() -> None:
    assert ids.run_id("b", "k", "v") == ids.run_id("b", "k", "v")
    assert ids.run_id("b", "k", "v1") != ids.run_id("b", "kv", "1")
    assert re.fullmatch(ids.RUN_ID, ids.run_id("b", "k", "v"))
    drawn = ids.prediction_ids(1000)
    assert len(set(drawn)) == 1000
    assert all(re.fullmatch(r"p-[0-9a-f]{32}", each) for each in drawn)


def test_a_function_reads_the_environment_its_construct_wrote() -> None:
    settings = ArtifactSettings(registry="table", artifacts="bucket")
    assert variables(settings) == {"REGISTRY": "table", "ARTIFACTS": "bucket"}
    assert load(ArtifactSettings, variables(settings)) == settings
    with pytest.raises(EnvironmentFault, match=r"\['ARTIFACTS'\] to be set"):
        load(ArtifactSettings, {"REGISTRY": "table"})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"targt": "y"}, r"unknown key 'targt'; did you mean 'target'\? expected one of"),
        ({"task": "guess"}, r"^spec.yaml: task: expected one of"),
        ({"drop": ["a", 3]}, r"^spec.yaml: drop\[1\]: expected a text, got 3"),
        ({"kinds": {"Spec.x": "Spec."}}, r"^spec.yaml: kinds.Spec.x: expected one of .*, got 'Spec.'"),
        ({"replace": {"target": "yes"}}, r"^spec.yaml: replace.target: expected true or false, got 'yes'"),
        ({"budget": 0}, r"budget: expected minutes between 0 and 1440, got 0"),
        ({"metric": "rsme"}, r"metric: 'rsme' is none of any task; did you mean 'rmse'\?"),
        ({"task": "binary", "metric": "rmse"}, r"metric: 'rmse' is none of binary; expected one of"),
        ({"target": "a", "drop": ["a"]}, r"drop: holds the target 'a'"),
        ({"encoding": "klingon"}, r"encoding: 'klingon': expected one that Python knows"),
        ({"rollout": "fast"}, r"rollout: expected keys and values such as .*, got 'fast'"),
        ({"rollout": {"slow": 2}}, r"rollout: unknown key 'slow'; did you mean 'slower'\?"),
        ({"rollout": {"shares": [0.5, 0.25, 1]}}, r"rollout: shares: expected rising numbers .*, got \[0.5, 0.25, 1\]"),
        ({"rollout": {"shares": []}}, r"rollout: shares: expected rising numbers"),
        ({"rollout": {"slower": 0.5}}, r"rollout: slower: expected a number from 1 to 1000, got 0.5"),
        ({"rollout": {"mode": "slow"}}, r"rollout.mode: expected one of \['auto'"),
        ({"replace": {"targets": True}}, r"unknown name 'targets'; did you mean 'target'\?"),
        (["target"], r"expected 'key: value' lines"),
    ],
)
def test_a_wish_that_cannot_be_met_is_named(value: object, message: str) -> None:
    with pytest.raises(SpecFault, match=message):
        Spec.read(value)  # type: ignore[arg-type]  # wrong on purpose


def test_no_spec_is_a_spec() -> None:
    assert Spec.read(None) == Spec()
