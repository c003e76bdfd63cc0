"""The functions under Lambda's Python, with an SDK older than any that Lambda's Python 3.13 had.

Lambda's own boto3 changes without notice, and is older than the one that this project is developed with. boto3 1.34.145
is of July 2024, four months before that runtime. Python 3.13 is used where it is found, this Python otherwise.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader

import cdk_app
from cdk_app.packaging import PYTHON, ROOT, Package, compiler, files_under, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.aws
SDK = ROOT / ".venv-clients" / "lambda"
SDK_VERSION = "1.34.145"
HERE = PYTHON if compiler() else "{}.{}".format(*sys.version_info)
SERVICES = ("s3", "dynamodb", "sns", "cloudwatch")
PACKAGES = {
    value.folder: value
    for module in map(import_module, (f"cdk_app.{each.name}" for each in iter_modules(cdk_app.__path__)))
    for value in vars(module).values()
    if isinstance(value, Package)
}
"""Every function's package."""
AGAINST_MOTO = ("test_claim.py", "test_early_ends.py", "test_registration.py")
"""Tests of functions that call moto; under the old SDK they show that nothing newer is asked of it."""

IMPORTED = """
import importlib, json, sys
sys.path[:0] = sys.argv[2:]
handler = importlib.import_module(sys.argv[1])
assert callable(handler.handle)
from lambdas.common import aws
clients = [aws.s3(), aws.dynamodb(), aws.sns(), aws.cloudwatch()]
from lambdas.common.aws_client import clients as light
assert light.region() == "eu-west-3"
import boto3
names = [client.meta.service_model.service_name for client in clients]
print(json.dumps([boto3.__version__, "{}.{}".format(*sys.version_info), names, clients[1].meta.endpoint_url]))
"""


def test_every_function_of_the_stack_has_its_package_here(template: dict[str, Any]) -> None:
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    handlers = {function["Properties"]["Handler"] for function in functions}
    assert handlers == {package.handler for package in PACKAGES.values()}


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dependencies of all functions in one folder: their pins agree."""
    pins = {
        line
        for package in PACKAGES.values()
        if package.requirements is not None
        for line in package.requirements.read_text().split()
    }
    assert len({pin.partition("==")[0] for pin in pins}) == len(pins), "one version of each in all functions"
    folder = tmp_path_factory.mktemp("dependencies")
    (folder / "requirements.txt").write_text("\n".join(sorted(pins)))
    install(folder / "requirements.txt", folder / "installed", ("numpy/random",), HERE)
    return folder / "installed"


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_function_starts_and_makes_its_clients(folder: str, dependencies: Path, tmp_path: Path) -> None:
    assert SDK.exists(), "make test-aws installs the old SDK"
    package = PACKAGES[folder]
    for path in files_under(package.paths):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    module = package.handler.removesuffix(".handle")
    words = [compiler(HERE) or sys.executable, "-I", "-S", "-B", "-c", IMPORTED, module]
    environment = {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-3", "ORT_DISABLE_TELEMETRY": "1"}
    environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "HOME": str(tmp_path)}
    done = subprocess.run(
        [*words, str(tmp_path), str(dependencies), str(SDK)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    version, python, services, endpoint = json.loads(done.stdout)
    assert (version, python, tuple(services)) == (SDK_VERSION, HERE, SERVICES)
    assert endpoint == "https://dynamodb.eu-west-3.amazonaws.com"
    print(f"{folder} starts under Python {python} with boto3 {version}")


def operations() -> dict[str, set[str]]:
    """The parameters of each operation in the old SDK, by the name of its method."""
    loader = Loader(extra_search_paths=[str(SDK / "botocore" / "data")], include_default_search_paths=False)
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        model = loader.load_service_model(service, "service-2")
        for name, operation in model["operations"].items():
            shape = operation.get("input", {}).get("shape")
            members = model["shapes"][shape]["members"] if shape else {}
            found.setdefault(xform_name(name), set()).update(members)
    return found


def calls(path: Path, known: dict[str, set[str]]) -> Iterator[tuple[int, str, set[str]]]:
    """The calls of the services in a source: line, method, and the parameters that are written out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in known:
            named = {word.arg for word in node.keywords if word.arg and word.arg[0].isupper()}
            if named:
                yield node.lineno, node.func.attr, named


def test_no_call_has_a_parameter_that_the_old_sdk_lacks() -> None:
    known = operations()
    found = [(path, *call) for path in (ROOT / "lambdas").rglob("*.py") for call in calls(path, known)]
    assert len(found) > 20, "the calls are found at all"
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {method} has no {sorted(named - known[method])} in boto3 {SDK_VERSION}"
        for path, line, method, named in found
        if named - known[method]
    ]
    assert wrong == []


def test_a_parameter_that_is_newer_is_found(tmp_path: Path) -> None:
    """Conditional writes of S3 came a month after that SDK."""
    source = tmp_path / "newer.py"
    source.write_text("s3().put_object(Bucket='b', Key='k', IfNoneMatch='*')\n")
    known = operations()
    ((_, method, named),) = calls(source, known)
    assert named - known[method] == {"IfNoneMatch"}


def test_functions_pass_their_tests_with_the_old_sdk() -> None:
    tests = [str(ROOT / "tests" / "steps" / name) for name in AGAINST_MOTO]
    environment = {**os.environ, "PYTHONPATH": f"{SDK}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    print(f"with boto3 {SDK_VERSION} against moto: {done.stdout.splitlines()[-1]}")
