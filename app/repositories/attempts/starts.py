"""Starts and resumed starts of many candidates at one test or exam paper, with one statement of each kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    select,
    text,
)
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.types import TypeEngine

from app.core.attempt_scope import AttemptScope
from app.models import DEFAULT_INSTITUTE_ID, Attempt, User
from app.repositories import locks
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank
from app.repositories.users import Enrolment

# The lateral join reads each person's attempts by an index. Without it the planner may read all attempts
# in the first minute of an exam, when the table is not analyzed.
STARTERS = text(
    """
    select users.id, users.active, users.email, users.email_since, memberships.role,
      memberships.enrolled_at, memberships.enrolled_until, memberships.batches,
      attempts.last, attempts.valid, attempts.running_id
    from ias.users
    join ias.memberships on memberships.user_id = users.id and memberships.institute_id = :institute_id
    cross join lateral (
      select coalesce(max(number), 0) as last, count(*) filter (where status <> 'void') as valid,
        (array_agg(id) filter (where status in ('in_progress', 'paused')))[1] as running_id
      from ias.attempts
      where attempts.user_id = users.id and test_id = :test_id
        and exam_paper_id is not distinct from :exam_paper_id
    ) as attempts
    where users.id = any(:user_ids)
    """
).bindparams(
    bindparam("user_ids", type_=ARRAY(Uuid)),
    bindparam("institute_id", type_=Uuid),
    bindparam("test_id", type_=Uuid),
    bindparam("exam_paper_id", type_=Uuid),
)

_COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "id": Uuid(),
    "test_id": Uuid(),
    "exam_paper_id": Uuid(),
    "paper_id": Uuid(),
    "registration_id": Uuid(),
    "user_id": Uuid(),
    "number": Integer(),
    "practice": Boolean(),
    "lease": Integer(),
    "device": Text(),
    "seed": BigInteger(),
    "started_at": DateTime(timezone=True),
    "deadline_at": DateTime(timezone=True),
    "accommodation_seconds": Integer(),
}

INSERT = text(
    f"""
    with started as (
      insert into ias.attempts ({", ".join(_COLUMNS)})
      select * from unnest({", ".join(f":{name}" for name in _COLUMNS)})
      returning id, lease, device, started_at
    )
    insert into ias.attempt_leases (attempt_id, lease, device, given_at) select * from started
    """  # noqa: S608 -- the names of columns
).bindparams(*(bindparam(name, type_=ARRAY(type_)) for name, type_ in _COLUMNS.items()))

NEXT_LEASES = text(
    """
    with resumed as (
      update ias.attempts set lease = lease + 1, device = asked.device, updated_at = now()
      from unnest(:ids, :devices) as asked(id, device)
      where attempts.id = asked.id
      returning attempts.id, attempts.lease, attempts.device
    )
    insert into ias.attempt_leases (attempt_id, lease, device, given_at)
    select id, lease, device, :now from resumed
    """
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("devices", type_=ARRAY(Text)),
    bindparam("now", type_=DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Starter:
    """A person who starts, locked, and what decides whether and how they may."""

    user_id: UUID
    active: bool
    email: str
    email_since: datetime | None
    role: str
    enrolment: Enrolment
    last_number: int
    """The number of their last attempt in the scope, or 0."""
    valid_attempts: int
    """Their attempts that are not void."""
    running_id: UUID | None
    """The one that is in progress or paused. It is not locked."""


class StartRepository(Repository):
    """Starts of many people in one transaction."""

    async def lock(self, user_ids: Sequence[UUID], scope: AttemptScope) -> Mapping[UUID, Starter]:
        """Lock the people whom nobody else has locked, and read what their start depends on.

        The second statement sees what was committed before the locks were taken.
        """
        statement = select(User.id).where(User.id == any_(bindparam("user_ids", type_=ARRAY(Uuid))))
        locked = await locks.lock_free(
            self._session, Rank.USER, Mode.CHANGE, statement.order_by(User.id), {"user_ids": list(user_ids)}
        )
        values = {
            "user_ids": locked,
            "institute_id": DEFAULT_INSTITUTE_ID,
            "test_id": scope.test_id,
            "exam_paper_id": scope.exam_paper_id,
        }
        return {
            row.id: Starter(
                user_id=row.id,
                active=row.active,
                email=row.email,
                email_since=row.email_since,
                role=row.role,
                enrolment=Enrolment(row.enrolled_at, row.enrolled_until, row.batches),
                last_number=row.last,
                valid_attempts=row.valid,
                running_id=row.running_id,
            )
            for row in await self._session.execute(STARTERS, values)
        }

    async def add(self, attempts: Sequence[Attempt]) -> None:
        """Insert new attempts that are in progress, with the leases of the devices that start them."""
        if attempts:
            values = {name: [getattr(attempt, name) for attempt in attempts] for name in _COLUMNS}
            await self._session.execute(INSERT, values)

    async def next_leases(self, given: Sequence[tuple[Attempt, str | None]], now: datetime) -> None:
        """Give the next lease of each of these attempts, which are locked, to a device."""
        if not given:
            return
        values = {"ids": [attempt.id for attempt, _ in given], "devices": [device for _, device in given]}
        await self._session.execute(NEXT_LEASES, {**values, "now": now})
        for attempt, device in given:
            set_committed_value(attempt, "lease", attempt.lease + 1)
            set_committed_value(attempt, "device", device)
