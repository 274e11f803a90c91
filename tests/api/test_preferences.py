"""What a profile's preferences may hold."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio


def nested(levels: int) -> Any:
    """An object so many levels deep, and lists alike."""
    value: Any = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return {"in": value}


class TestChangeProfile:
    async def test_deep_preferences_are_refused(self, candidate: httpx.AsyncClient) -> None:
        for levels in [10, 300, 900]:
            answer = await candidate.put("/users/profile", json={"preferences": nested(levels)})
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["field"] == "preferences", levels

    async def test_others_are_kept(self, candidate: httpx.AsyncClient) -> None:
        preferences = nested(9)
        answer = await candidate.put("/users/profile", json={"preferences": preferences})
        assert answer.json()["preferences"] == preferences
