"""Whether an address is known must not show in the time of an answer: the work is counted, not timed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from structlog.contextvars import get_contextvars

from app.services.components import Components
from tests.builders.people import PASSWORD, new_email


@dataclass
class Work:
    """What one request made the process do."""

    statements: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


@contextmanager
def recorded(parts: Components) -> Iterator[Work]:
    """Every statement of a request over the application's engine, and every call to the auth server.

    Loops of the process use the engine, too. They have no request id.
    """
    work = Work()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "request_id" in get_contextvars():
            work.statements.append(statement)

    async def note_call(request: httpx.Request) -> None:
        work.calls.append(f"{request.method} {request.url.path}")

    http = parts.auth._http
    event.listen(parts.engine.sync_engine, "before_cursor_execute", note)
    http.event_hooks["request"].append(note_call)
    try:
        yield work
    finally:
        event.remove(parts.engine.sync_engine, "before_cursor_execute", note)
        http.event_hooks["request"].remove(note_call)


ROUTES: dict[str, Callable[[str], dict[str, Any]]] = {
    "/auth/forgot-password": lambda email: {"email": email},
    "/auth/resend": lambda email: {"email": email},
    "/auth/login": lambda email: {"email": email, "password": "a wrong password"},
}


@pytest.mark.parametrize("path", ROUTES)
async def test_the_work_is_the_same_for_known_and_unknown_addresses(
    api: httpx.AsyncClient, parts: Components, path: str
) -> None:
    known = new_email()
    await api.post("/auth/register", json={"email": known, "password": PASSWORD, "name": "Asha"})
    seen = []
    for email in (known, new_email()):
        with recorded(parts) as work:
            answer = await api.post(path, json=ROUTES[path](email))
        seen.append((answer.status_code, work))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("path", ["/auth/forgot-password", "/auth/resend"])
async def test_the_answer_waits_for_nobody_else(api: httpx.AsyncClient, parts: Components, path: str) -> None:
    with recorded(parts) as work:
        answer = await api.post(path, json={"email": new_email()})
    assert (answer.status_code, answer.json()) == (202, {})
    assert work.calls == []
    assert [statement.split()[:3] for statement in work.statements] == [["INSERT", "INTO", "ias.auth_mails"]]


async def test_what_is_over_the_limit_is_not_asked_for(api: httpx.AsyncClient, parts: Components) -> None:
    email = new_email()
    for _ in range(10):
        await api.post("/auth/forgot-password", json={"email": email})
    with recorded(parts) as work:
        answer = await api.post("/auth/forgot-password", json={"email": email})
    assert (answer.status_code, work.statements) == (202, [])
