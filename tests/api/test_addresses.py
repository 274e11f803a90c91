"""An address that changes at the auth server: the profile follows it, by whatever way somebody signs in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.supabase_auth import SupabaseAuth
from app.services import users
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading
from app.services.users import Account
from tests.builders.auth_accounts import update_account
from tests.builders.people import PASSWORD, People, new_email
from tests.two_connections import overlap


@dataclass
class Somebody:
    """An account, with the tokens of its registration."""

    id: UUID
    email: str
    access_token: str
    refresh_token: str


@pytest.fixture
async def asha(api: httpx.AsyncClient) -> Somebody:
    return await sign_up(api, new_email())


async def sign_up(api: httpx.AsyncClient, email: str) -> Somebody:
    answer = await api.post("/auth/register", json={"email": email, "password": PASSWORD, "name": "Asha"})
    body = answer.json()
    assert answer.status_code == 201, answer.text
    return Somebody(UUID(body["user_id"]), email, body["access_token"], body["refresh_token"])


async def me(people: People, token: str) -> httpx.Response:
    async with people.client(token) as client:
        return await client.get("/auth/me")


async def stored(parts: Components, user_id: UUID) -> str:
    async with reading(parts.engine) as reads:
        member = await reads.users.member(user_id)
    assert member is not None
    return member.user.email


class Doors:
    """The ways to sign in after the address has changed."""

    @staticmethod
    async def login(
        _people: People, api: httpx.AsyncClient, _auth: SupabaseAuth, _: Somebody, new: str
    ) -> None:
        answer = await api.post("/auth/login", json={"email": new, "password": PASSWORD})
        assert answer.json()["user"]["email"] == new

    @staticmethod
    async def refresh(
        _people: People, api: httpx.AsyncClient, _auth: SupabaseAuth, asha: Somebody, _new: str
    ) -> None:
        answer = await api.post("/auth/refresh", json={"refresh_token": asha.refresh_token})
        assert answer.status_code == 200, answer.text

    @staticmethod
    async def supabase(
        people: People, _api: httpx.AsyncClient, auth: SupabaseAuth, _: Somebody, new: str
    ) -> None:
        session = await auth.sign_in(new, PASSWORD)
        assert (await me(people, session.access_token)).json()["email"] == new


Door = Callable[[People, httpx.AsyncClient, SupabaseAuth, Somebody, str], Awaitable[None]]


@pytest.mark.parametrize("door", [Doors.login, Doors.refresh, Doors.supabase])
async def test_a_newer_address_comes_along_and_an_older_token_does_not_move_it_back(
    people: People, api: httpx.AsyncClient, parts: Components, asha: Somebody, door: Door
) -> None:
    new = new_email()
    await update_account(parts.auth, asha.id, email=new, email_confirm=True)
    await door(people, api, parts.auth, asha, new)
    assert await stored(parts, asha.id) == new
    assert (await me(people, asha.access_token)).json()["email"] == new
    assert await stored(parts, asha.id) == new


async def test_an_address_that_somebody_else_registers_belongs_to_them_alone(
    people: People, api: httpx.AsyncClient, parts: Components, asha: Somebody
) -> None:
    new = new_email()
    await update_account(parts.auth, asha.id, email=new, email_confirm=True)
    successor = await sign_up(api, asha.email)
    assert await stored(parts, successor.id) == asha.email
    assert await stored(parts, asha.id) == "", "mails to her would reach the successor"
    assert (await me(people, asha.access_token)).json()["email"] == "", "her old token takes nothing back"
    assert await stored(parts, successor.id) == asha.email
    await Doors.login(people, api, parts.auth, asha, new)
    assert [await stored(parts, asha.id), await stored(parts, successor.id)] == [new, asha.email]


async def test_an_account_that_was_deleted_leaves_its_address_to_the_next(
    api: httpx.AsyncClient, parts: Components, asha: Somebody
) -> None:
    await parts.auth.admin_delete(asha.id)
    successor = await sign_up(api, asha.email)
    assert [await stored(parts, asha.id), await stored(parts, successor.id)] == ["", asha.email]


class TestEnsureProfile:
    """The order of times, with accounts as tokens state them."""

    @pytest.fixture
    async def account(self, parts: Components) -> Account:
        at = parts.clock.now().replace(microsecond=0) - timedelta(days=1)
        return Account(uuid4(), new_email(), "Asha", at)

    @staticmethod
    async def see(parts: Components, account: Account) -> str:
        return (await users.member_of(parts.engine, account)).user.email

    @pytest.mark.parametrize(
        ("later", "is_answer", "changes"),
        [(-1, False, False), (0, False, True), (1, False, True), (-1, True, True), (-2, True, False)],
    )
    async def test_the_later_token_counts(
        self, parts: Components, account: Account, later: int, is_answer: bool, changes: bool
    ) -> None:
        await self.see(parts, account)
        at = account.issued_at + timedelta(seconds=later)
        moved = replace(account, email=new_email(), issued_at=at, is_answer=is_answer)
        assert (await self.see(parts, moved) == moved.email) is changes

    async def test_a_token_of_the_same_second_does_not_move_it_back(
        self, parts: Components, account: Account
    ) -> None:
        await self.see(parts, account)
        moved = replace(account, email=new_email())
        assert await self.see(parts, moved) == moved.email
        assert await self.see(parts, account) == moved.email
        back = replace(account, issued_at=account.issued_at + timedelta(seconds=1))
        assert await self.see(parts, back) == account.email, "she has changed it back"

    @pytest.mark.parametrize("changes", [{"email": ""}, {"email": "not an address"}, {"is_verified": False}])
    async def test_what_is_no_verified_address_changes_nothing(
        self, parts: Components, account: Account, changes: dict[str, object]
    ) -> None:
        await self.see(parts, account)
        later = replace(account, issued_at=account.issued_at + timedelta(hours=1), email=new_email())
        assert await self.see(parts, replace(later, **changes)) == account.email  # type: ignore[arg-type]

    async def test_an_older_token_takes_no_address_from_somebody_newer(
        self, parts: Components, account: Account
    ) -> None:
        await self.see(parts, account)
        older = replace(account, id=uuid4(), issued_at=account.issued_at - timedelta(hours=1))
        assert await self.see(parts, older) == ""
        assert await stored(parts, account.id) == account.email
        newer = replace(older, email=new_email(), issued_at=account.issued_at)
        assert await self.see(parts, newer) == newer.email

    async def test_two_who_swap_their_addresses_do_not_block_each_other(
        self, parts: Components, engine: AsyncEngine, account: Account
    ) -> None:
        other = replace(account, id=uuid4(), email=new_email())
        await self.see(parts, account)
        await self.see(parts, other)
        at = account.issued_at + timedelta(hours=1)
        swapped = [
            replace(account, email=other.email, issued_at=at),
            replace(other, email=account.email, issued_at=at),
        ]

        async def first(uow: UnitOfWork) -> None:
            await users.ensure_profile(uow, swapped[0])

        async def second(uow: UnitOfWork) -> None:
            await users.ensure_profile(uow, swapped[1])

        both = await overlap(engine, first, second)
        assert [both.waited, both.first.code, both.second.code] == [True, "ok", "ok"]
        assert await stored(parts, account.id) == other.email
        # The first one has taken the second one's address within the same second: its next token decides.
        later = replace(swapped[1], issued_at=at + timedelta(seconds=1))
        assert await self.see(parts, later) == account.email


@pytest.fixture
async def old_token(people: People, parts: Components, asha: Somebody) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token from before the address changed, which the profile has followed."""
    new = new_email()
    await update_account(parts.auth, asha.id, email=new, email_confirm=True)
    session = await parts.auth.sign_in(new, PASSWORD)
    await me(people, session.access_token)
    async with people.client(asha.access_token) as client:
        yield client


async def test_requests_take_no_more_statements_than_before(
    old_token: httpx.AsyncClient, candidate: httpx.AsyncClient, parts: Components, asha: Somebody
) -> None:
    claims = jwt.decode(asha.access_token, options={"verify_signature": False})
    assert claims["email"] == asha.email
    counts = []
    for client in (candidate, old_token):
        statements: list[str] = []

        def keep(_c: object, _d: object, statement: str, *_: object, kept: list[str] = statements) -> None:
            kept.append(statement)

        engines = parts.engine.sync_engine, parts.batch_engine.sync_engine
        for engine in engines:
            event.listen(engine, "before_cursor_execute", keep)
        try:
            assert (await client.get("/auth/me")).status_code == 200
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", keep)
        counts.append(len([each for each in statements if "ias." in each]))
    assert counts == [1, 1]
