"""Starting an attempt, or resuming the one in progress on the same or another device."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.errors import AttemptsExhausted, NotAvailable, NotFound, SessionRevoked
from app.core.ids import uuid7
from app.core.tokens import AttemptGrant
from app.engine import timing
from app.models import Attempt, AttemptStatus, ResponseEvent, Test
from app.repositories.tests import Viewer
from app.services.attempts.closing import close, is_late
from app.services.attempts.views import option_orders, question_order, section_windows
from app.services.components import Components
from app.services.tests.catalog import viewer
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class StartedAttempt:
    """An attempt in progress, with all that a device needs to take it."""

    attempt: Attempt
    is_new: bool
    token: str
    paper: FrozenPaper
    question_order: Sequence[UUID]
    option_orders: Mapping[UUID, Sequence[str]]
    section_times: Sequence[timing.SectionWindow]
    responses: Sequence[ResponseEvent]


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """What is known of an attempt before it is created."""

    user_id: UUID
    scope: AttemptScope
    paper_id: UUID
    """The paper version."""
    number: int
    practice: bool
    deadline_at: datetime
    registration_id: UUID | None = None
    accommodation_seconds: int = 0


async def start(
    uow: UnitOfWork, parts: Components, candidate: Principal, test_id: UUID, device: str | None, now: datetime
) -> StartedAttempt:
    """Start a new attempt, or resume the one in progress with a new lease.

    A client that did not receive the answer may ask again and gets the same attempt. Raises NotFound,
    AttemptsExhausted, or NotAvailable if the test is not published.
    """
    # The lock comes before the check: a test that is being placed in an exam cannot be started any more.
    await uow.tests.lock_shared(test_id)
    await lock_candidate(uow, candidate.id)
    attempt = await resume(uow, parts, candidate.id, AttemptScope(test_id), device, now)
    is_new = attempt is None
    if attempt is None:
        attempt = await _create_at_test(uow, parts, candidate, test_id, device, now)
    return await started_attempt(uow, parts, attempt, is_new=is_new)


async def lock_candidate(uow: UnitOfWork, user_id: UUID) -> None:
    """Let no other transaction start an attempt of this person. Raises SessionRevoked for a banned person."""
    if not await uow.users.lock(user_id):
        raise SessionRevoked


async def resume(
    uow: UnitOfWork,
    parts: Components,
    user_id: UUID,
    scope: AttemptScope,
    device: str | None,
    now: datetime,
) -> Attempt | None:
    """Give the next lease of the attempt that is running; None if none is. The candidate must be locked."""
    attempt = await uow.attempts.running(user_id, scope)
    if attempt is None:
        return None
    grace = timedelta(seconds=parts.settings.grace_seconds)
    if attempt.status == AttemptStatus.IN_PROGRESS and is_late(now, attempt, grace):
        await close(uow, attempt, "deadline", attempt.deadline_at)  # The worker has not closed it yet.
        return None
    await uow.starts.next_leases([(attempt, device)], now)
    return attempt


async def _create_at_test(
    uow: UnitOfWork, parts: Components, candidate: Principal, test_id: UUID, device: str | None, now: datetime
) -> Attempt:
    offer = await offered(uow, parts, viewer(candidate), test_id, now)
    if offer.test.access == "enrolled" and not candidate.is_staff:
        await _check_enrolment(uow, candidate.id, now)
    attempts = await uow.attempts.earlier(candidate.id, AttemptScope(test_id))
    valid = sum(attempt.status != AttemptStatus.VOID for attempt in attempts)
    earlier = EarlierAttempts(next_number(attempts), valid)
    new = offer.new_attempt(candidate.id, earlier, is_staff=candidate.is_staff, now=now)
    return await create(uow, new, device, now)


@dataclass(frozen=True, slots=True)
class EarlierAttempts:
    """What the attempts of a person say about the next one."""

    next_number: int
    valid: int
    """How many are not void."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A test that is offered now, with the paper version that new attempts get."""

    test: Test
    paper: FrozenPaper
    was_released: bool
    """Whether it was a paper of an exam whose results are released."""

    def new_attempt(
        self, user_id: UUID, earlier: EarlierAttempts, *, is_staff: bool, now: datetime
    ) -> NewAttempt:
        """The next attempt of a person. Raises AttemptsExhausted.

        It is practice, and not in statistics, for staff, at practice tests, and if it is not the first.
        """
        allowed = self.test.attempts_allowed
        if allowed is not None and earlier.valid >= allowed and not is_staff:
            raise AttemptsExhausted(allowed)
        return NewAttempt(
            user_id=user_id,
            scope=AttemptScope(self.test.id),
            paper_id=self.paper.id,
            number=earlier.next_number,
            practice=is_staff or self.test.kind == "practice" or earlier.valid > 0 or self.was_released,
            deadline_at=timing.deadline(now, self.paper.duration, None),
        )


async def offered(uow: UnitOfWork, parts: Components, of: Viewer, test_id: UUID, now: datetime) -> Offer:
    """The test, if the viewer may start it. Raises NotFound, or NotAvailable if it is not published."""
    test, paper_id, was_released = await uow.tests.to_start(of, test_id, now)
    if paper_id is None or test.status != "published":
        raise NotAvailable("The test is not published.")
    return Offer(test, await parts.papers.get(uow, paper_id), was_released)


async def _check_enrolment(uow: UnitOfWork, user_id: UUID, now: datetime) -> None:
    """Raises NotFound if the enrolment has ended since the request was authenticated.

    The user is locked, and so does whoever ends the enrolment: the start is first, or it is refused.
    """
    if not (await uow.users.enrolment(user_id)).is_active(now):
        raise NotFound("test")


async def require_access(
    uow: UnitOfWork, candidate: Principal, test_id: UUID, paper_id: UUID, now: datetime
) -> None:
    """Raise NotFound unless the candidate may start the test now, at this version of its paper.

    The test and the candidate must be locked.
    """
    test = await uow.tests.accessible(viewer(candidate), test_id, now)
    if candidate.is_staff:
        return
    if test.access == "enrolled":
        await _check_enrolment(uow, candidate.id, now)
    if await uow.embargo.withholds_paper(viewer(candidate).reader, paper_id):
        raise NotFound("test")  # The test may be visible because its current version has other questions.


async def create(uow: UnitOfWork, new: NewAttempt, device: str | None, now: datetime) -> Attempt:
    """Create an attempt that starts now, with its first lease for this device."""
    attempt = attempt_row(new, device, now)
    await uow.attempts.add(attempt)
    return attempt


def attempt_row(new: NewAttempt, device: str | None, now: datetime) -> Attempt:
    """The row of an attempt that starts now."""
    return Attempt(
        id=uuid7(now),
        user_id=new.user_id,
        test_id=new.scope.test_id,
        exam_paper_id=new.scope.exam_paper_id,
        paper_id=new.paper_id,
        registration_id=new.registration_id,
        number=new.number,
        practice=new.practice,
        status=AttemptStatus.IN_PROGRESS,
        lease=1,
        device=device,
        seed=secrets.randbits(62),
        started_at=now,
        deadline_at=new.deadline_at,
        accommodation_seconds=new.accommodation_seconds,
        additions=[],
    )


def next_number(earlier: Sequence[Attempt]) -> int:
    """The number of a person's next attempt in the same scope."""
    return max((attempt.number for attempt in earlier), default=0) + 1


async def started_attempt(
    uow: UnitOfWork, parts: Components, attempt: Attempt, *, is_new: bool
) -> StartedAttempt:
    """An attempt with its token, its orders and the answers that stand."""
    paper = await parts.papers.get(uow, attempt.paper_id)
    if is_new:
        return newly_started(parts, attempt, paper)
    return resumed(parts, attempt, paper, await uow.attempts.standing(attempt.id))


def resumed(
    parts: Components, attempt: Attempt, paper: FrozenPaper, responses: Sequence[ResponseEvent]
) -> StartedAttempt:
    """A resumed attempt with its token, its orders and the answers that stand. Raises QuestionUnreadable."""
    return replace(newly_started(parts, attempt, paper), is_new=False, responses=responses)


def newly_started(parts: Components, attempt: Attempt, paper: FrozenPaper) -> StartedAttempt:
    """A new attempt with its token and its orders. Raises QuestionUnreadable, if options are shuffled."""
    return StartedAttempt(
        attempt=attempt,
        is_new=True,
        token=parts.attempt_tokens.issue(_grant(attempt)),
        paper=paper,
        question_order=question_order(attempt, paper),
        option_orders=option_orders(attempt, paper),
        section_times=section_windows(attempt, paper),
        responses=[],
    )


def _grant(attempt: Attempt) -> AttemptGrant:
    assert attempt.user_id is not None  # noqa: S101 -- an attempt without an account is never started
    return AttemptGrant(
        attempt=AttemptRef(attempt.id, attempt.user_id, AttemptScope(attempt.test_id, attempt.exam_paper_id)),
        paper_id=attempt.paper_id,
        lease=attempt.lease,
        deadline_at=attempt.deadline_at,
    )
