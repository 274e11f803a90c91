"""When a person was active: the times of their attempts and of the last answers saved in them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, func, literal, select, true, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from app.models import Attempt, AttemptStatus, LoggedEvent, Test
from app.repositories.attempts import RUNNING
from app.repositories.base import Repository
from app.repositories.embargo import withholds_attempt
from app.repositories.tests import Viewer


@dataclass(frozen=True, slots=True)
class ActiveAttempt:
    """When an attempt was started and ended, and whether its candidate ended it."""

    id: UUID
    started_at: datetime
    ended_at: datetime | None
    closed_by: str | None


# Kept, because to build a statement and the key of SQLAlchemy's cache takes longer than PostgreSQL's part.
_ACTIVE = (
    select(Attempt.id, Attempt.started_at, Attempt.submitted_at, Attempt.closed_by)
    .join(Test, Test.id == Attempt.test_id)
    .where(
        Attempt.user_id == bindparam("user_id", type_=Uuid),
        Test.institute_id == bindparam("institute_id", type_=Uuid),
        Attempt.status != AttemptStatus.VOID,
    )
)


class ActivityRepository(Repository):
    """The activity of one person."""

    async def attempts(self, viewer: Viewer) -> Sequence[ActiveAttempt]:
        """All attempts that are not void, also running ones and those whose results are withheld."""
        own = {"user_id": viewer.user_id, "institute_id": viewer.institute_id}
        return [ActiveAttempt(*row) for row in await self._session.execute(_ACTIVE, own)]

    async def running(self, viewer: Viewer, limit: int) -> Sequence[Attempt]:
        """The latest running attempts, newest first."""
        statement = _own(viewer).where(Attempt.status.in_(RUNNING))
        return (await self._session.scalars(statement.order_by(Attempt.id.desc()).limit(limit))).all()

    async def latest_graded(self, viewer: Viewer, limit: int) -> Sequence[Attempt]:
        """The latest graded attempts whose results are not withheld, newest first.

        OFFSET 0 keeps PostgreSQL from checking the embargo for all attempts before it has ordered them.
        """
        graded = _own(viewer).where(Attempt.status == AttemptStatus.GRADED)
        shown = aliased(Attempt, graded.order_by(Attempt.id.desc()).offset(0).subquery())
        statement = select(shown).where(~withholds_attempt(viewer.reader, shown))
        return (await self._session.scalars(statement.order_by(shown.id.desc()).limit(limit))).all()

    async def last_saves(self, attempt_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
        """When the last answer of each of these attempts was received, whether in time or late."""
        asked = func.unnest(literal(list(attempt_ids), ARRAY(Uuid))).table_valued("id").render_derived()
        attempt_id = type_coerce(asked.c.id, Uuid)
        last = (
            select(func.max(LoggedEvent.received_at).label("at"))
            .where(LoggedEvent.attempt_id == attempt_id)
            .lateral("last")
        )
        statement = select(attempt_id, last.c.at).select_from(asked).join(last, true())
        return {each: at for each, at in await self._session.execute(statement) if at is not None}


def _own(viewer: Viewer) -> Select[Attempt]:
    own = Attempt.user_id == viewer.user_id, Test.institute_id == viewer.institute_id
    return select(Attempt).join(Test, Test.id == Attempt.test_id).where(*own)
