"""The purge goes on after an outage or a crash in the middle of it, and restoring ends when it begins."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
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
    """The wire to an auth server that counts what it deletes, and may be down."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.is_down = False

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("connection refused")
        user_id = request.url.path.rpartition("/")[2]
        if user_id in self.deleted:
            return httpx.Response(404, json={"code": "user_not_found", "message": "User not found"})
        self.deleted.append(user_id)
        return httpx.Response(200, json={})


class BrokenStorage(Storage):
    """A storage that does not respond."""

    async def delete(self, key: str) -> None:
        raise Unavailable


@dataclass
class Scene:
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
async def scene(engine: AsyncEngine, parts: Components, clock: TestClock) -> AsyncIterator[Scene]:
    server = AuthServer()
    async with httpx.AsyncClient(transport=httpx.MockTransport(server.handle)) as http:
        seen = replace(parts, auth=SupabaseAuth("https://project.example.org/", "anon", "key", http))
        clock.stop()
        async with unit_of_work(engine) as uow:
            person = await add_candidate(uow)
            await account_deletion.hide(uow, seen, person, clock.now())
        yield Scene(engine, seen, clock, server, person)


class TestThePurge:
    async def test_waits_for_the_hold_then_deletes_the_account_and_a_day_later_the_rows(
        self, scene: Scene
    ) -> None:
        await scene.purge(HOLD - DAY)
        assert scene.server.deleted == []
        await scene.purge(HOLD)
        assert str(scene.person.id) in scene.server.deleted
        assert await scene.exists()
        await scene.purge(HOLD + DAY / 2)
        assert await scene.exists()
        await scene.purge(HOLD + DAY + timedelta(minutes=1))
        assert not await scene.exists()

    async def test_goes_on_when_the_auth_server_is_back(self, scene: Scene) -> None:
        scene.server.is_down = True
        await scene.purge(HOLD)
        deletion = await scene.deletion()
        assert deletion is not None
        assert (deletion.auth_deleted_at, deletion.purging_since is not None) == (None, True)
        scene.server.is_down = False
        await scene.purge(HOLD + timedelta(minutes=1))
        assert str(scene.person.id) not in scene.server.deleted  # The lease has not ended.
        await scene.purge(HOLD + timedelta(minutes=11))
        assert str(scene.person.id) in scene.server.deleted

    async def test_goes_on_after_a_crash_behind_the_auth_server(self, scene: Scene) -> None:
        """The auth server had deleted the account, and nobody wrote it down."""
        scene.server.deleted.append(str(scene.person.id))
        await scene.purge(HOLD)
        deletion = await scene.deletion()
        assert deletion is not None
        assert deletion.auth_deleted_at is not None

    async def test_deletes_no_row_before_the_files(self, scene: Scene) -> None:
        await scene.purge(HOLD)
        await scene.purge(HOLD + 2 * DAY, media=BrokenStorage(str(scene.parts.settings.media_url)))
        assert await scene.exists()
        await scene.purge(HOLD + 3 * DAY)
        assert not await scene.exists()

    async def test_leaves_no_pseudonym_of_somebody_without_official_attempts(self, scene: Scene) -> None:
        before = await _pseudonyms(scene)
        await scene.purge(HOLD)
        await scene.purge(HOLD + 2 * DAY)
        assert await _pseudonyms(scene) == before


class TestRestoring:
    async def test_is_possible_until_the_purge_begins(self, scene: Scene) -> None:
        await scene.purge(HOLD - DAY)
        member = await scene.restore()
        assert (member.user.active, member.user.deleted_at) == (True, None)
        await scene.purge(HOLD)
        assert (await scene.exists(), scene.server.deleted) == (True, [])

    async def test_is_refused_once_it_has_begun(self, scene: Scene) -> None:
        scene.server.is_down = True
        await scene.purge(HOLD)
        with pytest.raises(Conflict):
            await scene.restore()

    async def test_twice_changes_nothing(self, scene: Scene) -> None:
        await scene.restore()
        assert (await scene.restore()).user.active

    async def test_needs_an_account(self, scene: Scene) -> None:
        await scene.purge(HOLD)
        await scene.purge(HOLD + 2 * DAY)
        with pytest.raises(NotFound):
            await scene.restore()


async def _pseudonyms(scene: Scene) -> int:
    async with reading(scene.engine) as reads:
        statement = select(func.count()).select_from(User).where(User.name == "Deleted candidate")
        return await reads.session.scalar(statement) or 0
