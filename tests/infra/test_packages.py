"""The functions' real packages: built with pip for Lambda's Python, measured, and looked into."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from PIL import Image

from cdk_app.api import PREDICT
from cdk_app.batch_functions import ANSWER, JOIN, PLAN
from cdk_app.packaging import (
    PYTHON,
    ROOT,
    RUNTIME,
    Package,
    PipBundling,
    compiler,
    files_under,
    function_code,
    install,
)
from cdk_app.pipeline_functions import CLAIM, INSPECT, JUDGE
from dropforge.pictures import FORMATS
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 262.144
"""Lambda takes no more, unpacked: 250 MiB; in millions of bytes, as all sizes here."""
MOST_OF_LARGEST = 0.75
"""The share of it that a package may take, so that the next release of polars or onnxruntime fits too."""
MOST_OF_PREDICT, MOST_OF_RUNTIME = 100.0, 80.0
"""Before byte code: a cold start reads what is there."""

HERE = PYTHON if compiler() else "{}.{}".format(*sys.version_info)
"""The functions' Python where it is found, or this one: packages made for it are run below."""

PACKAGES = {package.folder: package for package in (JUDGE, PREDICT, INSPECT, PLAN, ANSWER, JOIN)}
"""The packages that have dependencies."""

DEPENDENCIES = {
    "pipeline/judge": ["onnxruntime", "numpy", "PIL"],
    "api/predict": ["onnxruntime", "numpy", "PIL"],
    "pipeline/inspect": ["polars", "numpy", "python_calamine", "stdnum", "yaml"],
    "batch/plan": ["polars", "numpy", "python_calamine"],
    "batch/answer": ["onnxruntime", "numpy"],
    "batch/join": ["polars", "xlsxwriter"],
}


@pytest.mark.slow
@pytest.mark.parametrize("step", DEPENDENCIES)
def test_a_package_fits_and_holds_wheels_for_lambda(step: str, tmp_path: Path) -> None:
    PipBundling(PACKAGES[step]).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]  # no image is used
    size, whole = megabytes(tmp_path), megabytes(tmp_path, compiled=True)
    print(f"{step}: {size:.1f} MB unpacked, {whole:.1f} with byte code, {whole / LARGEST:.0%} of Lambda's limit")
    assert whole < MOST_OF_LARGEST * LARGEST
    if step == "api/predict":
        runtime = sum(megabytes(tmp_path / name) for name in ("onnxruntime", "numpy", "numpy.libs"))
        print(f"onnxruntime and numpy: {runtime:.1f} MB")
        assert size <= MOST_OF_PREDICT and runtime <= MOST_OF_RUNTIME
    for name in DEPENDENCIES[step]:
        assert (tmp_path / name / "__init__.py").exists(), name
    libraries = [path.name for path in tmp_path.rglob("*.so")]
    assert [name for name in libraries if "cpython-313" in name and "x86_64" in name]
    assert not [name for name in libraries if "cpython-3" in name and "cpython-313" not in name]
    assert not [name for name in ("sympy", "google", "flatbuffers") if (tmp_path / name).exists()]
    assert (tmp_path / "lambdas" / step / "handler.py").exists()
    if "PIL" in DEPENDENCIES[step]:
        check_pillow(tmp_path)


def megabytes(folder: Path, *, compiled: bool = False) -> float:
    """What the folder's files take, without byte code unless it is asked for."""
    files = [path for path in folder.rglob("*") if path.is_file() and (compiled or path.suffix != ".pyc")]
    return sum(path.stat().st_size for path in files) / 1e6


@pytest.mark.slow
def test_a_package_answers_from_byte_code_alone(tmp_path: Path) -> None:
    """What was left out is missed by nothing, and no source is compiled: the interpreter may not write."""
    PipBundling(PREDICT, HERE).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]
    (tmp_path / "model.onnx").write_bytes(little("multiclass").body)
    given = {"rows": little("multiclass").rows(3), "pictures": [picture(kind) for kind in FORMATS]}
    words = [*alone(), "-v", "-c", ASKED, str(tmp_path)]
    done = subprocess.run(words, input=json.dumps(given), capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)) == 3
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert [line for line in ours if "code object from" in line and "__pycache__" not in line] == []


@pytest.mark.slow
@pytest.mark.parametrize("step", DEPENDENCIES)
def test_every_module_of_a_package_finds_what_it_imports(step: str, tmp_path: Path) -> None:
    """But for boto3, which Lambda's own Python has; and of what others share, what the step itself imports."""
    PipBundling(PACKAGES[step], HERE).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]
    files = [
        path.relative_to(ROOT).with_suffix("") for path in files_under(PACKAGES[step].paths) if path.suffix == ".py"
    ]
    everything = step in ("pipeline/judge", "api/predict")
    own = files if everything else [path for path in files if path.parts[:2] != ("dropforge", "inference")]
    modules = [".".join(path.parts).removesuffix(".__init__") for path in own if path.name != "__main__"]
    words = [*alone(), "-c", IMPORTED, str(tmp_path), *modules]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"boto3", "botocore"}


@pytest.mark.slow
def test_judge_draws_its_resamples_in_its_package(tmp_path: Path) -> None:
    """They want `numpy.random`, which no other function has."""
    PipBundling(JUDGE, HERE).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]
    done = subprocess.run([*alone(), "-c", JUDGED, str(tmp_path)], capture_output=True, text=True, check=True)
    value, low, high, by_chance = json.loads(done.stdout)
    assert low < value < high and by_chance < 0.01


@pytest.mark.slow
def test_inspect_reads_writes_and_fails_without_symbols(tmp_path: Path) -> None:
    PipBundling(INSPECT, HERE).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]
    done = subprocess.run([*alone(), "-c", READ, str(tmp_path)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[4, 2], [4, 2], ["a"], "ColumnNotFoundError", "ZeroDivisionError"]


def test_keeping_what_nothing_removes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected patterns of NEVER_IMPORTED to keep, got \['numpy/randon'\]"):
        Package("pipeline/judge", keep=("numpy/randon",))


@pytest.mark.slow
def test_types_of_numpy_are_made_on_demand_and_are_the_same(tmp_path: Path) -> None:
    pinned = (ROOT / "lambdas" / "api" / "predict" / "requirements.txt").read_text().splitlines()
    alone_pinned = tmp_path / "requirements.txt"
    alone_pinned.write_text(next(line for line in pinned if line.startswith("numpy==")))
    install(alone_pinned, tmp_path / "trimmed", python=HERE)
    subprocess.run([*alone(), "-c", TYPED, str(tmp_path / "trimmed")], check=True)


@pytest.mark.slow
def test_functions_without_dependencies_have_byte_code_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdk_app.packaging.compiler", lambda _python=PYTHON: sys.executable)
    app = App(outdir=str(tmp_path))
    code = function_code(CLAIM, "full")
    lambda_.Function(
        Stack(app, "Some"), "Claim", code=code, handler="lambdas.pipeline.claim.handler.handle", runtime=RUNTIME
    )
    app.synth()
    (package,) = tmp_path.glob("asset.*")
    compiled = [each.with_suffix("").with_suffix("").name for each in package.rglob("*.pyc")]
    assert sorted(compiled) == sorted(each.stem for each in package.rglob("*.py")) and "handler" in compiled


IMPORTED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for module in sys.argv[2:]:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as missing:
        print(missing.name.partition(".")[0] if missing.name.startswith("boto") else missing.name)
"""


READ = """
import io, json, sys
sys.path.insert(0, sys.argv[1])
import polars, python_calamine, yaml
table = polars.read_csv(io.BytesIO(b"a,b\\n1,x\\n2,y\\n3,\\n4,x\\n"))
parquet = io.BytesIO()
table.lazy().with_columns(polars.col("a") * 2).collect(engine="streaming").write_parquet(parquet)
back = polars.read_parquet(io.BytesIO(parquet.getvalue()))
raised = []
for wrong in (lambda: table.select("c"), lambda: table.lazy().map_batches(lambda part: 1 / 0).collect()):
    try:
        wrong()
    except Exception as fault:
        raised.append(type(fault).__name__)
print(json.dumps([table.shape, back.shape, yaml.load("[a]", yaml.CSafeLoader), *raised]))
"""


JUDGED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy
from dropforge.metrics import baseline, evaluation
truth = numpy.arange(200.0)
ours = evaluation.of_table("regression", truth, truth + numpy.sin(truth))
trivial = evaluation.of_baseline(truth, baseline.learn_baseline("regression", truth, 0))
gain = evaluation.beyond_chance(ours, trivial, "rmse", 0).gains["rmse"]
print(json.dumps([gain.value, gain.interval.low, gain.interval.high, gain.by_chance]))
"""


TYPED = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy
from typing import Any
assert not {"numpy._typing._whole", "numpy._typing._array_like"} & {*sys.modules}
given = numpy._typing.NDArray[Any]
assert numpy.linalg.eig(numpy.eye(2)).__annotations__ == {"eigenvalues": given, "eigenvectors": given}
assert not hasattr(numpy._typing, "nothing")
from numpy._typing import _array_like, _whole
assert given == _whole.NDArray[Any]
for name in (name for name in dir(_whole) if name != "NDArray" and not name.startswith("__")):
    assert getattr(numpy._typing, name) is getattr(_whole, name), name
from numpy.typing import ArrayLike, DTypeLike
assert ArrayLike is _whole.ArrayLike and DTypeLike is _whole.DTypeLike
"""


def alone() -> list[str]:
    """An interpreter that has a package and its own standard library, and leaves no byte code behind."""
    return [str(compiler(HERE)), "-I", "-S", "-B"]


def picture(kind: str) -> str:
    """A small picture of this format, in base64."""
    body = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(body, kind)
    return base64.b64encode(body.getvalue()).decode()


ASKED = """
import base64, hashlib, json, pathlib, sys
package = sys.argv[1]
sys.path.insert(0, package)
import lambdas.api.predict.handler, lambdas.api.predict.models, dropforge.inference.fast, dropforge.inference.shapley
dropforge.inference.shapley.orders(6, 4)
import numpy
assert numpy.median([1.0, 2.0, 4.0]) == 2 and numpy.linalg.norm([3.0, 4.0]) == 5  # median has numpy.ma, unseen
from dropforge import pictures
from dropforge.contract.schema import ImageInput
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import from_json, to_arrays
given = json.load(sys.stdin)
body = pathlib.Path(package, "model.onnx").read_bytes()
model = ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())
for each in given["pictures"]:
    assert pictures.decoded(base64.b64decode(each), ImageInput(4, 4, 3)).shape == (4, 4, 3)
rows = from_json(json.dumps(given["rows"]).encode())
print(json.dumps(model.predict(to_arrays(rows, model.card)).predictions))
"""


def check_pillow(package: Path) -> None:
    """What is left of Pillow needs no library that was left out; its parts are named in the headers of the others."""
    kept = {path.name for path in (package / "pillow.libs").iterdir()}
    assert {"libjpeg", "libwebp", "libtiff"} <= {name.partition("-")[0] for name in kept}
    assert not [name for name in kept if name.startswith(("libavif", "libfreetype", "libharfbuzz", "liblcms2"))]
    for path in [*(package / "PIL").glob("*.so"), *(package / "pillow.libs").iterdir()]:
        named = set(re.findall(rb"lib[a-zA-Z0-9]+-[0-9a-f]{8}\.so[.0-9]*", path.read_bytes()))
        assert {name.decode() for name in named} <= kept, path.name
