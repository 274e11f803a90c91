"""What the server does before it answers: the same for addresses that are known and that are not."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from tests.devservers.auth.conftest import ANON_KEY, Server
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Statements that the current task sends to PostgreSQL: those of an answer, as requests run in it."""
    statements: list[str] = []
    here, execute = asyncio.current_task(), asyncpg.Connection._execute

    async def note(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if asyncio.current_task() is here:
            statements.append(" ".join(query.split()))
        return await execute(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "_execute", note)
        yield statements


async def answered(server: Server, path: str, body: dict[str, Any]) -> int:
    """The status of an answer. `Server.call` would also wait for the mails."""
    answer = await server.http.post(f"/auth/v1{path}", json=body, headers={"apikey": ANON_KEY})
    return answer.status_code


CALLS: dict[str, dict[str, Any]] = {
    "/recover": {},
    "/resend": {"type": "signup"},
    "/token?grant_type=password": {"password": "a wrong password"},
    "/signup": {"password": "testpassword"},
}


@pytest.mark.parametrize("path", CALLS)
async def test_known_and_unknown_addresses_make_the_same_work(
    confirming_server: Server, email: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await confirming_server.sign_up(email)
    seen = []
    for address in (email, f"un{email}"):
        with recorded(monkeypatch) as statements:
            status = await answered(confirming_server, path, {"email": address, **CALLS[path]})
        seen.append((status, statements))
    assert seen[0] == seen[1]
    assert seen[0][1], "nothing was recorded"


async def test_the_server_sends_what_was_asked_for_by_itself(server: Server, email: str) -> None:
    await server.sign_up(email)
    await answered(server, "/recover", {"email": email})

    async def sent() -> bool:
        return bool(server.mails(email))

    await eventually(sent)
    await server.mail_requests.send_all()
    assert len(server.mails(email)) == 1
