"""What was received and what is missing, by the names of the objects alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dropforge.contract.captures import SandboxAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dropforge.contract.captures import Part


def accounts(parts: Iterable[Part], before: Mapping[str, int]) -> tuple[list[SandboxAccount], dict[str, int]]:
    """The account of each sandbox with an object in an hour, and the last number of each that has not ended.

    Args:
        parts: what the hour's objects are.
        before: the last number, by sandbox, of those that had not ended before.
    """
    by_sandbox: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_sandbox[part.sandbox].append(part)
    found, still_open = [], dict(before)
    for sandbox, own in sorted(by_sandbox.items()):
        last, lost = before.get(sandbox, 0), []
        for part in sorted(own):
            if part.first > last + 1:
                lost.append((last + 1, part.first - 1))
            last = max(last, part.last)
        ended = any(part.is_end for part in own)
        still_open[sandbox] = last
        if ended:
            del still_open[sandbox]
        found.append(SandboxAccount(sandbox, sum(part.records for part in own), tuple(lost), ended))
    return found, still_open
