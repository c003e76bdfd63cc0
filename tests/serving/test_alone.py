"""The model file without anything of ours: the page about it, run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from onnx import TensorProto, checker, helper

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "model-file.md").read_text()
BLOCKS = re.findall(r"^```(python|js)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
NODE = Path(os.environ.get("DROPFORGE_CLIENTS", ROOT / ".venv-clients")) / "node"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the page's `model.onnx` is: rooms and 10 for the north; a room that is missing counts as 1."""
    nodes = [
        helper.make_node("IsNaN", ["rooms"], ["gap"]),
        helper.make_node("Where", ["gap", "one", "rooms"], ["filled"]),
        helper.make_node("LabelEncoder", ["district"], ["north"], domain="ai.onnx.ml", keys_strings=["north"],
                         values_floats=[10.0], default_float=0.0),
        helper.make_node("Add", ["filled", "north"], ["prediction"]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("rooms", TensorProto.FLOAT, ["rows", 1]),
        helper.make_tensor_value_info("district", TensorProto.STRING, ["rows", 1]),
    ]
    output = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["rows", 1])
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    graph = helper.make_graph(nodes, "page", inputs, [output], [one])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    checker.check_model(model)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    return tmp_path


def said(folder: Path, *command: str, **environment: str) -> list[float]:
    """The numbers that a program prints."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    inside = re.sub(r"Float32Array(\(\d+\))?", "", done.stdout)
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", inside)]


def block(language: str, word: str = "") -> str:
    (found,) = (text for kind, text in BLOCKS if kind == language and word in text)
    return found


def test_the_python_of_the_page(folder: Path) -> None:
    assert said(folder, sys.executable, "-c", block("python")) == [14, 1]


@pytest.mark.clients
@pytest.mark.parametrize("package", ["onnxruntime-node", "onnxruntime-web"])
def test_the_javascript_of_the_page(folder: Path, package: str) -> None:
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    program = f"(async () => {{ {block('js', package)} process.exit(0); }})();"
    (folder / "page.js").write_text(program)
    assert said(folder, "node", "page.js") == [14, 1]
