"""Batches on the embedded cloud: a file under `batch/` becomes predictions, alone and by the Distributed Map."""

from __future__ import annotations

import csv
import gzip
import io
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from dropforge.contract import names

from .test_flow import body, poll

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropforge.client import Dropforge
    from dropforge.client.batchruns import BatchOutcome

    from .conftest import Forged


pytestmark = pytest.mark.long

TIMES = 500
"""As often the unseen rows stand in the large file: 20 MB of text."""


def unseen(forged: dict[str, Forged]) -> pl.DataFrame:
    """Rows that the model has never seen, with the label, which it does not read."""
    return forged["penguins"].unseen


def text_of(frame: pl.DataFrame) -> str:
    return frame.write_csv(null_value="NA")


def predictions(forge: Dropforge, name: str) -> bytes:
    return body(forge, forge.connection.outputs["ArtifactBucket"], names.predictions_key("penguins", name))


def rows_of(forge: Dropforge, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(predictions(forge, name).decode(), newline="")))


def batch(forge: Dropforge, file: Path, text: str) -> BatchOutcome:
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())
    return forge.batch("penguins", file, wait=True)


def test_a_file_is_answered_as_the_api_answers_its_rows(
    forge: Dropforge, forged: dict[str, Forged], tmp_path: Path
) -> None:
    frame = unseen(forged)
    ended = batch(forge, tmp_path / "alone.csv", text_of(frame))
    assert (ended.status, ended.predicted, ended.failed) == ("predicted", frame.height, 0), ended.reason
    expected = forge.predict("penguins", frame.drop("species").to_dicts())
    rows = rows_of(forge, "alone.csv")
    assert [row["prediction"] for row in rows] == expected.predictions
    assert [row["species"] for row in rows] == frame["species"].to_list()
    assert expected.probabilities is not None
    for row, shares in zip(rows, expected.probabilities, strict=True):
        assert {name: float(row[f"probability_{name}"]) for name in shares} == pytest.approx(shares, rel=1e-6)
    run = forge.run(ended.run)
    assert (run.kind, run.pieces, run.version) == ("batch", 1, forge.model("penguins")["version"])
    assert ended.run in [each.run for each in forge.runs(model="penguins")]


def test_parts_go_through_the_map_and_poisoned_rows_are_named(forge: Dropforge, forged: dict[str, Forged]) -> None:
    s3, bucket = forge.connection.client("s3"), forge.connection.outputs["DropBucket"]
    lines = text_of(unseen(forged)).splitlines()
    for at in range(3):
        poisoned = [*lines[:3], f"poison {at}", *lines[3:]]
        s3.put_object(Bucket=bucket, Key=f"batch/penguins/many/part-{at}.csv", Body="\n".join(poisoned).encode())
    s3.put_object(Bucket=bucket, Key="batch/penguins/many/_SUCCESS", Body=b"")
    row = poll(lambda: next((each for each in forge.runs() if each.key.endswith("many/_SUCCESS")), None))
    ended = forge.wait(row.run)
    assert (ended.status, ended.pieces, ended.failed) == ("predicted", 3, 3), ended.reason
    assert ended.predicted == 3 * unseen(forged).height
    assert sum(ended.progress.values()) == ended.predicted + 3
    errors = [json.loads(line) for line in predictions(forge, "many.errors.jsonl").splitlines()]
    assert [error["line"] for error in errors] == [4, 4, 4]
    assert predictions(forge, "many/_SUCCESS") == b""
    assert len(rows_of(forge, "many/part-2.csv")) == unseen(forged).height


def test_a_file_over_the_limit_is_cut_and_joined(forge: Dropforge, forged: dict[str, Forged], tmp_path: Path) -> None:
    """With the limit of a piece lowered; packed, too."""
    frame = unseen(forged).with_columns(note=pl.lit("n" * 1_000))
    lines = text_of(frame).splitlines(keepends=True)
    text = "".join([lines[0], *(lines[1:] * TIMES)])
    with lower_limit(forge, 1_000_000):
        ended = batch(forge, tmp_path / "large.csv.gz", text)
    assert (ended.status, ended.failed) == ("predicted", 0), ended.reason
    assert forge.run(ended.run).pieces > 1
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(predictions(forge, "large.csv.gz")).decode(), newline="")))
    assert [int(row["line"]) for row in rows] == list(range(2, text.count("\n") + 1))
    assert [row["species"] for row in rows] == unseen(forged)["species"].to_list() * TIMES


@contextmanager
def lower_limit(forge: Dropforge, size: int) -> Iterator[None]:
    """Pieces of `size` bytes while the context lasts, but for the blocks of 16 MiB that files are read in."""
    functions = forge.connection.client("lambda")
    pages = functions.get_paginator("list_functions").paginate()
    found = (each for page in pages for each in page["Functions"])
    plan = next(each for each in found if "BatchPlan" in each["FunctionName"])
    name, before = plan["FunctionName"], plan["Environment"]["Variables"]
    lowered = {**before, "PIECE_BYTES": str(size)}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": lowered})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def test_no_live_model_is_told_with_what_to_do(forge: Dropforge, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text("a,b\n1,2\n")
    ended = forge.batch("nobody", file, wait=True)
    assert ended.status == "rejected"
    assert "no version of 'nobody' is live" in ended.reason


def test_a_repeated_event_predicts_nothing(forge: Dropforge, forged: dict[str, Forged], tmp_path: Path) -> None:
    ended = batch(forge, tmp_path / "twice.csv", text_of(unseen(forged)))
    steps, machine = forge.connection.client("stepfunctions"), forge.connection.outputs["BatchMachineArn"]
    first = forge.run(ended.run).execution
    event: dict[str, Any] = json.loads(steps.describe_execution(executionArn=first)["input"])
    again = steps.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    found = poll(lambda: ended_of(steps, again))
    assert (found["status"], json.loads(found["output"])["outcome"]) == ("SUCCEEDED", "duplicate")
    assert forge.run(ended.run).execution == first


def ended_of(steps: Any, execution: str) -> dict[str, Any] | None:
    found: dict[str, Any] = steps.describe_execution(executionArn=execution)
    return None if found["status"] == "RUNNING" else found
