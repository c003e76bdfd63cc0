"""Models in memory: bounded by bytes, loaded once, a failed load forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from dropforge.inference.faults import ModelFault
from dropforge.inference.held import Held
from dropforge.inference.model import ServedModel
from tests.serving.little import little

if TYPE_CHECKING:
    from collections.abc import Callable

MADE = little("regression")
MODEL = ServedModel.from_bytes(MADE.body, MADE.sha256)


def of(size: int) -> Callable[[], ServedModel]:
    return lambda: ServedModel(MODEL.session, MODEL.card, size)


def test_the_least_recently_asked_goes_when_bytes_are_too_many() -> None:
    held = Held(100)
    for name, size in (("a", 40), ("b", 40)):
        held.get(name, of(size))
    held.get("a", of(40))
    held.get("c", of(30))
    assert list(held.loaded) == ["a", "c"] and held.size == 70
    held.get("d", of(1))
    assert list(held.loaded) == ["a", "c", "d"]


def test_one_model_is_held_however_large() -> None:
    held = Held(100)
    held.get("small", of(10))
    held.get("large", of(1000))
    assert list(held.loaded) == ["large"]
    held.get("small", of(10))
    assert list(held.loaded) == ["small"]


def test_two_who_want_one_new_model_load_it_once() -> None:
    held, loads, together = Held(100), [], threading.Barrier(4)

    def load() -> ServedModel:
        loads.append(threading.get_ident())
        together_or_late.wait(0.2)
        return MODEL

    together_or_late = threading.Event()

    def ask(_at: int) -> ServedModel:
        together.wait(5)
        return held.get("a", load)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert len(loads) == 1 and all(each is found[0] for each in found)
    assert held.loading == {}


def test_a_load_that_fails_is_tried_again() -> None:
    held = Held(100)

    def fail() -> ServedModel:
        raise ModelFault("gone")

    with pytest.raises(ModelFault):
        held.get("a", fail)
    assert held.loading == {} and held.get("a", of(1)).size == 1
