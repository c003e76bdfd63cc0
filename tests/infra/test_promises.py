"""The template keeps every security promise, and each insecure change is found by the promise that it names."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from .mutations_of_calls import MUTATIONS
from .promises_of_calls import PROMISES
from .test_security import CHANGES


@pytest.mark.parametrize("name", PROMISES)
def test_the_template_keeps_its_promise(template: dict[str, Any], account_template: dict[str, Any], name: str) -> None:
    for each in (template, account_template):
        assert PROMISES[name].broken_by(each) == [], PROMISES[name].words


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_named_promise_finds_the_change(account_template: dict[str, Any], name: str) -> None:
    changed = copy.deepcopy(account_template)
    MUTATIONS[name].change(changed)
    assert changed != account_template
    broken, words = PROMISES[MUTATIONS[name].promise].broken_by(changed), PROMISES[MUTATIONS[name].promise].words
    assert broken, f"{name}: nothing breaks the promise that {words}"


def test_every_promise_is_needed() -> None:
    """A promise that no change breaks may be one that nothing can break."""
    assert {each.promise for each in MUTATIONS.values()} | {*CHANGES} == {*PROMISES}
    assert len(MUTATIONS) >= 60
