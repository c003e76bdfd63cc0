"""Loaded models by content, bounded by bytes: the least recently asked goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.inference.model import ServedModel


class Held:
    """What this process has loaded; threads may share it.

    Args:
        most: bytes that the models' files may have together. One model is held, however large it is.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.loaded: OrderedDict[str, ServedModel] = OrderedDict()
        """By SHA-256, the least recently asked first."""
        self.loading: dict[str, threading.Lock] = {}
        self.lock = threading.Lock()

    def get(self, sha256: str, load: Callable[[], ServedModel]) -> ServedModel:
        """The model of this content; whoever comes while another loads it waits for that. Raises what `load` does."""
        with self.lock:
            if sha256 in self.loaded:
                return self._asked(sha256)
            turn = self.loading.setdefault(sha256, threading.Lock())
        with turn:
            with self.lock:
                if sha256 in self.loaded:
                    return self._asked(sha256)
            try:
                model = load()
                with self.lock:
                    self.loaded[sha256] = model
                    self._shrink()
            finally:
                with self.lock:
                    self.loading.pop(sha256, None)
        return model

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(model.size for model in self.loaded.values())

    def _asked(self, sha256: str) -> ServedModel:
        self.loaded.move_to_end(sha256)
        return self.loaded[sha256]

    def _shrink(self) -> None:
        while len(self.loaded) > 1 and self.size > self.most:
            self.loaded.popitem(last=False)
