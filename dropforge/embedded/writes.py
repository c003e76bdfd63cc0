"""S3's writes: refused if the disk does not take them, and answered when what they cause cannot be lost.

MiniStack logs a body that it could not write and answers OK, and it delivers events from memory, which ends with the
process. Here the events of a request are in the journal before its answer. Those that a killed server left are
delivered by the next one, unless the executions that they start are known already.
"""

from __future__ import annotations

import contextvars
import importlib
import shutil
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropforge.embedded.metrics.record import enter_scope

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.embedded.journal import Event, Journal

RESERVE = 32 * 1024 * 1024
"""Bytes that stay free on the disk, for the state and the journal."""
COPIES = 2
"""How often a body is on the disk while it replaces an older version."""
WRITING = ("PUT", "POST")


@dataclass
class Write:
    """What a request has caused so far."""

    faults: list[str] = field(default_factory=list)
    """Why files could not be written."""
    events: list[Event] = field(default_factory=list)


_WRITE: ContextVar[Write | None] = ContextVar("write", default=None)


def register(journal: Journal, folder: Path) -> None:
    """Keep S3's promises from now on; `folder` is where its objects are."""
    storage: Any = importlib.import_module("ministack.services.s3")
    handle, fire, write_file = storage.handle_request, storage._fire_s3_event_async, storage._atomic_write

    def written(path: str, data: Any, *, text: bool = False) -> None:
        try:
            write_file(path, data, text=text)
        except OSError as fault:
            if (write := _WRITE.get()) is not None:
                write.faults.append(fault.strerror or str(fault))
            raise

    def noted(bucket: str, key: str, event: str, *details: Any, **named: Any) -> None:
        write = _WRITE.get()
        if write is None:
            fire(bucket, key, event, *details, **named)
        elif bucket in storage._bucket_notifications:
            write.events.append(_event(storage, bucket, key, event, details, named))

    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any, **named: Any) -> Any:
        if method in WRITING and (free := shutil.disk_usage(folder).free) < COPIES * len(body) + RESERVE:
            return _refusal(storage, f"the disk has {free // 1024**2} MB left")
        before, write = Before(storage, *storage._parse_bucket_key(path, headers)), Write()
        token = _WRITE.set(write)
        try:
            response = await handle(method, path, headers, body, *rest, **named)
        finally:
            _WRITE.reset(token)
        return response if _kept(write, journal) else _undone(storage, before, write)

    storage.handle_request, storage._fire_s3_event_async, storage._atomic_write = handled, noted, written


def _event(storage: Any, bucket: str, key: str, name: str, details: tuple[Any, ...], named: dict[str, Any]) -> Event:
    """The arguments of `_fire_s3_event`, numbered in the order in which S3 took the writes."""
    named = {**named, **dict(zip(("size", "etag", "deletion_type", "version_id"), details, strict=False))}
    sequencer = storage._next_event_sequencer(name)
    return {"bucket_name": bucket, "key": key, "event_name": name, **named, "sequencer": sequencer}


def _kept(write: Write, journal: Journal) -> bool:
    """Whether all that the request wrote and caused is on the disk; the events are delivered then."""
    if write.faults:
        return False
    try:
        names = journal.add(write.events) if write.events else []
    except OSError as fault:
        write.faults.append(fault.strerror or str(fault))
        return False
    for name, event in zip(names, write.events, strict=True):
        deliver(journal, name, event)
    return True


def _undone(storage: Any, before: Before, write: Write) -> Any:
    before.restore()
    return _refusal(storage, write.faults[0])


def deliver(journal: Journal, name: str, event: Event) -> None:
    """Deliver an event in a thread of its own, with the account and region of the current context."""
    storage: Any = importlib.import_module("ministack.services.s3")

    def delivered() -> None:
        storage._fire_s3_event(**event)
        journal.mark(name)

    threading.Thread(target=contextvars.copy_context().run, args=(delivered,), daemon=True).start()


def deliver_what_is_left(journal: Journal) -> None:
    """Deliver the events that an earlier server left; the saved state must be loaded already."""
    enter_scope()
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    inputs = [str(execution.get("input")) for execution in engine._executions.all_values()]
    for name, event in journal.pending().items():
        version = event.get("version_id")
        if version and any(version in text for text in inputs):
            journal.mark(name)
        else:
            deliver(journal, name, event)


class Before:
    """The records of an object before a request."""

    def __init__(self, storage: Any, bucket: str, key: str) -> None:
        self._storage, self._bucket, self._key = storage, bucket, key
        objects = storage._buckets.get(bucket, {}).get("objects", {})
        self._object = objects.get(key)
        self._versions = [dict(version) for version in storage._object_versions.get((bucket, key)) or []]

    def restore(self) -> None:
        """Put them back: what was answered with an error is not to be seen."""
        objects = self._storage._buckets.get(self._bucket, {}).get("objects", {})
        if self._object is None:
            objects.pop(self._key, None)
        else:
            objects[self._key] = self._object
        if self._versions:
            self._storage._object_versions[(self._bucket, self._key)] = self._versions
        else:
            self._storage._object_versions.pop((self._bucket, self._key), None)


def _refusal(storage: Any, why: str) -> Any:
    """The answer to a write that the disk does not take; SDKs do not repeat a request that gets it."""
    message = f"The embedded cloud cannot write it: {why}. Free some space on the disk, then send it again."
    return storage._error("InsufficientStorage", message, 507)
