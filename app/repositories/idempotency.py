"""Answers that are kept for requests with an idempotency key."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.core.idempotency import KeyedRequest, StoredResponse
from app.models import KeptResponse
from app.repositories import locks
from app.repositories.base import Repository

PRIMARY_KEY = ("institute_id", "user_id", "key")


class KeptResponseRepository(Repository):
    """Kept answers. `lock` comes first in a transaction."""

    async def lock(self, request: KeyedRequest) -> None:
        """Wait for a transaction that carries out a request with the same key."""
        await locks.lock_idempotency_key(self._session, request.user_id, request.key)

    async def find(self, request: KeyedRequest, since: datetime) -> KeptResponse | None:
        """The answer to an earlier request of the person with this key. Read it after `lock`."""
        statement = select(KeptResponse).where(
            KeptResponse.institute_id == request.institute_id,
            KeptResponse.user_id == request.user_id,
            KeptResponse.key == request.key,
            KeptResponse.created_at > since,
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def keep(
        self, request: KeyedRequest, response: StoredResponse, content: bytes | None, now: datetime
    ) -> None:
        """Keep an answer. It replaces one that is older than a day and not deleted yet."""
        values = {
            "fingerprint": request.fingerprint,
            "status": response.status,
            "media_type": response.media_type,
            "content": content,
            "created_at": now,
        }
        who = {name: getattr(request, name) for name in PRIMARY_KEY}
        statement = insert(KeptResponse).values(who | values)
        await self._session.execute(statement.on_conflict_do_update(index_elements=PRIMARY_KEY, set_=values))

    async def delete_before(self, moment: datetime) -> None:
        """Delete the answers to requests before a moment."""
        await self._session.execute(delete(KeptResponse).where(KeptResponse.created_at < moment))
