"""Results that are kept in memory by a digest of their arguments."""

import pytest

from app.core.kept_results import KeptResults


class TestGet:
    async def test_computes_equal_arguments_once_and_drops_what_was_not_used_longest(self) -> None:
        kept = KeptResults[str](2)
        computed: list[bytes] = []

        async def get(digest: bytes) -> str:
            async def compute() -> str:
                computed.append(digest)
                return digest.decode()

            return await kept.get(digest, compute)

        assert [await get(digest) for digest in (b"a", b"b", b"a", b"c", b"a", b"b")] == list("abacab")
        assert computed == [b"a", b"b", b"c", b"b"]

    async def test_keeps_no_failure(self) -> None:
        kept = KeptResults[int](2)
        outcomes: list[int | Exception] = [1, ZeroDivisionError()]

        async def compute() -> int:
            outcome = outcomes.pop()
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        with pytest.raises(ZeroDivisionError):
            await kept.get(b"a", compute)
        assert await kept.get(b"a", compute) == 1
