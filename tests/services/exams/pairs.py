"""What may happen to an exam and an attempt of it at the same moment, for the tests of pairs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.engine.steering import Exemption
from app.models import DEFAULT_INSTITUTE_ID, Attempt, Exam, ExamPaper
from app.services import attempts, exams, tests
from app.services.attempts import LateSave
from app.services.components import Components
from app.services.exams import ClosePaper, Grant, StaffAction, StartPaper, Steered, Target, Verb
from app.services.exams.registrations import register_person
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate, ref_of, response, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_uncommitted
from tests.two_connections import Outcome

HOUR = timedelta(hours=1)
EVERYBODY = frozenset(Exemption)
"""Attempts with extra time and paused ones end too."""


@dataclass(frozen=True)
class Content:
    """Two tests for the papers of many exams; of the first, a second version is published."""

    today: PublishedTest
    tomorrow: PublishedTest
    first_version: UUID
    second_version: UUID
    other: UUID


async def make_content(engine: AsyncEngine, now: datetime) -> Content:
    async with unit_of_work(engine) as uow:
        today, tomorrow = await publish_test(uow, duration_seconds=600), await publish_test(uow)
        first, other = await _version_of(uow, today), await _version_of(uow, tomorrow)
        await tests.publish(uow, operator(), today.id, now)
        return Content(today, tomorrow, first, await _version_of(uow, today), other)


async def _version_of(uow: UnitOfWork, made: PublishedTest) -> UUID:
    test = await uow.tests.draft(DEFAULT_INSTITUTE_ID, made.id)
    paper_id = await uow.tests.current_paper_id(test)
    assert paper_id is not None
    return paper_id


@dataclass
class Scene:
    """A published exam: one paper is open, another one begins tomorrow. One candidate, and one to be."""

    parts: Components
    content: Content
    now: datetime
    exam_id: UUID
    paper_id: UUID
    candidate: Principal
    newcomer: Principal
    attempt: Attempt | None = None

    async def enter(self, uow: UnitOfWork) -> str:
        """The candidate starts, or takes the attempt to another device."""
        request = StartPaper(self.exam_id, self.paper_id, None, self.now, self.now)
        started = await exams.start(uow, self.parts, self.candidate, request)
        self.attempt = started.started.attempt
        return "practice" if self.attempt.practice else "ok"

    async def save(self, uow: UnitOfWork, at: datetime | None = None) -> str:
        assert self.attempt is not None
        answer = response(self.content.today, 0, ["a"])
        target = target_of(self.attempt)
        outcome = await save_uncommitted(uow, self.parts, target, [answer], at or self.now)
        return "late" if isinstance(outcome, LateSave) else "ok"

    async def submit(self, uow: UnitOfWork) -> str:
        assert self.attempt is not None
        attempt = await exams.submit(uow, self.parts, ref_of(self.attempt), self.now)
        return "ok" if attempt.submitted_at == self.now and attempt.closed_by == "candidate" else "same"

    async def register(self, uow: UnitOfWork) -> str:
        await exams.register(uow, self.newcomer, self.exam_id, self.now)
        return "ok"

    async def publish(self, uow: UnitOfWork) -> str:
        """The exam is published again, and pins the second version if nobody has started."""
        published = await exams.publish(uow, operator(), self.exam_id, self.now)
        pinned = {paper.paper_id for paper in await uow.exams.papers(self.exam_id)}
        assert (published.unchanged is None) == (self.content.first_version not in pinned)
        return "ok" if published.unchanged is None else "same"

    async def close(self, uow: UnitOfWork) -> str:
        wanted = ClosePaper(self.exam_id, self.paper_id, include=EVERYBODY)
        await exams.close_paper(uow, self.parts, operator(), wanted, self.now)
        return "ok"

    async def cancel(self, uow: UnitOfWork) -> str:
        await exams.cancel(uow, operator(), self.exam_id, "flood", self.now)
        return "ok"

    async def postpone(self, uow: UnitOfWork) -> str:
        """Tomorrow's paper is moved."""
        await exams.postpone(uow, operator(), self.exam_id, 600, "rain", self.now)
        return "ok"

    async def release(self, uow: UnitOfWork) -> str:
        await exams.release(uow, self.parts, operator(), self.exam_id, self.now, "tomorrow's is cancelled")
        return "ok"

    async def accommodate(self, uow: UnitOfWork) -> str:
        grants = [Grant(Target(self.candidate.id), 600, "scribe")]
        await exams.accommodate(uow, self.parts, operator(), self.exam_id, grants, self.now)
        return "ok"

    async def grade(self, uow: UnitOfWork) -> str:
        assert self.attempt is not None
        return "ok" if await attempts.grade_batch(uow, self.parts, [self.attempt.id], self.now) else "same"

    def steer(self, verb: Verb) -> Callable[[UnitOfWork], Awaitable[str]]:
        """Staff do it to every attempt of the exam."""

        async def steer(uow: UnitOfWork) -> str:
            include = EVERYBODY if verb is Verb.SUBMIT else frozenset()
            action = StaffAction(verb, "incident", "all", 300, include=include)
            return _word(await exams.steer(uow, self.parts, operator(), self.exam_id, action, self.now))

        return steer

    def act(self, name: str) -> Callable[[UnitOfWork], Awaitable[str]]:
        """The action of this name in the table."""
        if name in VERBS:
            return self.steer(VERBS[name])
        action: Callable[[UnitOfWork], Awaitable[str]] = getattr(self, name)
        return action


def _word(steered: Steered) -> str:
    if steered.refused:
        return "refused"
    return "ok" if steered.changed else "same"


VERBS = {
    "extend": Verb.EXTEND,
    "pause": Verb.PAUSE,
    "resume": Verb.RESUME,
    "end": Verb.SUBMIT,
    "reopen": Verb.REOPEN,
    "void": Verb.VOID,
    "admit-late": Verb.ADMIT_LATE,
}

BEFORE: dict[str, list[str]] = {
    # What has happened before the first of a pair, by the first; by default there is an attempt.
    "enter": [],
    "register": [],
    "publish": [],
    "resume": ["enter", "pause"],
    "reopen": ["enter", "end"],
    "admit-late": ["enter", "sweep", "save_late"],
    "release": ["enter", "submit"],
    "grade": ["enter", "submit"],
}

WORDS = {
    "attempt_not_in_progress": "ended",
    "attempts_in_progress": "running",
    "attempts_exhausted": "exhausted",
    "entry_closed": "closed",
    "not_available": "cancelled",
    "not_possible": "over",
    "not_found": "none",
}


async def make_scene(engine: AsyncEngine, parts: Components, content: Content, first: str) -> Scene:
    """An exam in which `first` has something to do."""
    now = parts.clock.now()
    async with unit_of_work(engine) as uow:
        exam = Exam(
            id=uuid7(),
            institute_id=DEFAULT_INSTITUTE_ID,
            title={"en": "Mock"},
            opens_at=now,
            closes_at=now + 30 * HOUR,
            published_at=now,
        )
        uow.session.add(exam)
        await uow.session.flush()
        papers = [_paper(exam, "1", content.today, content.first_version, now)]
        papers.append(_paper(exam, "2", content.tomorrow, content.other, now + 24 * HOUR))
        uow.session.add_all(papers)
        await uow.session.flush()
        candidate, newcomer = await add_candidate(uow), await add_candidate(uow)
        await register_person(uow, exam, candidate.id)
    scene = Scene(parts, content, now, exam.id, papers[0].id, candidate, newcomer)
    for step in BEFORE.get(first, ["enter"]):
        await _prepare(engine, scene, step)
    return scene


def _paper(exam: Exam, code: str, made: PublishedTest, version: UUID, opens: datetime) -> ExamPaper:
    times = {"starts_at": opens, "entry_closes_at": opens + HOUR, "ends_at": opens + HOUR}
    return ExamPaper(
        id=uuid7(),
        exam_id=exam.id,
        test_id=made.id,
        paper_id=version,
        code=code,
        title={"en": code},
        **times,
    )


async def _prepare(engine: AsyncEngine, scene: Scene, step: str) -> None:
    async with unit_of_work(engine) as uow:
        if step == "sweep":
            statement = text(
                "update ias.attempts set status = 'submitted', closed_by = 'deadline', deadline_at = :past,"
                " submitted_at = :past where exam_paper_id = :paper_id"
            )
            past = scene.now - timedelta(minutes=1)
            await uow.session.execute(statement, {"past": past, "paper_id": scene.paper_id})
            return
        if step == "save_late":
            statement = text(
                "insert into ias.response_events (attempt_id, question_id, lease, revision, answer, late,"
                " received_at) values (:attempt_id, :question_id, 1, 1, '[\"a\"]', true, :at)"
            )
            assert scene.attempt is not None
            values: dict[str, Any] = {
                "attempt_id": scene.attempt.id,
                "question_id": scene.content.today.question_ids[0],
                "at": scene.now,
            }
            await uow.session.execute(statement, values)
            return
        await scene.act(step)(uow)


def outcome_of(outcome: Outcome) -> str:
    """A cell of the table: what the service has returned, or a word for its refusal."""
    return str(outcome.value) if outcome.error is None else WORDS.get(outcome.code, outcome.code)


async def inconsistencies(engine: AsyncEngine, scene: Scene) -> list[str]:
    """What does not fit together in the end; whatever the order was, nothing may be here."""
    found = []
    async with unit_of_work(engine) as uow:
        exam = await uow.session.get_one(Exam, scene.exam_id)
        paper = await uow.session.get_one(ExamPaper, scene.paper_id)
        statement = select(Attempt).where(Attempt.exam_paper_id == scene.paper_id)
        sat = [attempt for attempt in await uow.session.scalars(statement) if not attempt.practice]
        counted: dict[UUID, bool] = dict(
            iter(await uow.session.execute(COUNTED, {"paper_id": scene.paper_id}))
        )
        histogram = await uow.attempts.histogram(scene.paper_id)
    for attempt in sat:
        if attempt.paper_id != paper.paper_id:
            found.append("an attempt sits another version than the one that is pinned")
        if exam.cancelled_at is not None and attempt.status != "void":
            found.append(f"an attempt is {attempt.status} in a cancelled exam")
        if exam.released_at is not None and attempt.status in ("in_progress", "paused", "submitted"):
            found.append(f"an attempt is {attempt.status} in a released exam")
        if paper.closed_at is not None and attempt.started_at > paper.closed_at:
            found.append("an attempt began after its paper was closed")
        if attempt.id in counted and attempt.status in ("in_progress", "paused", "void"):
            found.append(f"an attempt that is {attempt.status} has a result")
    if sum(histogram.values()) != len(counted):
        found.append(f"the histogram has {histogram}, {len(counted)} results count")
    return found


COUNTED = text(
    "select attempt_id, counted from ias.results"
    " where counted and attempt_id in (select id from ias.attempts where exam_paper_id = :paper_id)"
)
