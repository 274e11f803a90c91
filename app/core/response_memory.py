"""Responses that were sent before, kept in memory with the version of what they were built from."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KeptBody:
    """The body of a response, and what it was built from."""

    version: str
    body: bytes
    profiles: Mapping[UUID, str]
    """The versions of the profiles that it shows, where it shows other people."""


class ResponseMemory:
    """The last response of each key. Those that were not used longest are dropped."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, KeptBody] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> KeptBody | None:
        """The response of a key. The caller compares its version."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: Hashable, response: KeptBody) -> None:
        """Keep a response instead of the one before."""
        before = self._kept.pop(key, None)
        self._bytes += len(response.body) - (len(before.body) if before else 0)
        self._kept[key] = response
        while self._bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)
