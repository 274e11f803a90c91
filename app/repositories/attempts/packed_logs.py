"""Packing the logs of closed attempts: the events of an attempt become one row (docs/decisions/0093)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, literal, or_, select, text

from app.core.ids import first_uuid7
from app.models import Attempt, AttemptStatus, Exam, ExamPaper
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank

CLOSED = (AttemptStatus.GRADED, AttemptStatus.VOID)

NEXT_LOGGED = text(
    """
    select distinct attempt_id from ias.response_events
    where attempt_id > :after and attempt_id < :before order by attempt_id limit :limit
    """
).bindparams(bindparam("after", type_=Uuid), bindparam("before", type_=Uuid))

# From the view, because an attempt that is packed may have got late events since.
PACK = text(
    """
    insert into ias.packed_logs (attempt_id, positions, leases, revisions, answers, marked_for_review,
      time_spent_ms, confidences, languages, late, received_at)
    select attempt_id, array_agg(position::smallint order by place), array_agg(lease order by place),
      array_agg(revision order by place), json_agg(answer order by place),
      array_agg(marked_for_review order by place), array_agg(time_spent_ms order by place),
      string_agg(coalesce(left(confidence, 1), '-'), '' order by place), array_agg(language order by place),
      array_agg(late order by place), array_agg(received_at order by place)
    from (
      select event.*, position,
        row_number() over (partition by attempt_id
          order by event.received_at, position, event.lease, event.revision) as place
      from (
        select distinct on (attempt_id, question_id, lease, revision) *
        from ias.logged_events where attempt_id = any(:attempts)
        order by attempt_id, question_id, lease, revision, late, received_at
      ) as event
      join ias.attempts on attempts.id = attempt_id
      join ias.paper_questions using (paper_id, question_id)
    ) as numbered
    group by attempt_id
    on conflict (attempt_id) do update set positions = excluded.positions, leases = excluded.leases,
      revisions = excluded.revisions, answers = excluded.answers,
      marked_for_review = excluded.marked_for_review, time_spent_ms = excluded.time_spent_ms,
      confidences = excluded.confidences, languages = excluded.languages, late = excluded.late,
      received_at = excluded.received_at
    """
).bindparams(bindparam("attempts", type_=ARRAY(Uuid)))

# How many of the events do not read back from the packed rows as they are. Only a late copy of an event that
# the packed row had before is left out: somebody has sent it again after a week.
DIFFERENT = text(
    """
    select count(*)
    from (select * from ias.response_events where attempt_id = any(:attempts)) as event
    left join (select * from ias.unpacked_events where attempt_id = any(:attempts)) as packed
      using (attempt_id, question_id, lease, revision)
    where coalesce(to_jsonb(packed) <> to_jsonb(event)
      and not (event.late and (not packed.late or packed.received_at < event.received_at)), true)
    """
).bindparams(bindparam("attempts", type_=ARRAY(Uuid)))

DELETE = text("delete from ias.response_events where attempt_id = any(:attempts)").bindparams(
    bindparam("attempts", type_=ARRAY(Uuid))
)

PARTITIONS = text(
    """
    select relname from pg_class join pg_inherits on inhrelid = pg_class.oid
    where inhparent = 'ias.response_events'::regclass and relname ~ '^response_events_[0-9]{4}_[0-9]{2}$'
    order by relname
    """
)

# Dropping needs the whole table for itself, and saves wait behind whoever waits for that: rather give up.
DROP_EMPTY = """
do $$ begin
  set local lock_timeout = '1s';
  lock table ias.response_events in access exclusive mode;
  if not exists (select from ias.{name}) then
    drop table ias.{name};
  end if;
exception when lock_not_available then null;
end $$
"""


class PackedLogDiffers(Exception):
    """What was packed does not read back as what was there. The transaction must be rolled back."""


class PackedLogRepository(Repository):
    """Events as rows of their own, and the packed rows that replace them."""

    async def next_logged(self, after: UUID, before: datetime, limit: int) -> Sequence[UUID]:
        """The next attempts with an id from before a time that have events as rows, by id."""
        values = {"after": after, "before": first_uuid7(before), "limit": limit}
        return (await self._session.scalars(NEXT_LOGGED, values)).all()

    async def lock_closed(self, attempt_ids: Collection[UUID]) -> Sequence[UUID]:
        """Lock those of the attempts that nobody can steer or grade any more; late saves wait."""
        statement = (
            select(Attempt.id)
            .outerjoin(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .outerjoin(Exam, Exam.id == ExamPaper.exam_id)
            .where(
                Attempt.id == any_(literal(list(attempt_ids), ARRAY(Uuid))),
                Attempt.status.in_(CLOSED),
                or_(Exam.id.is_(None), Exam.released_at.is_not(None), Exam.cancelled_at.is_not(None)),
            )
            .order_by(Attempt.id)
        )
        return (await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, statement, of=Attempt)).all()

    async def pack(self, attempt_ids: Sequence[UUID]) -> None:
        """Replace the events of locked attempts by packed rows. Raises PackedLogDiffers."""
        values = {"attempts": list(attempt_ids)}
        await self._session.execute(PACK, values)
        if await self._session.scalar(DIFFERENT, values):
            raise PackedLogDiffers
        await self._session.execute(DELETE, values)

    async def partitions(self) -> Sequence[str]:
        """The monthly partitions of the log, the oldest first."""
        return (await self._session.scalars(PARTITIONS)).all()

    async def drop_if_empty(self, partition: str) -> None:
        """Drop a partition without events, unless others keep the log busy for a second."""
        await self._session.execute(text(DROP_EMPTY.format(name=partition)))
