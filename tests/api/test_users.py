"""Profiles over HTTP."""

from typing import Any

import httpx


class TestProfile:
    async def test_has_sensible_defaults(self, candidate: httpx.AsyncClient) -> None:
        profile = (await candidate.get("/users/profile")).json()
        assert (profile["category"], profile["language"], profile["timezone"]) == (
            "general",
            "en",
            "Asia/Kolkata",
        )
        assert (profile["pwbd"], profile["preferences"]) == (None, {})

    async def test_changes_what_is_sent_alone(self, candidate: httpx.AsyncClient) -> None:
        changes: dict[str, Any] = {
            "category": "obc",
            "pwbd": 2,
            "target_year": 2027,
            "preferences": {"theme": "dark"},
        }
        changed = (await candidate.put("/users/profile", json=changes)).json()
        assert {name: changed[name] for name in changes} == changes
        cleared = (await candidate.put("/users/profile", json={"pwbd": None})).json()
        assert (cleared["pwbd"], cleared["category"]) == (None, "obc")
        assert (await candidate.get("/users/profile")).json() == cleared

    async def test_says_what_is_wrong(self, candidate: httpx.AsyncClient) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"category": "admin"}, "category"),
            ({"pwbd": 6}, "pwbd"),
            ({"timezone": "Mars/Olympus"}, "timezone"),
            ({"language": "Hindi!"}, "language"),
            ({"name": None}, "name"),
            ({"name": "  "}, "name"),
            ({"role": "admin"}, "role"),
            ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
            ({"preferences": {"a": "\u0000"}}, "preferences.a"),
        ]
        before = (await candidate.get("/users/profile")).json()
        for body, field in wrong:
            answer = await candidate.put("/users/profile", json=body)
            assert answer.status_code == 422, body
            assert answer.json()["errors"][0]["field"] == field, body
            assert (await candidate.get("/users/profile")).json() == before, body
