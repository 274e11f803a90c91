"""The purge: deletes every row of a person, and gives what is kept of official attempts to a pseudonym."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text

from app.models import Attempt, Registration, User
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank

# Official attempts are kept, and so are attempts at a paper of an exam that began before its release: they
# say that the candidate was staff (docs/decisions/0054).
KEPT = text(
    """
    select attempts.id, not practice
      or exam_papers.id is not null and (released_at is null or started_at < released_at) as is_kept
    from ias.attempts
    left join ias.exam_papers on exam_papers.id = attempts.exam_paper_id
    left join ias.exams on exams.id = exam_papers.exam_id
    where user_id = :user_id
    """
)

DELETE_PRACTICE = (
    text("delete from ias.response_events where attempt_id = any(:attempts)"),
    text("delete from ias.attempts where id = any(:attempts)"),
)

ADD_PSEUDONYM = (
    text(
        "insert into ias.users (id, email, name, active, deleted_at)"
        " values (:pseudonym, '', :name, false, :now)"
    ),
    # Whether somebody was staff since a moment decides about results that are graded later.
    text(
        """
        insert into ias.memberships (id, institute_id, user_id, role, last_staff_at)
        select gen_random_uuid(), institute_id, :pseudonym, 'student',
          case when role = 'student' then last_staff_at else :now end
        from ias.memberships where user_id = :user_id
        """
    ),
    text("update ias.registrations set user_id = :pseudonym, name = :name where user_id = :user_id"),
    text("update ias.results set user_id = :pseudonym where attempt_id = any(:attempts)"),
    text("update ias.attempts set user_id = :pseudonym, device = null where id = any(:attempts)"),
    text("update ias.attempt_leases set device = null where attempt_id = any(:attempts)"),
)

# Rows without a foreign key to the user, or whose key does not delete them. All other tables cascade.
DELETE_REST = (
    text("delete from ias.accommodations where user_id = :user_id"),
    text("delete from ias.socket_tickets where user_id = :user_id"),
    text("delete from ias.revocations where user_id = :user_id"),
    text(
        """
        delete from ias.messages
        where user_id = :user_id or room = 'user:' || cast(:id as text) or strpos(data::text, :id) > 0
        """
    ),
    text("delete from ias.jobs where strpos(arguments::text, :id) > 0"),
    text("delete from ias.auth_mails where email = :email"),
    text("delete from ias.dead_addresses where address = :email"),
    text("delete from ias.users where id = :user_id"),
)


class PurgeRepository(Repository):
    """Deletes what is stored of a person. It takes the locks of user, registrations and attempts."""

    async def purge(self, user_id: UUID, pseudonym: UUID, name: str, now: datetime) -> bool:
        """Delete a person. Returns False if that is done already."""
        user = await self._locked(user_id)
        if user is None:
            return False
        kept = await self._lock_attempts(user_id)
        values = {"user_id": user_id, "id": str(user_id), "email": user.email, "now": now, "name": name}
        practice = [attempt_id for attempt_id, is_kept in kept.items() if not is_kept]
        for statement in DELETE_PRACTICE:
            await self._execute(statement, {"attempts": practice})
        official = [attempt_id for attempt_id, is_kept in kept.items() if is_kept]
        if official or await self._is_registered(user_id):
            for statement in ADD_PSEUDONYM:
                await self._execute(statement, {**values, "attempts": official, "pseudonym": pseudonym})
        for statement in DELETE_REST:
            await self._execute(statement, values)
        return True

    async def _locked(self, user_id: UUID) -> User | None:
        statement = select(User).where(User.id == user_id, User.deleted_at.is_not(None))
        user = (await self._lock(Rank.USER, Mode.EXCLUSIVE, statement)).one_or_none()
        places = select(Registration.id).where(Registration.user_id == user_id).order_by(Registration.id)
        await self._lock(Rank.REGISTRATION, Mode.EXCLUSIVE, places)
        return user

    async def _lock_attempts(self, user_id: UUID) -> Mapping[UUID, bool]:
        """Lock the person's attempts. Returns which of them are kept, as they are after the lock."""
        statement = select(Attempt.id).where(Attempt.user_id == user_id).order_by(Attempt.id)
        await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, statement)
        return dict((await self._session.execute(KEPT, {"user_id": user_id})).all())

    async def _is_registered(self, user_id: UUID) -> bool:
        statement = select(Registration.id).where(Registration.user_id == user_id)
        return bool(await self._session.scalar(select(statement.exists())))

    async def _execute(self, statement: Any, values: Mapping[str, Any]) -> None:
        """Run a statement with those of the values that it names."""
        named = {name: values[name] for name in statement.compile().params}
        if "attempts" in named:
            statement = statement.bindparams(bindparam("attempts", type_=ARRAY(Uuid)))
        await self._session.execute(statement, named)
