"""The S3 names: the one module that knows what a key in the drop bucket means and where a run keeps its files."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from dropforge.contract.errors import OwnerError
from dropforge.contract.fitting import quoted

DATASETS = "datasets/"
BATCH = "batch/"
PREDICTIONS = "predictions/"
FEEDBACK = "feedback/"
QUARANTINE = "quarantine/"
RUNS = "runs/"
CAPTURES = "captures/"
"""In the artifact bucket: `captures/<model>/<version>/<yyyy-mm-dd-hh>/<sandbox>-<first>-<last>.jsonl.gz`."""
CHECKPOINTS = "checkpoints/"
"""In the artifact bucket: what unfinished jobs resume from, a folder per run; it expires."""
EXPIRES_TAG, EXPIRES_INPUT = "dropforge-expires", "input"
"""The tag of objects that the artifact bucket deletes after a time, and its value for a run's copy of its data."""
ROLLOUT_FILE, ROLLOUT_PAGE = "rollout.json", "rollout.html"
"""What the rollout of the run's version has seen, and the page that draws it."""
SUCCESS = "_SUCCESS"
SPEC = "spec.yaml"

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""A model's name; the same pattern stands in the API's routes and the CLI's options."""

FORMATS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "tsv",
    ".tsv.gz": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".xlsx": "excel",
    ".zip": "images",
}
"""File endings that a data set may have, and the format each stands for."""

DropKind = Literal["file", "set", "spec", "part", "folder", "unknown", "misnamed"]

LONGEST_FILE = 240
"""Bytes of a file's name as UTF-8: file systems take 255, and some programs add an ending."""
UNNAMED = "unnamed"
"""The model whose runs list drops under a name without any letter or digit."""


class NameFault(OwnerError, ValueError):
    """A name that breaks the contract; the message holds the name and the rule."""


class Drop(NamedTuple):
    """What one key of the drop bucket means: `file` and `set` start a run, `unknown` and `misnamed` start one that is
    rejected, the rest wait."""

    kind: DropKind
    model: str
    name: str
    """The file's or the set's own name, without the folder of the model."""
    fault: str = ""
    """Of `misnamed`: what is wrong with the key, and where the object belongs."""

    @property
    def starts_run(self) -> bool:
        """Whether this key is a whole data set (or claims to be one), rather than a part or a wish."""
        return self.kind in ("file", "set", "unknown", "misnamed")

    def checked(self) -> Drop:
        """This drop; `NameFault` if it is `misnamed`."""
        if self.kind == "misnamed":
            raise NameFault(self.fault)
        return self


def check_model(name: str) -> str:
    """`name` itself when it is a valid model name; `NameFault` otherwise."""
    if MODEL_NAME.fullmatch(name) is None:
        rule = "expected 1 to 63 of a-z, 0-9 and '-', starting with a letter or a digit"
        raise NameFault(f"model name {quoted(name)}: {rule}")
    return name


SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d",
           "þ": "th", "ı": "i"}  # fmt: skip
"""Letters that are written with others where a model is named after a file: German ones as in German, and those that
Unicode takes for no letter with an accent."""


def model_from_file(name: str) -> str:
    """A valid model name made from a file's name: `House Prices.csv.gz` gives `house-prices`, `Äpfel.csv` `aepfel`.

    Raises:
        NameFault: no letter or digit of the file's name can be in a model's name.
    """
    import unicodedata  # of those who name models: functions need the other names alone

    stem = unicodedata.normalize("NFC", name).lower()  # a Mac keeps ä as two characters
    for ending in sorted(FORMATS, key=len, reverse=True):
        stem = stem.removesuffix(ending)
    plain = unicodedata.normalize("NFKD", "".join(SPELLED.get(letter, letter) for letter in stem))
    found = re.sub(r"[^a-z0-9]+", "-", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    model = found.strip("-")[:63].rstrip("-")
    if not model:
        raise NameFault(f"file name {name!r}: expected at least one Latin letter or digit, to name the model after it")
    return model


def format_of(name: str) -> str | None:
    """The format that a file's ending stands for, or None for an ending nobody reads."""
    lower = name.lower()
    return next((kind for ending, kind in FORMATS.items() if lower.endswith(ending)), None)


def parse_drop(key: str) -> Drop:
    """What `key` (decoded, as EventBridge gives it) means under the contract.

    Raises:
        NameFault: the key is not `datasets/<model>/…` with a valid model name.
    """
    return _parsed(key, DATASETS)


def parse_batch(key: str) -> Drop:
    """The same of `batch/<model>/…`: a file or a set to predict. There are no wishes."""
    found = _parsed(key, BATCH)
    return found._replace(kind="unknown") if found.kind == "spec" else found


def drop_at(key: str) -> Drop:
    """What any key means, of data or of a batch: `misnamed` where it breaks the contract, so that its owner is told.

    Such a drop is listed under the valid model name that is closest to its own.
    """
    if not key.startswith((DATASETS, BATCH)):
        return Drop("folder", "", key)
    top, parse = (BATCH, parse_batch) if key.startswith(BATCH) else (DATASETS, parse_drop)
    try:
        return parse(key)
    except NameFault as fault:
        folder, slash, name = key.removeprefix(top).partition("/")
        model, name = _closest_model(folder), name if slash else folder
        meant = parse(f"{top}{model}/{name}")
        return Drop("misnamed", model, name, f"{fault}; drop it under {top}{model}/") if meant.starts_run else meant


def _closest_model(name: str) -> str:
    try:
        return model_from_file(name)
    except NameFault:
        return UNNAMED


def check_file_name(name: str) -> str:
    """`name` itself when a file system takes it; `NameFault` otherwise."""
    if (size := len(name.encode("utf-8", "surrogatepass"))) > LONGEST_FILE:
        raise NameFault(f"a file name of {size} bytes: expected at most {LONGEST_FILE}; drop it under a shorter name")
    return name


def _parsed(key: str, top: str) -> Drop:
    folder, _, rest = key.removeprefix(top).partition("/")
    if not key.startswith(top) or not rest and not key.endswith("/"):
        raise NameFault(f"key {quoted(key)}: expected {top}<model>/<file>")
    model = check_model(folder)
    head, _, tail = rest.partition("/")
    if not rest or rest.endswith("/"):
        return Drop("folder", model, rest)
    if tail == SUCCESS:
        return Drop("set", model, head)
    if tail.startswith("part-"):
        return Drop("part", model, rest)
    if tail:
        return Drop("unknown", model, rest)
    if head == SPEC:
        return Drop("spec", model, head)
    return Drop("unknown" if format_of(head) is None else "file", model, head)


def starts_run(key: str) -> bool:
    """Whether an object under this key starts a run, of training or of a batch."""
    return drop_at(key).starts_run


def spellings(key: str) -> tuple[str, ...]:
    """The keys that an event may mean by `key`: itself, and what it is without percent-encoding if that differs.

    EventBridge gives keys as they are; an emulator of AWS encodes them.
    """
    from urllib.parse import unquote  # of few: most functions need the other names alone

    return (key,) if (plain := unquote(key)) == key else (key, plain)


def drop_key(model: str, file: str) -> str:
    """Where a data set of one file is dropped."""
    return f"{DATASETS}{check_model(model)}/{file}"


def set_prefix(model: str, name: str, top: str = DATASETS) -> str:
    """Where the parts of a data set of many files lie; those of a batch under `BATCH`."""
    return f"{top}{check_model(model)}/{name}/"


def batch_key(model: str, file: str) -> str:
    """Where a file to predict is dropped."""
    return f"{BATCH}{check_model(model)}/{file}"


def predictions_key(model: str, file: str) -> str:
    """Where the predictions of `batch/<model>/<file>` land, in the artifact bucket."""
    return f"{PREDICTIONS}{check_model(model)}/{file}"


def spec_key(model: str) -> str:
    """Where a model's wishes lie."""
    return f"{DATASETS}{check_model(model)}/{SPEC}"


def quarantine_prefix(run: str) -> str:
    """Where a rejected object and its `reason.json` are kept, in the artifact bucket."""
    return f"{QUARANTINE}{run}/"


class RunFiles:
    """The keys of one run in the artifact bucket, all under `runs/<run-id>/`."""

    def __init__(self, run: str) -> None:
        self.run = run

    @property
    def prefix(self) -> str:
        """The run's folder."""
        return f"{RUNS}{self.run}/"

    def key(self, name: str) -> str:
        """The key of the run's file `name`."""
        return f"{self.prefix}{name}"

    @property
    def data(self) -> str:
        """Folder with the run's own copy of the exact version of the data set: what `train` reads."""
        return self.key("input/data/")

    @property
    def plan(self) -> str:
        """Folder with `plan.json`, what inspect decided: the trainer's second channel."""
        return self.key("input/plan/")

    @property
    def training(self) -> str:
        """Folder where SageMaker leaves `<job>/output/model/…`."""
        return self.key("training/")

    @property
    def batch(self) -> str:
        """Folder of a batch's plan and its pieces, until the predictions are whole."""
        return self.key("batch/")

    @property
    def checkpoints(self) -> str:
        """Folder that SageMaker keeps equal to /opt/ml/checkpoints; outside the run's, for it expires."""
        return f"{CHECKPOINTS}{self.run}/"


PLAN_FILE = "plan.json"
MODEL_FILE = "model.onnx"
FAST_GRAPH_FILE = "fast/graph.onnx"
FAST_WEIGHTS_FILE = "fast/weights.bin"
"""Of large models: the same model in the form that Predict loads (`contract/fast.py`)."""
MANIFEST_FILE = "manifest.json"
METRICS_FILE = "metrics.json"
PROFILE_FILE = "profile.json"
GOLDEN_FILE = "golden.jsonl"
HOLDOUT_FILE = "holdout.json.gz"
BASELINE_FILE = "baseline.json"
REPORT_FILE = "report.html"
VERDICT_FILE = "verdict.json"
VERDICT_MARK = "<!-- verdict -->"
"""In the trainer's report: where Judge writes what it decided."""
REHEARSER = "dropforge:rehearsal"
"""The caller of a rehearsal's requests. API Gateway says who calls, so no caller can pass for it."""
REHEARSAL_MARKS = ("<!-- rehearsal -->", "<!-- end of rehearsal -->")
"""In the report that Judge wrote into: the rehearsal is drawn between them."""
BATCH_PLAN = "plan.json"
"""In a batch's folder."""

ERRORS_SUFFIX = ".errors.jsonl"
SUMMARY_SUFFIX = ".summary.json"
TENSORBOARD_FOLDER = "tensorboard/"


def piece_file(number: int) -> str:
    """What a piece's files are called in a batch's folder, but for their endings."""
    return f"piece-{number:05d}"


def text_file(number: int) -> str:
    """What the text of a batch's file is called in its folder, where it had to be written anew."""
    return f"text-{number:05d}"
