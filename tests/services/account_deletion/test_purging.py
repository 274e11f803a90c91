"""The purge continues after an outage or a crash in the middle of it, and restoring ends when it begins."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Conflict, NotFound, Unavailable
from app.core.storage import Storage
from app.core.supabase_auth import SupabaseAuth
from app.models import AccountDeletion, User
from app.services import account_deletion
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate
from tests.conftest import TestClock

DAY = timedelta(days=1)
HOLD = 30 * DAY


class AuthServer:
    """An HTTP handler that acts as the auth server. It lists what it deletes, and may be down."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.is_down = False
        self.meanwhile: Callable[[str], Awaitable[None]] | None = None

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("connection refused")
        user_id = request.url.path.rpartition("/")[2]
        if user_id in self.deleted:
            return httpx.Response(404, json={"code": "user_not_found", "message": "User not found"})
        if self.meanwhile is not None:
            await self.meanwhile(user_id)
        self.deleted.append(user_id)
        return httpx.Response(200, json={})


class BrokenStorage(Storage):
    """A storage that does not respond."""

    async def delete(self, key: str) -> None:
        raise Unavailable


@dataclass
class DeletedAccount:
    """A person whose account is deleted, in a database in which nobody else's is."""

    engine: AsyncEngine
    parts: Components
    clock: TestClock
    server: AuthServer
    person: Principal

    async def purge(self, after: timedelta, **parts: Any) -> None:
        with self.clock.moved(after.total_seconds() + 1):
            await account_deletion.purge_due(replace(self.parts, **parts))

    async def deletion(self) -> AccountDeletion | None:
        async with reading(self.engine) as reads:
            return await reads.deletions.find(self.person.id)

    async def exists(self) -> bool:
        async with reading(self.engine) as reads:
            return await reads.session.get(User, self.person.id) is not None

    async def restore(self) -> Any:
        async with unit_of_work(self.engine) as uow:
            return await account_deletion.restore(uow, operator(), self.person.id)


@pytest.fixture
async def account(engine: AsyncEngine, parts: Components, clock: TestClock) -> AsyncIterator[DeletedAccount]:
    server = AuthServer()
    async with httpx.AsyncClient(transport=httpx.MockTransport(server.handle)) as http:
        seen = replace(parts, auth=SupabaseAuth("https://project.example.org/", "anon", "key", http))
        clock.stop()
        async with unit_of_work(engine) as uow:
            # The purge takes a batch of accounts: those of other tests would come first.
            await uow.session.execute(delete(AccountDeletion))
            person = await add_candidate(uow)
            await account_deletion.hide(uow, seen, person, clock.now())
        yield DeletedAccount(engine, seen, clock, server, person)


class TestThePurge:
    async def test_waits_for_the_hold_then_deletes_the_account_and_a_day_later_the_rows(
        self, account: DeletedAccount
    ) -> None:
        await account.purge(HOLD - DAY)
        assert account.server.deleted == []
        await account.purge(HOLD)
        assert str(account.person.id) in account.server.deleted
        assert await account.exists()
        await account.purge(HOLD + DAY / 2)
        assert await account.exists()
        await account.purge(HOLD + DAY + timedelta(minutes=1))
        assert not await account.exists()

    async def test_continues_when_the_auth_server_is_back(self, account: DeletedAccount) -> None:
        account.server.is_down = True
        await account.purge(HOLD)
        deletion = await account.deletion()
        assert deletion is not None
        assert (deletion.auth_deleted_at, deletion.purging_since is not None) == (None, True)
        account.server.is_down = False
        await account.purge(HOLD + timedelta(minutes=1))
        assert str(account.person.id) not in account.server.deleted  # The lease has not ended.
        await account.purge(HOLD + timedelta(minutes=11))
        assert str(account.person.id) in account.server.deleted

    async def test_continues_after_a_crash_before_the_deletion_was_recorded(
        self, account: DeletedAccount
    ) -> None:
        account.server.deleted.append(str(account.person.id))
        await account.purge(HOLD)
        deletion = await account.deletion()
        assert deletion is not None
        assert deletion.auth_deleted_at is not None

    async def test_deletes_no_row_before_the_files(self, account: DeletedAccount) -> None:
        await account.purge(HOLD)
        await account.purge(HOLD + 2 * DAY, media=BrokenStorage(str(account.parts.settings.media_url)))
        assert await account.exists()
        await account.purge(HOLD + 3 * DAY)
        assert not await account.exists()

    async def test_leaves_no_pseudonym_of_somebody_without_official_attempts(
        self, account: DeletedAccount
    ) -> None:
        before = await _pseudonyms(account)
        await account.purge(HOLD)
        await account.purge(HOLD + 2 * DAY)
        assert await _pseudonyms(account) == before


class TestRestoring:
    async def test_is_possible_until_the_purge_begins(self, account: DeletedAccount) -> None:
        await account.purge(HOLD - DAY)
        member = await account.restore()
        assert (member.user.active, member.user.deleted_at) == (True, None)
        await account.purge(HOLD)
        assert (await account.exists(), account.server.deleted) == (True, [])

    async def test_is_refused_once_it_has_begun(self, account: DeletedAccount) -> None:
        account.server.is_down = True
        await account.purge(HOLD)
        with pytest.raises(Conflict):
            await account.restore()

    async def test_an_account_that_is_being_restored_is_left_alone(self, account: DeletedAccount) -> None:
        async with unit_of_work(account.engine) as uow:
            await account_deletion.restore(uow, operator(), account.person.id)
            await account.purge(HOLD)
        assert (await account.exists(), account.server.deleted, await account.deletion()) == (True, [], None)

    async def test_one_that_is_restored_after_it_was_leased_stays(self, account: DeletedAccount) -> None:
        """The auth server deletes one of two accounts, and the other one is restored meanwhile."""
        async with unit_of_work(account.engine) as uow:
            other = await add_candidate(uow)
            await account_deletion.hide(uow, account.parts, other, account.clock.now())
        both = {str(person.id): person.id for person in (account.person, other)}

        async def restore(deleted: str) -> None:
            (user_id,) = (id_ for name, id_ in both.items() if name != deleted)
            async with unit_of_work(account.engine) as uow:
                await account_deletion.restore(uow, operator(), user_id)

        account.server.meanwhile = restore
        await account.purge(HOLD)
        assert len(account.server.deleted) == 1

    async def test_twice_changes_nothing(self, account: DeletedAccount) -> None:
        await account.restore()
        assert (await account.restore()).user.active

    async def test_needs_an_account(self, account: DeletedAccount) -> None:
        await account.purge(HOLD)
        await account.purge(HOLD + 2 * DAY)
        with pytest.raises(NotFound):
            await account.restore()


async def _pseudonyms(account: DeletedAccount) -> int:
    async with reading(account.engine) as reads:
        statement = select(func.count()).select_from(User).where(User.name == "Deleted candidate")
        return await reads.session.scalar(statement) or 0
