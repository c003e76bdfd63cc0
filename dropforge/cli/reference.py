"""Generates `docs/cli.md` from the commands: each as a command, then as Python.

python -m dropforge.cli.reference > docs/cli.md
"""

from __future__ import annotations

import sys
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from typer.main import get_command

from dropforge.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

SDK = {
    "up": """
        from pathlib import Path
        from dropforge.embedded import cloud

        cloud.up(home=Path(".dropforge"), port=None, report=print)
        """,
    "down": """
        from pathlib import Path
        from dropforge.embedded import cloud

        cloud.down(Path(".dropforge"))
        """,
    "status": """
        from pathlib import Path
        from dropforge.embedded import cloud

        cloud.status(Path(".dropforge")).healthy
        """,
    "drop": """
        forge.drop("houses.csv", target="price").run              # the run's id, immediately
        forge.drop(houses, model="houses", target="price")        # a frame, columns or rows: "Tables in Python" above
        outcome = forge.drop("houses.csv", target="price", wait=True)
        outcome.status, outcome.metrics, outcome.baseline, outcome.report
        """,
    "spec": """
        forge.spec("houses")                                      # the text of spec.yaml, or None
        forge.set_spec("houses", "spec.yaml")
        forge.set_spec("houses", None)                            # like --clear
        """,
    "runs": """
        [run.status for run in forge.runs(limit=20, model="houses")]
        """,
    "show": """
        forge.run("run-0123456789abcdef").reason
        row = forge.wait("run-0123456789abcdef", timeout=600)     # like --wait
        forge.outcome(row).report
        for event in forge.follow("run-0123456789abcdef"):        # Changed, Progress, Said, Ended
            print(event)
        """,
    "models": """
        [model["model"] for model in forge.models()]
        forge.model("houses")["card"]["columns"]
        forge.versions("houses"), forge.history("houses")         # all of them, the newest first
        """,
    "report": """
        forge.report("run-0123456789abcdef", "report.html")
        """,
    "remove": """
        forge.remove("houses")["withdrawn"]
        """,
    "rollback": """
        forge.rollback("houses")["version"]                       # the previous version
        forge.rollback("houses", "3", because="callers see wrong prices")
        """,
    "rollout": """
        forge.rollout("houses").candidate
        forge.begin_rollout("houses", "4", share=0.05, unit="customer_id")
        """,
    "advance": """
        forge.advance("houses", 0.5)
        """,
    "promote": """
        forge.promote("houses", because="a day without a difference")
        """,
    "pause": """
        forge.pause("houses")
        """,
    "resume": """
        forge.resume("houses")
        """,
    "abort": """
        forge.abort("houses", because="the new version is slower")
        """,
    "predict": """
        forge.predict("houses", [{"rooms": 4, "district": "north"}]).predictions
        forge.predict("houses", "new-houses.csv").probabilities
        forge.predict("houses", "new-houses.csv", errors="skip").refused   # row, column, code, reason of each
        houses.join(forge.predict_frame("houses", houses))              # a frame of pandas; or of polars, or Arrow
        why = forge.predict("houses", [{"rooms": 4, "district": "north"}], explain=True)
        why.explanations                                                # base, contributions, errors by column
        for rows, answer in forge.predict_stream("houses", "large.csv"):   # files larger than memory
            print(len(rows.rows), answer.ids[0])
        """,
    "batch": """
        forge.batch("houses", "new-houses.csv").run                        # the run id of the batch, immediately
        ended = forge.batch("houses", "new-houses.csv", wait=True)
        ended.status, ended.predicted, ended.failed, ended.predictions     # the last is an S3 URI
        forge.fetch(ended, "priced.csv")
        """,
    "serve": """
        from dropforge.serve.server import serve

        serve(["model.onnx"], name=None, host="127.0.0.1", port=8080, workers=1, report=print)   # until SIGTERM
        """,
    "price": """
        from dropforge.client import costs

        costs.sheet()["idle"]["dollars"], costs.sheet()["million_predictions"]["dollars"]
        costs.sheet(costs.Use("mine", models=3, runs=10, minutes=20, instance="ml.g6.xlarge", predictions=200_000))
        """,
    "doctor": """
        from dropforge.client.doctor import examine_account

        [finding.message for finding in examine_account() if finding.status == "blocks"]
        """,
    "smoke": """
        from dropforge.client.smoke import smoke

        [(step.name, step.seconds) for step in smoke(forge, timeout=3600)]
        """,
    "redrive": """
        [(event.outcome, event.run, event.key) for event in forge.redrive()]
        """,
}
"""The Python equivalent of each command, after `forge = Dropforge()`."""

HEAD = """
# Command line and SDK

In a checkout, `pip install .` installs both; `make setup` also installs the embedded cloud. This page is generated from
the program (`python -m dropforge.cli.reference > docs/cli.md`), and a test keeps the two equal.

## Which cloud

The program uses the first of these that is available:

1. the embedded cloud whose folder is named by `--home` or `DROPFORGE_HOME`;
2. the endpoint in `AWS_ENDPOINT_URL`;
3. the embedded cloud in `.dropforge/` of the current folder or a parent, if its server is running;
4. the stack `Dropforge` in your AWS account, with the usual credentials (`AWS_PROFILE`, `AWS_REGION`, …).

`--profile NAME` selects AWS even if an embedded cloud is running. `--stack NAME`, or `DROPFORGE_STACK`, selects another
stack of the same cloud.

## Output

Results go to standard output; the live view, notes and errors go to standard error. With `--json`, before or after the
command, standard output has one JSON document and nothing else. An error is `{"error": {"code", "message"}}`, with
`field` if one input caused it.

| exit code | meaning |
|---|---|
| 0 | success. A waited `drop` was promoted, or is a duplicate of a run that was; a waited `batch` was predicted |
| 1 | failure. A waited `drop` or `batch` was refused, rejected, failed or unknown, or duplicates such a run |
| 1 | some rows of a file have no prediction |
| 2 | a wrong call, such as an unknown option, a missing file or an invalid name |
| 130 | interrupted; a run that was being watched continues |

A waited `drop` (and `show --wait`) returns `{"run", "model", "status", "original", "version", "task", "target",
"metrics", "baseline", "reason", "report"}` and more: `remarks` has what was left out, changed or guessed, the worst
first, each with a `code`, a `sentence`, its `severity`, the `column` and the `option`, which is the line of spec.yaml
that overrules it. For a duplicate, the version, the scores and the report are those of the
run with the same data, and `original` is the status of that run, which is waited for. `report` is a path with the
embedded cloud, and an S3 URI on AWS.

A waited `batch` (and `show --wait` for a batch) returns `{"run", "model", "status", "version", "predicted", "failed",
"reason", "predictions", "predictions_version", "errors"}`, with places as S3 URIs. Its status is `predicted` even if
some rows have no prediction.

If a newer Dropforge wrote a status that the program does not know, it is shown as `unknown`, with the status itself in
`reason`. A waited run with such a status counts as ended once its last step has ended; otherwise the program stops
waiting after two minutes (`version_mismatch`).

`models NAME` returns the response of `GET /models/{model}` ([openapi.json](openapi.json)). `versions` and `history`
have the newest 20 entries; `versions_next` and `history_next` say where the rest begins, and are null if there is no
more. `--all` returns every entry.

`predict` returns `{"model", "version", "predictions", "probabilities", "ids", "recommendations", "explanations",
"refused", "warnings", "warning_count"}`. `probabilities` is null for regression, `recommendations` is null except for
recommenders, and `explanations` is null without `--explain` ([explain.md](explain.md)).

A value that the model does not know, such as a new category, is answered and listed in `warnings` as `{"row",
"column", "kind", "taken_for"}` ([protocols.md](protocols.md)); standard error counts them. With `--strict` (in Python
`strict=True`) such a row is refused.

A row of a file with a value that the model cannot read costs the other rows nothing: its entry in the lists is null,
and `refused` has `{"row", "column", "code", "reason"}`, with `row` counted from 0. A file that `--out` writes has no
such rows. Standard error counts them and names the first ten, and the exit code is 1. In Python this is
`errors="skip"`, over HTTP `?errors=skip`; without it the first such row is an error. A missing column, or a line with
more or fewer fields than the header, always is.

`DROPFORGE_DEBUG=1` adds the traceback to an error. In Python every error is a `Fault` with `message`, `code` and
`field`, and `row` and `column` if it is about a row; an error that the API returns is an `ApiFault`, which also has a
`status`, and as `columns` the names of all columns that are missing or unknown. The Python examples begin with

```python
from dropforge.client import Dropforge

forge = Dropforge()
```

## Tables in Python

`drop`, `predict` and `batch` take more than files. pandas, polars and pyarrow need not be installed: each is used only
for tables of its own.

| input | as |
|---|---|
| a frame of pandas | its columns, and the levels of its index that have a name |
| a frame of polars, an Arrow table or record batch | its columns |
| `{"rooms": [4, 3], "district": ["north", "south"]}` | columns of lists, arrays or series |
| `[{"rooms": 4, "district": "north"}, …]` | rows |
| `"houses.csv"`, `"s3://my-bucket/houses.csv"` | a file of this machine, or an object of S3 |

An index of pandas without a name is left out, as filters and samples leave one behind. Objects of S3 are read with the
credentials of the cloud that the client is connected to.

`None`, NaN, `pandas.NA` and `NaT` are missing values. A date and time with a zone is converted to UTC, one without is
in UTC, and fractions of a second are dropped, as they are in a data set. Decimals become floats, and categories their
values. Bytes, lists, complex numbers, durations and periods are errors that name row and column. So is infinity in
`predict`; in a data set it is a missing value.

`drop` and `batch` write a table as Parquet if its own library can (polars, pyarrow, pandas with pyarrow), and as CSV
otherwise, also if a column has values of several types; its file is named after the model, so `drop` needs `model=`.

`predict_frame` returns a frame of the kind that it is given, of pandas with the same index, so that the two can be
joined. Its columns are `prediction`, `probability_<class>`, `recommendations`, with `explain` also `base` and
`contribution_<column>`, then `prediction_id`, and with `errors="skip"` the reason in `refused`. Rows are sent in
requests of at most 1,000 rows and 4 MB, which one version answers.
"""


def reference() -> str:
    """The whole page."""
    program = command()
    names = list(program.commands)
    sections = (_section(name, program.commands[name]) for name in names)
    general = f"## Options of the program\n\n{_options(program)}"
    return "\n\n".join([HEAD.strip(), general, *sections]) + "\n"


def command() -> Any:
    """The program as typer runs it."""
    return get_command(app)


def _section(name: str, found: Any) -> str:
    about, examples = _parts(cleandoc(found.help))
    sdk = cleandoc(SDK[name])
    return f"## {name}\n\n{about}\n\n```sh\n{examples}\n```\n\n{_options(found)}\n\n```python\n{sdk}\n```"


def _parts(text: str) -> tuple[str, str]:
    """The description, and the commands after each `Example:`."""
    lines = [line for line in text.splitlines() if line.strip() != "\b"]
    examples = [line.partition("Example: ")[2] for line in lines if line.startswith("Example: ")]
    about = "\n".join(line for line in lines if not line.startswith("Example: ")).strip()
    return about, "\n".join(examples)


def _options(found: Any) -> str:
    rows = [f"| {name} | {help} |" for name, help in _rows(found)]
    return "\n".join(["| option | |", "|---|---|", *rows])


def _rows(found: Any) -> Iterator[tuple[str, str]]:
    for each in found.params:
        if each.param_type_name == "argument":
            yield f"`{each.metavar}`", each.help or ""
        elif "--help" not in each.opts:
            names = ", ".join(f"`{name}`" for name in [*each.opts, *each.secondary_opts])
            value = f" `{each.metavar}`" if each.metavar else ""
            yield names + value, each.help or ""


if __name__ == "__main__":
    sys.stdout.write(reference())
