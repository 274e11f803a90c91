"""The state of an attempt as its candidate sees it: time, orders and standing answers. Nothing is changed."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.core.attempt_scope import AttemptRef
from app.core.errors import QuestionUnreadable
from app.core.outages import is_outage
from app.engine import ordering, timing
from app.engine.question_types import question_type
from app.models import Attempt, ResponseEvent
from app.services.components import Components
from app.services.questions.content import reading_question
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading, looking, reading
from app.services.users import Account, has_newer_address

log = structlog.get_logger(__name__)

VIEWS_IN_A_ROW = 20
"""Building more views in a row would hold the event loop for too long."""


@dataclass(frozen=True, slots=True)
class AttemptView:
    """An attempt with its paper, orders, section times and standing answers."""

    attempt: Attempt
    paper: FrozenPaper
    question_order: Sequence[UUID]
    option_orders: Mapping[UUID, Sequence[str]]
    section_times: Sequence[timing.SectionWindow]
    responses: Sequence[ResponseEvent]

    @property
    def answered(self) -> int:
        """The number of questions with a standing answer."""
        return sum(event.answer is not None for event in self.responses)

    @property
    def marked_for_review(self) -> int:
        """The number of questions that are marked for review."""
        return sum(event.marked_for_review for event in self.responses)


async def view(reads: Reading, parts: Components, attempt: Attempt) -> AttemptView:
    """The state of an attempt that the caller may see. It takes no lease, so that other devices go on."""
    paper = await parts.papers.get(reads, attempt.paper_id)
    return _view(attempt, paper, await reads.attempts.standing(attempt.id))


async def view_together(parts: Components, attempt: AttemptRef) -> AttemptView | None:
    """The state of the attempt of an attempt token, read together with those of others.

    None if it needs the documented route: there is no such attempt, its candidate is banned, or its paper or
    one of its questions cannot be read.
    """
    return await parts.lookup_batches.outcome(view_together, attempt, partial(_views, parts))


async def _views(parts: Components, refs: Sequence[AttemptRef]) -> Sequence[AttemptView | None]:
    async with reading(parts.batch_engine) as reads:
        active = await reads.users.active_among([ref.user_id for ref in refs])
        attempts = await reads.attempts.find_all([ref.id for ref in refs if ref.user_id in active])
        shown = [ref for ref in refs if ref.id in attempts and refers_to(ref, attempts[ref.id])]
        responses = await reads.attempts.standing_of([ref.id for ref in shown])
        papers = await _readable_papers(reads, parts, {attempts[ref.id].paper_id for ref in shown})
    views: dict[AttemptRef, AttemptView] = {}
    for place, ref in enumerate(shown, 1):
        attempt = attempts[ref.id]
        if (paper := papers.get(attempt.paper_id)) is not None:
            with suppress(QuestionUnreadable):
                views[ref] = _view(attempt, paper, responses.get(ref.id, []))
        if place % VIEWS_IN_A_ROW == 0:
            await asyncio.sleep(0)
    return [views.get(ref) for ref in refs]


async def _readable_papers(
    reads: Reading, parts: Components, ids: Collection[UUID]
) -> Mapping[UUID, FrozenPaper]:
    """The papers by their ids. One with damaged content is left out, so that it does not harm the others."""
    papers: dict[UUID, FrozenPaper] = {}
    for paper_id in ids:
        try:
            papers[paper_id] = await parts.papers.get(reads, paper_id)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) or is_outage(error):
                raise  # A statement has failed, and none may follow in this transaction.
            log.warning("paper_not_read", paper_id=str(paper_id), exc_info=True)
    return papers


def refers_to(ref: AttemptRef, attempt: Attempt) -> bool:
    """Whether a reference with the id of this attempt is of its user and scope too."""
    where = attempt.user_id, attempt.test_id, attempt.exam_paper_id
    return where == (ref.user_id, ref.scope.test_id, ref.scope.exam_paper_id)


def _view(attempt: Attempt, paper: FrozenPaper, responses: Sequence[ResponseEvent]) -> AttemptView:
    return AttemptView(
        attempt=attempt,
        paper=paper,
        question_order=question_order(attempt, paper),
        option_orders=option_orders(attempt, paper),
        section_times=section_windows(attempt, paper),
        responses=responses,
    )


async def paper_together(parts: Components, account: Account, test_id: UUID) -> UUID | None:
    """The paper version of a candidate's attempt at a test, looked up together with those of others.

    None if it needs the documented route: the person has none, is staff or banned, or has a newer address.
    """
    work = partial(_papers, parts, test_id)
    return await parts.lookup_batches.outcome((paper_together, test_id), account, work)


async def _papers(parts: Components, test_id: UUID, accounts: Sequence[Account]) -> Sequence[UUID | None]:
    ids = {account.id for account in accounts}
    async with looking(parts.batch_engine) as reads:
        papers = await reads.attempt_reviews.papers_at_test(ids, test_id)
    return [
        None
        if (paper := papers.get(account.id)) is None
        or has_newer_address(paper.email, paper.email_since, account)
        else paper.paper_id
        for account in accounts
    ]


def section_windows(attempt: Attempt, paper: FrozenPaper) -> list[timing.SectionWindow]:
    """When each timed section of this attempt opens and closes."""
    extra = timedelta(seconds=attempt.accommodation_seconds)
    additions = additions_of(attempt)
    return timing.section_windows(attempt.started_at, paper.section_times, extra, additions)


def additions_of(attempt: Attempt) -> list[timing.Addition]:
    """The time that staff added while the attempt was in progress."""
    return [
        timing.Addition(datetime.fromisoformat(each["at"]), timedelta(seconds=each["seconds"]))
        for each in attempt.additions
    ]


def question_order(attempt: Attempt, paper: FrozenPaper) -> list[UUID]:
    """The order in which this attempt shows the questions."""
    sections = [section.question_ids for section in paper.sections]
    if not paper.shuffle.get("questions"):
        return [question_id for section in sections for question_id in section]
    passages = {question.id: question.passage_id for question in paper.questions.values()}
    return ordering.question_order(
        attempt.seed, sections, {question: passage for question, passage in passages.items() if passage}
    )


def option_orders(attempt: Attempt, paper: FrozenPaper) -> dict[UUID, Sequence[str]]:
    """The orders of the questions whose options are shuffled. Raises QuestionUnreadable."""
    if not paper.shuffle.get("options"):
        return {}
    orders: dict[UUID, Sequence[str]] = {}
    for question in paper.questions.values():
        last = [question.not_attempted] if question.not_attempted is not None else []
        with reading_question(question.id):
            kind = question_type(question.type)
        shuffled = kind.shuffled([option for option in question.options if option not in last])
        if shuffled:
            order = ordering.option_order(attempt.seed, question.id, shuffled, question.kept)
            orders[question.id] = order + last
    return orders
