"""The public classes and methods of the SDK show how they are used."""

from __future__ import annotations

import doctest
import inspect
from typing import Any

import pytest

from dropforge import client
from dropforge.client import Dropforge
from dropforge.client.batchruns import BatchOutcome

CLASSES = [*(getattr(client, name) for name in client.__all__ if name != "Connection"), BatchOutcome]
METHODS = [method for name, method in inspect.getmembers(Dropforge, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("item", [*CLASSES, *METHODS], ids=lambda item: item.__name__)
def test_every_public_class_and_method_has_an_example_that_is_python(item: Any) -> None:
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(item) or "")
    assert examples
    for example in examples:
        compile(example.source, item.__name__, "single")
