"""`docs/cli.md`, written from the commands themselves: each as a command, then as Python.

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
        forge.drop("houses.csv", target="price").run              # the run's id, at once
        outcome = forge.drop("houses.csv", target="price", wait=True)
        outcome.status, outcome.metrics, outcome.baseline, outcome.report
        """,
    "runs": """
        [run.status for run in forge.runs(limit=20, model="houses")]
        """,
    "show": """
        forge.run("run-0123456789abcdef").reason
        row = forge.wait("run-0123456789abcdef", timeout=600)     # as --wait
        forge.outcome(row).report
        for event in forge.follow("run-0123456789abcdef"):        # Changed, Progress, Said, Ended
            print(event)
        """,
    "models": """
        [model["model"] for model in forge.models()]
        forge.model("houses")["card"]["columns"]
        forge.versions("houses"), forge.history("houses")         # every one, the newest first
        """,
    "report": """
        forge.report("run-0123456789abcdef", "report.html")
        """,
    "remove": """
        forge.remove("houses")["withdrawn"]
        """,
    "rollback": """
        forge.rollback("houses")["version"]                       # what served before
        forge.rollback("houses", "3")
        """,
    "predict": """
        forge.predict("houses", [{"rooms": 4, "district": "north"}]).predictions
        forge.predict("houses", "new-houses.csv").probabilities
        why = forge.predict("houses", [{"rooms": 4, "district": "north"}], explain=True)
        why.explanations                                                # base, contributions, errors by column
        for rows, answer in forge.predict_stream("houses", "large.csv"):   # files larger than memory
            print(len(rows.rows), answer.ids[0])
        """,
    "batch": """
        forge.batch("houses", "new-houses.csv").run                        # the batch's run id, at once
        ended = forge.batch("houses", "new-houses.csv", wait=True)
        ended.status, ended.predicted, ended.failed, ended.predictions     # the last is an S3 URI
        forge.fetch(ended, "priced.csv")
        """,
    "serve": """
        from dropforge.serve.server import serve

        serve(["model.onnx"], name=None, host="127.0.0.1", port=8080, workers=1, report=print)   # until SIGTERM
        """,
}
"""What a program writes in the place of each command; `forge = Dropforge()` stands before."""

HEAD = """
# Command line and SDK

In a checkout, `pip install .` brings both, `make setup` the embedded cloud too. This page is written from the program
(`python -m dropforge.cli.reference > docs/cli.md`) and a test holds it equal.

## Which cloud

In this order: `--home` or `DROPFORGE_HOME`, the folder of an embedded cloud; `AWS_ENDPOINT_URL`; `.dropforge/` of the
current folder or a parent, when its server runs; the stack `Dropforge` in your AWS account, by the usual credentials
(`AWS_PROFILE`, `AWS_REGION`, …). `--profile NAME` asks for AWS, whatever runs here.

## What comes back

Results go to standard output, everything else (the live view, notes, errors) to standard error. With `--json`, before
or after the command, standard output holds one JSON document and nothing else; an error is
`{"error": {"code", "message"}}`, with `field` where one is to blame.

| exit code | meaning |
|---|---|
| 0 | done; for a waited `drop`: promoted, or a duplicate of a run that was; for a waited `batch`: predicted |
| 1 | not done; for a waited `drop` or `batch`: refused, rejected, failed or unknown, or a duplicate of a run that was |
| 2 | a wrong call: unknown option, no such file, a name that cannot be |
| 130 | interrupted; a run that was watched goes on |

A waited `drop` (and `show --wait`) gives `{"run", "model", "status", "original", "version", "task", "target",
"metrics", "baseline", "reason", "report"}`; a duplicate's version, scores and report are those of the run that has the
same data, and `original` is that run's status, which is waited for. `report` is a path on the embedded cloud, an S3 URI
on AWS.

A waited `batch` (and `show --wait` of one) gives `{"run", "model", "status", "version", "predicted", "failed",
"reason", "predictions", "predictions_version", "errors"}`, places as S3 URIs; its status is `predicted` even if some
rows could not be.

A status of a newer Dropforge than the program is shown as `unknown`, with the status itself in `reason`. A waited run
of such a status has ended when its last step has; otherwise it is given up after two minutes (`version_mismatch`).

`models NAME` gives what `GET /models/{model}` answers ([openapi.json](openapi.json)): in `versions` and `history` the
newest 20, in `versions_next` and `history_next` where the rest begins, null when that is all. `--all` gives every one.

`predict` gives `{"model", "version", "predictions", "probabilities", "ids", "recommendations", "explanations"}`, with
`probabilities` null for regression, the last two null but for recommenders and `--explain` ([explain.md](explain.md)).

`DROPFORGE_DEBUG=1` adds the traceback to an error. In Python every error is a `Fault` with `message`, `code` and
`field`; what the API itself refuses is an `ApiFault` with `status` too. The examples in Python begin with

```python
from dropforge.client import Dropforge

forge = Dropforge()
```
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
