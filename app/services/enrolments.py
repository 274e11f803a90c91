"""Enrolments: who may take tests for enrolled candidates, until when, and in which batches.

docs/decisions/0062 has the rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Invalid, NotFound
from app.core.ids import uuid7
from app.repositories.users import Enrolment, Member
from app.services import audit
from app.services.audit import AuditSubject
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

MAX_BATCHES = 20
MAX_BATCH_NAME_LENGTH = 50


@dataclass(frozen=True, slots=True)
class EnrolmentOrder:
    """What an admin wants the enrolment of a user to be."""

    enrolled: bool
    valid_until: datetime | None = None
    batches: Sequence[str] = ()


async def enrol(
    uow: UnitOfWork, admin: Principal, user_id: UUID, order: EnrolmentOrder, now: datetime
) -> Member:
    """Replace the enrolment of a user. The same order again changes nothing and tells nobody.

    It decides about starts only: an attempt in progress goes on after the end of the enrolment.
    """
    if order.valid_until is not None and order.valid_until <= now:
        raise Invalid.field(
            "valid_until", "Send a time in the future, or `enrolled`: false to end the enrolment."
        )
    await uow.users.lock(user_id)  # A start of a test locks the user too: it comes first, or sees this.
    member = await _member(uow, user_id)
    wanted = ordered(member.enrolment, order, now)
    await change(uow, admin, user_id, member.enrolment, wanted, now)
    return await _member(uow, user_id)


def ordered(before: Enrolment, order: EnrolmentOrder, now: datetime) -> Enrolment:
    """The enrolment that an order asks for. One that is active keeps its beginning."""
    if not order.enrolled:
        return Enrolment()
    since = before.since if before.is_active(now) else now
    return Enrolment(since, order.valid_until, sorted(set(order.batches)))


async def change(
    uow: UnitOfWork,
    admin: Principal,
    user_id: UUID,
    before: Enrolment,
    after: Enrolment,
    now: datetime,
) -> bool:
    """Store another enrolment of a locked user, with its entry in the audit log. Returns whether it differs.

    The user is notified if access begins or ends, or its end date changes.
    """
    if not differ(before, after):
        return False
    await uow.users.set_enrolment(user_id, after)
    audit.record(
        uow,
        admin,
        "change_enrolment",
        AuditSubject("user", user_id),
        before=_recorded(before),
        after=_recorded(after),
    )
    was, is_active = before.is_active(now), after.is_active(now)
    if (was, before.until if was else None) != (is_active, after.until if is_active else None):
        uow.jobs.add("notify_enrolment_changed", user_id=str(user_id), change_id=str(uuid7()))
    return True


def differ(before: Enrolment, after: Enrolment) -> bool:
    """Whether two enrolments differ in beginning, end or batches. Batches may be a tuple or a list."""
    return (before.since, before.until, *before.batches) != (after.since, after.until, *after.batches)


def _recorded(enrolment: Enrolment) -> dict[str, object]:
    return {
        "enrolled": enrolment.since is not None,
        "valid_until": enrolment.until.isoformat() if enrolment.until else None,
        "batches": list(enrolment.batches),
    }


async def _member(uow: UnitOfWork, user_id: UUID) -> Member:
    member = await uow.users.member(user_id)
    if member is None or member.user.deleted_at is not None:
        raise NotFound("account")
    return member
