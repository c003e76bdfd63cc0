"""The commands and programs of the pages about serving, run as they stand against a server of rooms and districts."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from onnx import TensorProto, helper

from dropforge.contract.schema import BACKGROUND_KEY, CARD_KEY, Background, Column, ModelCard
from dropforge.serve.server import loaded
from tests.serve.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("serve.md", "explain.md", "protocols.md")]
BLOCKS = [
    (page.name, language, text)
    for page in PAGES
    for language, text in re.findall(r"^```(sh|js|python)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
]
CURLS = [
    pytest.param(command.replace("localhost:9000", "localhost:8080"), id=f"{page}-{at}")
    for page, language, text in BLOCKS
    if language == "sh"
    for at, command in enumerate(re.findall(r"^curl .*?(?:\n(?=\S)|\Z)", text, re.DOTALL | re.MULTILINE))
]
SCRIPTS = [text for _, language, text in BLOCKS if language == "js"]
PROGRAMS = [
    text
    for _, language, text in BLOCKS
    if language == "python" and ("InferenceServerClient(" in text or "boto3.client" in text)
]


def model() -> bytes:
    """Rooms, and 10 for the north, with a card: what the pages call `houses`."""
    nodes = [
        helper.make_node("LabelEncoder", ["district"], ["north"], domain="ai.onnx.ml", keys_strings=["north"],
                         values_floats=[10.0], default_float=0.0),
        helper.make_node("Add", ["rooms", "north"], ["prediction"]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("rooms", TensorProto.FLOAT, ["rows", 1]),
        helper.make_tensor_value_info("district", TensorProto.STRING, ["rows", 1]),
    ]
    output = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["rows", 1])
    graph = helper.make_graph(nodes, "page", inputs, [output])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 5)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    columns = (Column("rooms", "number"), Column("district", "category"))
    card = ModelCard("houses", "run-0123456789abcdef", "regression", "price", "number", (), columns)
    background = Background({"rooms": (1.0, 5.0, 9.0), "district": ("north", "south", None)})
    texts = {CARD_KEY: json.dumps(card.to_json()), BACKGROUND_KEY: json.dumps(background.to_json())}
    helper.set_model_props(made, texts)
    return bytes(made.SerializeToString())


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    file = tmp_path_factory.mktemp("houses") / "houses.onnx"
    file.write_bytes(model())
    with running(loaded([str(file)], None)) as found:
        yield found


def said(port: int, *command: str) -> str:
    """What a command prints, with the server's port in the place of the pages'."""
    words = [word.replace("localhost:8080", f"localhost:{port}") for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_commands() -> None:
    assert len(CURLS) >= 3 and len(SCRIPTS) == 1 and len(PROGRAMS) == 2


@pytest.mark.parametrize("command", CURLS)
def test_a_command_of_curl(port: int, command: str) -> None:
    answer = json.loads(said(port, "bash", "-c", command.replace("curl ", "curl --silent --fail-with-body ", 1)))
    predictions = answer["predictions"] if "predictions" in answer else answer["outputs"][0]["data"]
    assert predictions[0] == 14


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_of_javascript(port: int, script: str) -> None:
    assert said(port, "node", "--input-type=module", "-e", script).split() == ["[", "14", "]"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_python(port: int, program: str) -> None:
    said(port, sys.executable, "-c", program)


def test_the_files_of_the_pages_have_the_columns_of_the_pages() -> None:
    rows = {}
    for name in ("houses.csv", "new-houses.csv"):
        with (ROOT / "examples" / name).open(newline="") as file:
            rows[name] = list(csv.DictReader(file))
    assert [*rows["houses.csv"][0]] == ["rooms", "district", "price"] and len(rows["houses.csv"]) >= 300
    assert [*rows["new-houses.csv"][0]] == ["rooms", "district"]
    assert {row["district"] for row in rows["new-houses.csv"]} <= {row["district"] for row in rows["houses.csv"]}
