"""Keeps the results of pure functions in memory, so that equal arguments are computed once."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class KeptResults(Generic[Result]):
    """Results by a digest of everything that they depend on. Those that were not used longest are dropped.

    Nothing has to be invalidated: other arguments have another digest.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, Result] = OrderedDict()

    async def get(self, digest: bytes, compute: Callable[[], Awaitable[Result]]) -> Result:
        """The result of these arguments. It is shared, so that nobody may change it."""
        if digest in self._kept:
            self._kept.move_to_end(digest)
            return self._kept[digest]
        result = await compute()
        self._kept[digest] = result
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return result
