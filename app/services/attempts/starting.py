"""Starting an attempt, or taking the one in progress to another device."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.errors import AttemptsExhausted, NotAvailable, SessionRevoked
from app.core.ids import uuid7
from app.core.tokens import AttemptGrant
from app.engine import ordering, timing
from app.engine.question_types import question_type
from app.models import Attempt, AttemptStatus, ResponseEvent, Test
from app.services.attempts.closing import close, is_late
from app.services.components import Components
from app.services.questions.content import reading
from app.services.tests.catalog import viewer
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt as a device takes it up."""

    attempt: Attempt
    is_new: bool
    token: str
    paper: FrozenPaper
    question_order: Sequence[UUID]
    option_orders: Mapping[UUID, Sequence[str]]
    section_times: Sequence[timing.SectionWindow]
    responses: Sequence[ResponseEvent]


async def start(
    uow: UnitOfWork, parts: Components, candidate: Principal, test_id: UUID, device: str | None, now: datetime
) -> Started:
    """Start a new attempt, or resume the one in progress with a new lease.

    Asking again is harmless: a client whose answer was lost gets the same attempt. Raises NotFound,
    AttemptsExhausted, or NotAvailable where nothing is published.
    """
    # Held first and looked at then: a test that is being placed in an exam is not started any more.
    await uow.tests.hold(test_id)
    await hold_person(uow, candidate.id)
    attempt = await take_up(uow, parts, candidate.id, test_id, None, device, now)
    if attempt is not None:
        return await hand_over(uow, parts, attempt, is_new=False)
    attempt = await _begin(uow, parts, candidate, test_id, device, now)
    return await hand_over(uow, parts, attempt, is_new=True)


async def hold_person(uow: UnitOfWork, user_id: UUID) -> None:
    """Let nobody else begin or end attempts of a person. Raises SessionRevoked for who is banned by now."""
    if not await uow.users.lock(user_id):
        raise SessionRevoked


async def take_up(
    uow: UnitOfWork,
    parts: Components,
    user_id: UUID,
    test_id: UUID,
    exam_paper_id: UUID | None,
    device: str | None,
    now: datetime,
) -> Attempt | None:
    """The sitting in progress, with its next lease; None where there is none. The person must be locked."""
    attempt = await uow.attempts.running(user_id, test_id, exam_paper_id)
    if attempt is None:
        return None
    grace = timedelta(seconds=parts.settings.grace_seconds)
    if attempt.status == AttemptStatus.IN_PROGRESS and is_late(now, attempt, grace):
        await close(uow, attempt, "deadline", attempt.deadline_at)  # the sweeper would, in a moment
        return None
    await uow.attempts.next_lease(attempt, device)
    return attempt


async def _begin(
    uow: UnitOfWork, parts: Components, candidate: Principal, test_id: UUID, device: str | None, now: datetime
) -> Attempt:
    test = await uow.tests.accessible(viewer(candidate), test_id, now)
    paper_id = await uow.tests.current_paper_id(test)
    if paper_id is None or test.status != "published":
        raise NotAvailable("The test is not published.")
    paper = await parts.papers.get(uow, paper_id)
    earlier = await uow.attempts.earlier(candidate.id, test_id, None)
    valid = [attempt for attempt in earlier if attempt.status != AttemptStatus.VOID]
    if test.attempts_allowed is not None and len(valid) >= test.attempts_allowed and not candidate.is_staff:
        raise AttemptsExhausted(test.attempts_allowed)
    return await begin(
        uow,
        now,
        device,
        test_id=test_id,
        paper_id=paper_id,
        user_id=candidate.id,
        number=next_number(earlier),
        practice=_is_practice(candidate, test, valid) or await uow.tests.was_released(test_id),
        deadline_at=timing.deadline(now, paper.duration, None),
    )


async def begin(uow: UnitOfWork, now: datetime, device: str | None, **place: Any) -> Attempt:
    """A new sitting; `place` are the columns that say whose, of what and until when."""
    attempt = Attempt(
        id=uuid7(now),
        status=AttemptStatus.IN_PROGRESS,
        lease=1,
        device=device,
        seed=secrets.randbits(62),
        started_at=now,
        **place,
    )
    await uow.attempts.add(attempt)
    return attempt


def next_number(earlier: Sequence[Attempt]) -> int:
    """The number of a person's next sitting of the same thing."""
    return max((attempt.number for attempt in earlier), default=0) + 1


def _is_practice(candidate: Principal, test: Test, earlier: Sequence[Attempt]) -> bool:
    """Whether no statistic counts it: staff, practice tests, and every attempt after the first."""
    return candidate.is_staff or test.kind == "practice" or bool(earlier)


async def hand_over(uow: UnitOfWork, parts: Components, attempt: Attempt, *, is_new: bool) -> Started:
    """What a device needs to go on with an attempt."""
    paper = await parts.papers.get(uow, attempt.paper_id)
    return Started(
        attempt=attempt,
        is_new=is_new,
        token=parts.attempt_tokens.issue(_grant(attempt)),
        paper=paper,
        question_order=_question_order(attempt, paper),
        option_orders=_option_orders(attempt, paper),
        section_times=section_windows(attempt, paper),
        responses=[] if is_new else await uow.attempts.standing(attempt.id),
    )


def section_windows(attempt: Attempt, paper: FrozenPaper) -> list[timing.SectionWindow]:
    """When the timed sections of this attempt open and close."""
    extra = timedelta(seconds=attempt.accommodation_seconds)
    additions = additions_of(attempt)
    return timing.section_windows(attempt.started_at, paper.section_times, extra, additions)


def additions_of(attempt: Attempt) -> list[timing.Addition]:
    """The time that staff gave while the attempt ran."""
    return [
        timing.Addition(datetime.fromisoformat(each["at"]), timedelta(seconds=each["seconds"]))
        for each in attempt.additions
    ]


def _grant(attempt: Attempt) -> AttemptGrant:
    assert attempt.user_id is not None  # noqa: S101 -- sheets taken on paper are never started
    return AttemptGrant(
        user_id=attempt.user_id,
        attempt_id=attempt.id,
        test_id=attempt.test_id,
        exam_paper_id=attempt.exam_paper_id,
        paper_id=attempt.paper_id,
        lease=attempt.lease,
        deadline_at=attempt.deadline_at,
    )


def _question_order(attempt: Attempt, paper: FrozenPaper) -> list[UUID]:
    sections = [section.question_ids for section in paper.sections]
    if not paper.shuffle.get("questions"):
        return [question_id for section in sections for question_id in section]
    passages = {question.id: question.passage_id for question in paper.questions.values()}
    return ordering.question_order(
        attempt.seed, sections, {question: passage for question, passage in passages.items() if passage}
    )


def _option_orders(attempt: Attempt, paper: FrozenPaper) -> dict[UUID, Sequence[str]]:
    """The orders of the questions whose options are shuffled."""
    if not paper.shuffle.get("options"):
        return {}
    orders: dict[UUID, Sequence[str]] = {}
    for question in paper.questions.values():
        with reading(question.id):
            shuffled = question_type(question.type).shuffled(question.options)
        if shuffled:
            orders[question.id] = ordering.option_order(attempt.seed, question.id, shuffled)
    return orders
