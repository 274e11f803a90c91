"""Answers that are kept for requests with an idempotency key."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.core.idempotency import Answer, KeyedRequest
from app.models import KeptAnswer
from app.repositories import locks
from app.repositories.base import Repository

PRIMARY_KEY = ("institute_id", "user_id", "key")


class KeptAnswerRepository(Repository):
    """Kept answers. `lock` comes first in a transaction."""

    async def lock(self, request: KeyedRequest) -> None:
        """Wait for a transaction that carries out a request with the same key."""
        await locks.lock_idempotency_key(self._session, request.user_id, request.key)

    async def find(self, request: KeyedRequest, since: datetime) -> KeptAnswer | None:
        """The answer to an earlier request of the person with this key. Read it after `lock`."""
        statement = select(KeptAnswer).where(
            KeptAnswer.institute_id == request.institute_id,
            KeptAnswer.user_id == request.user_id,
            KeptAnswer.key == request.key,
            KeptAnswer.created_at > since,
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def keep(self, request: KeyedRequest, answer: Answer, content: bytes | None, now: datetime) -> None:
        """Keep an answer. It replaces one that is older than a day and not deleted yet."""
        values = {
            "fingerprint": request.fingerprint,
            "status": answer.status,
            "media_type": answer.media_type,
            "content": content,
            "created_at": now,
        }
        who = {name: getattr(request, name) for name in PRIMARY_KEY}
        statement = insert(KeptAnswer).values(who | values)
        await self._session.execute(statement.on_conflict_do_update(index_elements=PRIMARY_KEY, set_=values))

    async def delete_before(self, moment: datetime) -> None:
        """Delete the answers to requests before a moment."""
        await self._session.execute(delete(KeptAnswer).where(KeptAnswer.created_at < moment))
