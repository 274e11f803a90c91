"""Mails of the auth server: asked for by a row, handed over by the worker, whatever is down meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.core.supabase_auth import SupabaseAuth
from app.models import AuthMail
from app.services.auth import auth_mails
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from devservers.network import free_port
from tests.builders.people import PASSWORD, new_email
from tests.conftest import TestClock
from tests.servers.auth import AuthServer, serving
from tests.waiting import eventually


@pytest.fixture
async def auth_server() -> AsyncIterator[AuthServer]:
    async with serving() as server:
        yield server


@pytest.fixture
async def there(parts: Components, auth_server: AuthServer) -> AsyncIterator[Components]:
    """Our parts, with that auth server; nothing of other tests waits."""
    await clear(parts)
    async with httpx.AsyncClient() as http:
        yield replace(parts, auth=SupabaseAuth(auth_server.url, "anon", "service", http))


@pytest.fixture
async def away(parts: Components) -> AsyncIterator[Components]:
    """Our parts, without an auth server."""
    await clear(parts)
    async with httpx.AsyncClient() as http:
        yield replace(parts, auth=SupabaseAuth(f"http://127.0.0.1:{free_port()}", "anon", "service", http))


async def clear(parts: Components) -> None:
    async with unit_of_work(parts.engine) as uow:
        await uow.auth_mails.delete_before(parts.clock.now() + timedelta(days=2))


async def ask(parts: Components, email: str, kind: auth_mails.AuthMailKind = "recovery") -> None:
    async with unit_of_work(parts.engine) as uow:
        auth_mails.request(uow, kind, email, "203.0.113.7", parts.clock.now())


async def waiting(parts: Components, email: str) -> AuthMail | None:
    async with reading(parts.engine) as reads:
        return (await reads.session.scalars(select(AuthMail).where(AuthMail.email == email))).one_or_none()


class TestSendDue:
    @pytest.mark.parametrize(("kind", "path"), [("recovery", b"recover"), ("signup", b"resend")])
    async def test_hands_a_request_over_and_forgets_it(
        self, there: Components, auth_server: AuthServer, kind: auth_mails.AuthMailKind, path: bytes
    ) -> None:
        email = new_email()
        await ask(there, email.upper(), kind)
        assert await auth_mails.send_due(there) == 1
        (asked,) = auth_server.asked
        assert path in asked
        assert email.encode() in asked
        assert await waiting(there, email) is None
        assert await auth_mails.send_due(there) == 0

    async def test_two_workers_hand_each_over_once(self, there: Components, auth_server: AuthServer) -> None:
        for _ in range(6):
            await ask(there, new_email())
        taken = await asyncio.gather(auth_mails.send_due(there), auth_mails.send_due(there))
        assert sum(taken) == len(auth_server.asked) == 6

    async def test_waits_while_the_auth_server_is_away(self, away: Components, clock: TestClock) -> None:
        email = new_email()
        await ask(away, email)
        assert await auth_mails.send_due(away) == 1
        mail = await waiting(away, email)
        assert mail is not None
        assert (mail.tries, mail.due_at > mail.created_at) == (1, True)
        assert await auth_mails.send_due(away) == 0, "it must rest first"

    async def test_goes_on_when_it_is_back(
        self, there: Components, auth_server: AuthServer, clock: TestClock
    ) -> None:
        email = new_email()
        await ask(there, email)
        auth_server.status = 503
        await auth_mails.send_due(there)
        auth_server.status = 200
        clock.advance(seconds=6)
        assert await auth_mails.send_due(there) == 1
        assert await waiting(there, email) is None

    async def test_gives_up_what_is_refused_for_good(
        self, there: Components, auth_server: AuthServer
    ) -> None:
        email = new_email()
        await ask(there, email)
        auth_server.status = 429
        await auth_mails.send_due(there)
        assert await waiting(there, email) is None

    async def test_forgets_addresses_after_a_day(self, away: Components, clock: TestClock) -> None:
        email = new_email()
        await ask(away, email)
        clock.advance(seconds=24 * 3600 + 1)
        assert await auth_mails.send_due(away) == 0
        assert await waiting(away, email) is None


class TestWithTheRealServer:
    async def test_one_mail_arrives_for_a_known_address_and_none_for_another(
        self, api: httpx.AsyncClient, parts: Components, mail_folder: Path
    ) -> None:
        await clear(parts)
        known, unknown = new_email(), new_email()
        await api.post("/auth/register", json={"email": known, "password": PASSWORD, "name": "Asha"})
        for email in (unknown, known, known):
            answer = await api.post("/auth/forgot-password", json={"email": email})
            assert answer.status_code == 202
        assert await auth_mails.send_due(parts) == 3

        async def arrived() -> bool:
            return _mails(mail_folder, known) > 0

        await eventually(arrived)
        assert (_mails(mail_folder, known), _mails(mail_folder, unknown)) == (1, 0)


def _mails(folder: Path, email: str) -> int:
    return sum(email.encode() in file.read_bytes() for file in folder.glob("*.eml"))
