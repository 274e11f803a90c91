"""Builders of exams, and of what candidates do in them.

Exams and registrations are rows, except those of `compose_exam`; all else is done by requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID, Exam, ExamPaper, Registration
from app.services.unit_of_work import UnitOfWork
from tests.builders.content import PublishedTest
from tests.builders.exam_rows import write_exam, write_registration

Json = dict[str, Any]
PAPER_TITLE = {"en": "General Studies I", "hi": "सामान्य अध्ययन I"}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def add_exam(
    uow: UnitOfWork,
    test_id: UUID,
    starts_at: datetime,
    *,
    entry: timedelta = DAY / 2,
    window: timedelta = DAY,
    candidates: Sequence[UUID] = (),
    **changes: Any,
) -> ExamPaper:
    """An exam of one paper, as rows: a draft by default; `changes` replace columns of the exam."""
    columns: Json = {
        "institute_id": DEFAULT_INSTITUTE_ID,
        "title": {"en": "All-India mock"},
        "opens_at": starts_at,
        "closes_at": starts_at + DAY,
    }
    exam = Exam(id=uuid7(), **(columns | changes))
    uow.session.add(exam)
    await uow.session.flush()
    paper = ExamPaper(
        id=uuid7(),
        exam_id=exam.id,
        test_id=test_id,
        code="GS1",
        title=PAPER_TITLE,
        starts_at=starts_at,
        entry_closes_at=starts_at + entry,
        ends_at=starts_at + window,
    )
    uow.session.add(paper)
    for number, user_id in enumerate(candidates, 1):
        uow.session.add(registration(exam.id, user_id, roll_number=f"{number:06}"))
    await uow.session.flush()
    return paper


def registration(exam_id: UUID, user_id: UUID | None, **changes: Any) -> Registration:
    """A candidate's place in an exam; None leaves it to be claimed."""
    columns: Json = {"roll_number": uuid4().hex[:8], "name": "Asha Rao", "category": "general"}
    return Registration(id=uuid7(), exam_id=exam_id, user_id=user_id, **(columns | changes))


def body_of(answer: httpx.Response, *statuses: int) -> Json:
    """The body of an answer, which must have one of these statuses (200 or 201 if none is named)."""
    assert answer.status_code in (statuses or (200, 201)), answer.text
    return dict(answer.json())


@dataclass(frozen=True)
class HeldExam:
    """An exam with its papers, and the client of its staff."""

    staff: httpx.AsyncClient
    exam: Json
    papers: Sequence[Json]
    made: Sequence[PublishedTest] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/exams/{self.exam['id']}"

    def paper_path(self, number: int = 0) -> str:
        return f"{self.path}/papers/{self.papers[number]['id']}"

    async def order(self, verb: str, attempt: Json, **body: Any) -> httpx.Response:
        """Change one attempt as staff."""
        return await self.staff.post(f"{self.path}/attempts/{attempt['id']}/{verb}", json=body)

    async def attempt(self, attempt: Json) -> Json:
        """An attempt as the list of the exam's attempts shows it."""
        listed = body_of(await self.staff.get(f"{self.path}/attempts", params={"limit": 100}))
        return next(row for row in listed["items"] if row["id"] == attempt["id"])

    async def release(self) -> Json:
        """Release the results, while papers may still be open."""
        body = {"early": True, "reason": "a test does not wait"}
        return body_of(await self.staff.post(f"{self.path}/release-results", json=body))


async def hold_exam(
    staff: httpx.AsyncClient,
    *made: PublishedTest,
    starts_at: datetime,
    window: timedelta = HOUR,
    entry: timedelta | None = None,
    papers: Sequence[Json] = (),
    publish: bool = True,
    over_http: bool = False,
    **changes: Any,
) -> HeldExam:
    """An exam whose papers all have the same window, published by default.

    Its rows are written in one transaction, as requests write them. `over_http` sends these requests.
    """
    times = {
        "starts_at": starts_at.isoformat(),
        "entry_closes_at": (starts_at + (entry or window)).isoformat(),
        "ends_at": (starts_at + window).isoformat(),
    }
    body: Json = {
        "title": "All-India mock",
        "opens_at": starts_at.isoformat(),
        "closes_at": (starts_at + window).isoformat(),
    }
    bodies: list[Json] = []
    for number, test in enumerate(made):
        own = papers[number] if number < len(papers) else {}
        paper = {"code": f"GS{number + 1}", "title": f"Paper {number + 1}", "test_id": str(test.id)}
        bodies.append(paper | times | own)
    make = _request_exam if over_http else write_exam
    exam, placed = await make(staff, body | changes, bodies, publish=publish)
    return HeldExam(staff, exam, placed, made)


compose_exam = partial(hold_exam, over_http=True)
"""The same exam, made by requests."""


async def _request_exam(
    staff: httpx.AsyncClient, body: Json, papers: Sequence[Json], *, publish: bool
) -> tuple[Json, list[Json]]:
    exam = body_of(await staff.post("/exams", json=body))
    path = f"/exams/{exam['id']}"
    placed = [body_of(await staff.post(f"{path}/papers", json=paper)) for paper in papers]
    return body_of(await staff.post(f"{path}/publish")) if publish else exam, placed


@dataclass
class Entrant:
    """A candidate in an exam, with the attempt at one of its papers."""

    client: httpx.AsyncClient
    held: HeldExam
    number: int = 0
    attempt: Json = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.held.paper_path(self.number)

    async def enter(self) -> httpx.Response:
        """Start the attempt, or resume the one in progress."""
        answer = await self.client.post(f"{self.path}/start")
        if answer.is_success:
            self.attempt = answer.json()
        return answer

    async def save(self, answers: dict[int, Any], revision: int = 1) -> httpx.Response:
        """Answer the questions at these places, counted from 0."""
        question_ids = self.held.made[self.number].question_ids
        responses = [
            {"question_id": str(question_ids[place]), "revision": revision, "answer": answer}
            for place, answer in answers.items()
        ]
        body = {"attempt_id": self.attempt["id"], "lease": self.attempt["lease"], "responses": responses}
        return await self.client.post(f"{self.path}/responses", json=body)

    async def submit(self) -> httpx.Response:
        return await self.client.post(f"{self.path}/submit", json={"attempt_id": self.attempt["id"]})


async def register(client: httpx.AsyncClient, held: HeldExam, number: int = 0) -> Entrant:
    """Register a candidate for the exam."""
    await write_registration(client, UUID(held.exam["id"]))
    return Entrant(client, held, number)


async def take_paper(
    client: httpx.AsyncClient, held: HeldExam, answers: dict[int, Any], number: int = 0
) -> Entrant:
    """A candidate who registers, starts, answers and submits."""
    entrant = await register(client, held, number)
    body_of(await entrant.enter())
    if answers:
        body_of(await entrant.save(answers))
    body_of(await entrant.submit())
    return entrant


def moment(written: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(written).astimezone(UTC)


async def set_exam(engine: AsyncEngine, exam_id: str, **times: datetime | None) -> None:
    """Write times of an exam directly, past the rules of its services."""
    columns = ", ".join(f"{name} = :{name}" for name in times)
    values: Json = {"id": UUID(exam_id), **times}
    async with engine.begin() as connection:
        await connection.execute(text(f"update ias.exams set {columns} where id = :id"), values)
