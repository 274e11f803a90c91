"""Rotation and reuse of refresh tokens."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from devservers.auth.tokens import Use, judge
from tests.conftest import ROOT
from tests.devservers.auth.conftest import Server, until_somebody_waits

NOW = datetime(2026, 5, 24, 9, 30, tzinfo=UTC)


class TestJudge:
    @pytest.mark.parametrize(
        ("number", "seconds_since_rotation", "use"),
        [
            (5, None, Use.ROTATE),
            (4, 0, Use.REPEAT),
            (4, 11, Use.REPEAT),  # the parent: its holder may never have got the answer
            (4, 1_000_000, Use.REPEAT),
            (3, 0, Use.REPEAT),
            (3, 10, Use.REPEAT),
            (3, 10.001, Use.REUSED),
            (1, 5, Use.REPEAT),
            (1, 11, Use.REUSED),
        ],
    )
    def test_of_a_session_at_its_fifth_token(
        self, number: int, seconds_since_rotation: float | None, use: Use
    ) -> None:
        since = seconds_since_rotation
        rotated_at = None if since is None else NOW - timedelta(seconds=since)
        interval = timedelta(seconds=10)
        assert judge(number=number, active=5, rotated_at=rotated_at, now=NOW, interval=interval) is use


NEXT, AGAIN = "the next pair", "the active one again"
ENDS, REFUSED = "401, and the session ends", "401"
ROWS = {
    "active": "the active one",
    "parent": "the one before it (its parent)",
    "grandparent": "an older one",
    "revoked": "one of a session that has ended",
}


def documented(which: str) -> list[str]:
    """What docs/api.md says of a token: within 10 seconds of its exchange, and later."""
    lines = (ROOT / "docs" / "api.md").read_text().splitlines()
    (row,) = (line for line in lines if line.startswith(f"| {ROWS[which]} |"))
    return [cell.strip() for cell in row.split("|")[2:4]]


async def tokens_of(server: Server, email: str, *, count: int) -> list[str]:
    """A session's refresh tokens, the active one last."""
    tokens = [(await server.sign_up(email))["refresh_token"]]
    while len(tokens) < count:
        tokens.append((await server.refresh(tokens[-1])).json()["refresh_token"])
    return tokens


async def let_seconds_pass(server: Server, email: str, seconds: float) -> None:
    """As far as rotations are concerned."""
    await server.database.execute(
        """update auth.refresh_tokens set rotated_at = rotated_at - $2::interval
        where session_id in (select s.id from auth.sessions s join auth.users u on u.id = user_id
                             where email = $1)""",
        email,
        timedelta(seconds=seconds),
    )


@pytest.mark.anyio
class TestRefresh:
    async def test_rotates(self, server: Server, email: str) -> None:
        tokens = await tokens_of(server, email, count=3)
        assert len(set(tokens)) == 3

    async def test_stores_nothing_that_could_be_presented(self, server: Server, email: str) -> None:
        tokens = await tokens_of(server, email, count=2)
        rows = await server.database.fetch("select * from auth.refresh_tokens")
        assert not any(
            token in str(row) or token.encode() in row["token_hash"] for row in rows for token in tokens
        )

    async def test_by_the_parent_returns_the_active_token_forever(self, server: Server, email: str) -> None:
        parent, active = await tokens_of(server, email, count=2)
        await let_seconds_pass(server, email, 1_000_000)
        answer = await server.refresh(parent)
        assert answer.json()["refresh_token"] == active
        assert (await server.refresh(active)).status_code == 200

    async def test_by_an_older_token_returns_the_active_one_for_ten_seconds(
        self, server: Server, email: str
    ) -> None:
        oldest, _, active = await tokens_of(server, email, count=3)
        await let_seconds_pass(server, email, 9)
        assert (await server.refresh(oldest)).json()["refresh_token"] == active

    async def test_counts_the_interval_from_the_rotation_not_from_the_last_use(
        self, server: Server, email: str
    ) -> None:
        oldest, _, _ = await tokens_of(server, email, count=3)
        await let_seconds_pass(server, email, 6)
        assert (await server.refresh(oldest)).status_code == 200
        await let_seconds_pass(server, email, 6)
        assert (await server.refresh(oldest)).status_code == 400

    async def test_by_a_reused_token_ends_the_session_and_no_other(self, server: Server, email: str) -> None:
        oldest, _, active = await tokens_of(server, email, count=3)
        other = (await server.sign_in(email)).json()
        await let_seconds_pass(server, email, 11)
        answer = await server.refresh(oldest)
        assert (answer.status_code, answer.json()["code"]) == (400, "refresh_token_already_used")
        assert (await server.refresh(active)).json()["code"] == "refresh_token_not_found"
        assert (await server.refresh(other["refresh_token"])).status_code == 200

    @pytest.mark.parametrize("seconds", [9, 11])
    @pytest.mark.parametrize("which", ["active", "parent", "grandparent", "revoked"])
    async def test_does_what_the_docs_say(
        self, server: Server, email: str, which: str, seconds: float
    ) -> None:
        tokens = await tokens_of(server, email, count=3)
        await let_seconds_pass(server, email, seconds)
        if which == "revoked":
            await server.database.execute(
                "delete from auth.sessions s using auth.users u where u.id = s.user_id and u.email = $1",
                email,
            )
        sent = tokens[{"grandparent": 0, "parent": 1, "active": 2, "revoked": 2}[which]]
        answer = await server.refresh(sent)
        assert self.outcome(answer, active=tokens[-1]) == documented(which)[seconds > 10]
        goes_on = documented(which)[seconds > 10] in (NEXT, AGAIN)
        assert (await server.refresh(tokens[-1])).is_success == goes_on

    def outcome(self, answer: httpx.Response, *, active: str) -> str:
        """The answer in the words of the docs."""
        if answer.is_success:
            return AGAIN if answer.json()["refresh_token"] == active else NEXT
        return ENDS if answer.json()["code"] == "refresh_token_already_used" else REFUSED

    async def test_by_many_at_once_gives_all_the_same_token(self, server: Server, email: str) -> None:
        (token,) = await tokens_of(server, email, count=1)
        answers = await asyncio.gather(*(server.refresh(token) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1

    async def test_by_two_connections_at_once_rotates_once(self, server: Server, email: str) -> None:
        """Both have begun when the first may go on: the second must see what the first has done."""
        (token,) = await tokens_of(server, email, count=1)
        async with server.database.acquire() as connection:
            async with connection.transaction():
                await connection.execute(
                    "select from auth.refresh_tokens where token_hash = sha256($1) for update", token.encode()
                )
                refreshing = [asyncio.create_task(server.refresh(token)) for _ in range(2)]
                await until_somebody_waits(connection, count=2)
            one, other = [await task for task in refreshing]
        assert (one.status_code, other.status_code) == (200, 200)
        assert one.json()["refresh_token"] == other.json()["refresh_token"] != token

    async def test_of_a_banned_user_is_refused(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        path = f"/users/{session['user']['id']}"
        await server.admin("PUT", path, {"ban_duration": "1h"})
        assert (await server.refresh(session["refresh_token"])).json()["code"] == "user_banned"
        await server.admin("PUT", path, {"ban_duration": "none"})
        assert (await server.refresh(session["refresh_token"])).status_code == 200

    @pytest.mark.parametrize(
        ("token", "code"),
        [("", "validation_failed"), (None, "validation_failed"), ("unknown", "refresh_token_not_found")],
    )
    async def test_needs_a_known_token(self, server: Server, token: str | None, code: str) -> None:
        answer = await server.call("POST", "/token?grant_type=refresh_token", {"refresh_token": token})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
