"""The keys of frozen papers, in versions (docs/decisions/0047)."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from app.models import KeyVersion
from app.repositories import locks
from app.repositories.base import Repository


class KeyRepository(Repository):
    """Versions of keys. They are only added; the highest number of a paper is the current one."""

    async def lock_current(self, paper_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        """The current version of each paper's key; nobody adds another until this transaction ends."""
        await locks.lock_keys_shared(self._session, paper_ids)
        return await self.current_ids(paper_ids)

    async def current_ids(self, paper_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        """The id of each paper's current version."""
        statement = (
            select(KeyVersion.paper_id, KeyVersion.id)
            .where(KeyVersion.paper_id.in_(paper_ids))
            .ext(distinct_on(KeyVersion.paper_id))
            .order_by(KeyVersion.paper_id, KeyVersion.number.desc())
        )
        return dict((await self._session.execute(statement)).all())

    async def find(self, key_id: UUID) -> KeyVersion:
        """A version by the id that a result or `current_ids` has, so it exists."""
        return await self._session.get_one(KeyVersion, key_id)

    async def current(self, paper_id: UUID) -> KeyVersion:
        """The version that holds now."""
        statement = select(KeyVersion).where(KeyVersion.paper_id == paper_id)
        return (await self._session.scalars(statement.order_by(KeyVersion.number.desc()).limit(1))).one()

    async def add_next(
        self, paper_id: UUID, key: Mapping[str, Any], *, reason: str, created_by: UUID | None
    ) -> KeyVersion:
        """Add the next version of a paper's key.

        Waits for whoever grades by the current one. Whoever grades after this transaction uses the new one,
        so that what has to be regraded are the results that name another one when this transaction has ended.
        """
        await locks.lock_key_exclusively(self._session, paper_id)
        number = (await self.current(paper_id)).number + 1
        version = KeyVersion(
            paper_id=paper_id, number=number, key=dict(key), reason=reason, created_by=created_by
        )
        self._session.add(version)
        await self._session.flush()
        return version
