"""What a cold start costs: CPU of child processes, each a start from nothing, against bare onnxruntime in the same run.

The bare side imports numpy and onnxruntime and opens a session, from wheels as pip lays them out; ours does so by way
of Predict's handler, from its package as it is deployed (the same wheels, for this Python), once from the file's bytes
and once with the registry and the bucket asked first, which a server in this process plays. Starts of all kinds take
turns, so that a busy machine troubles all alike.
"""

from __future__ import annotations

import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3
from moto.server import ThreadedMotoServer

from benchmarks.report import Row
from benchmarks.serving.large import large
from cdk_app.api import PREDICT
from cdk_app.packaging import PipBundling
from dropforge.contract.registry import LiveRow, live_key
from dropforge.inference.fast import WEIGHTS, FastFiles, mapped
from dropforge.inference.session import opened, options
from lambdas.common.items import to_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
STARTS = 15
LOADS = 9
MODEL = "cancer"

DONE = """
import os
os._exit(0)  # Lambda freezes a process, it does not take it down: that is no part of a start
"""
BARE = """
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
onnxruntime.InferenceSession(open(sys.argv[1], "rb").read(), options, providers=["CPUExecutionProvider"])
"""
HANDLER = """
import sys, lambdas.api.predict.handler, lambdas.api.predict.models
from dropforge.inference.model import ServedModel
ServedModel.from_bytes(open(sys.argv[1], "rb").read(), sys.argv[2])
"""
FETCHED = """
import lambdas.api.predict.handler
models = lambdas.api.predict.handler.models()
models.load(models.live("cancer"))
"""


def rows(model: Path) -> list[Row]:
    """All rows: starts, the large model, and nothing of what AWS adds to them."""
    return [*starts(model), *large_model()]


def starts(model: Path) -> list[Row]:
    """Median CPU of a start, in milliseconds, as a ratio to that of bare onnxruntime."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    with cloud(model.read_bytes(), digest) as environment, tempfile.TemporaryDirectory() as folder:
        wheels, package = laid_out(Path(folder))
        kinds = {"bare": (BARE, wheels), "handler": (HANDLER, package), "fetched": (FETCHED, package)}
        words = [str(model.resolve()), digest]
        found = taking_turns(
            {name: partial(start, code, words, at, environment) for name, (code, at) in kinds.items()}, STARTS
        )
    bare = found["bare"]
    return [
        _ratio("cold start: handler import + session", found["handler"] / bare, 1.10, bare),
        _ratio("cold start: the same, registry and model fetched", found["fetched"] / bare, 1.5, bare),
    ]


def laid_out(folder: Path) -> tuple[Path, Path]:
    """Predict's requirements as pip installs them, and its package, both with byte code for this Python."""
    wheels, package = folder / "wheels", folder / "package"
    requirements = ROOT / "lambdas" / "api" / "predict" / "requirements.txt"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--compile"]
    subprocess.run([*words, "--target", str(wheels), "-r", str(requirements)], check=True)
    python = "{}.{}".format(*sys.version_info)
    bundling = PipBundling(PREDICT, python)
    bundling.try_bundle(str(package), image=None)  # type: ignore[arg-type]  # no image is used
    return wheels, package


def start(code: str, words: list[str], folder: Path, environment: dict[str, str]) -> float:
    """CPU seconds of an interpreter that has nothing but `folder` and its standard library.

    Without `site`, which imports here and there what a machine's own packages want: both sides would be billed for it.
    """
    python = Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info)
    return cpu([str(python), "-S", "-c", code + DONE, *words], {**environment, "PYTHONPATH": str(folder)}, folder)


def large_model() -> list[Row]:
    """The session of a model of 44 MB by its fast form, and the whole way from its bytes, each against the default."""
    body = large()
    digest, files = hashlib.sha256(body).hexdigest(), FastFiles.of(body)
    assert files is not None
    form = files.form

    def checked() -> None:
        assert hashlib.sha256(body).hexdigest() == digest
        opened(body, options())

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / WEIGHTS).write_bytes(files.weights)
        found = taking_turns(
            {
                "default": lambda: spent(lambda: opened(body, options())),
                "fast": lambda: spent(lambda: mapped(files.graph, folder)),
                "default, checked": lambda: spent(checked),
                "fast, checked and written": lambda: spent(lambda: files.session(form)),
            },
            LOADS,
        )
    alone, whole = found["default"], found["default, checked"]
    ratio = found["fast, checked and written"] / whole
    return [
        _ratio("44 MB model: fast session / default", found["fast"] / alone, 0.08, alone),
        _ratio("44 MB model: SHA-256, private file and fast session / SHA-256 and default", ratio, None, whole),
    ]


def _ratio(measure: str, value: float, target: float | None, bare: float) -> Row:
    return Row(measure, value, "× CPU", "lower", target, "ms of CPU of the other", 1e3 * bare)


def taking_turns(kinds: Mapping[str, Callable[[], float]], times: int) -> dict[str, float]:
    """Median seconds of each kind, one after the other, `times` rounds after one that does not count."""
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(times + 1):
        for name, take in kinds.items():
            found[name].append(take())
    return {name: statistics.median(each[1:]) for name, each in found.items()}


def cpu(words: list[str], environment: dict[str, str], folder: Path) -> float:
    """CPU seconds of a child process that runs in `folder`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, env=environment, cwd=folder, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def spent(work: Callable[[], Any]) -> float:
    """CPU seconds of this process."""
    start = time.process_time()
    kept = work()
    end = time.process_time()
    del kept
    return end - start


@contextmanager
def cloud(body: bytes, digest: str) -> Iterator[dict[str, str]]:
    """A server with one live model, until the block ends; the environment of a function beside it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    given = {
        **os.environ, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c",
        "REGISTRY": "registry", "ARTIFACTS": "artifacts", "PYTHONPATH": str(ROOT),
        "ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    try:
        fill(given["AWS_ENDPOINT_URL"], body, digest)
        yield given
    finally:  # what moto holds outlives its server: the next one of this process would find the table there
        urlopen(Request(f"{given['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")).close()
        server.stop()


def fill(url: str, body: bytes, digest: str) -> None:
    """The registry's row and the bucket's object."""
    session = boto3.Session("a", "b", region_name="us-east-1")
    s3, table = session.client("s3", endpoint_url=url), session.client("dynamodb", endpoint_url=url)
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="model.onnx", Body=body)
    table.create_table(
        TableName="registry",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    row = LiveRow(MODEL, "1", "run-0123456789abcdef", "model.onnx", digest, 1, "2026-11-01T12:00:00+00:00")
    table.put_item(TableName="registry", Item=to_item({**live_key(MODEL).to_item(), **row.to_json()}))
