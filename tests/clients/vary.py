"""What schemathesis varies beside the document, and how often it asked; loaded by itself (`hooks` in its settings).

Every operation gets a query parameter and a header to vary, those without a body names of models and versions too.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis

ANY = [
    {"name": "anything", "in": "query", "required": True, "schema": {"type": "string"}},
    {"name": "X-Anything", "in": "header", "required": True, "schema": {"type": "string"}},
]
"""Nobody asks for them, and any client or proxy may send their like."""
NAMES: dict[str, str] = json.loads(os.environ["NAMES"])
"""What the parameters of paths are called that are served: other names are answered 404 without a look at the body."""
ASKED: Counter[str] = Counter()
"""Requests sent, by operation."""


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:  # noqa: ARG001 - names that schemathesis asks for
    """Opens the document's operations up."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            described = operation.setdefault("parameters", [])
            for each in described:
                if each["in"] == "path" and each["name"] in NAMES:
                    served = {"const": NAMES[each["name"]]}
                    each["schema"] = served if "requestBody" in operation else {"anyOf": [served, each["schema"]]}
            described.extend(ANY)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:  # noqa: ARG001 - likewise
    """Counts."""
    ASKED[case.operation.label] += 1


@atexit.register
def tell() -> None:
    """Where the test reads it."""
    Path("asked.json").write_text(json.dumps(ASKED))
