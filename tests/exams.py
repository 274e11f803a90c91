"""Exams of the tests: placed by repository, or held over HTTP by their staff."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID, Exam, ExamPaper
from app.services.unit_of_work import UnitOfWork
from tests.content import Made

Json = dict[str, Any]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def place_in_exam(uow: UnitOfWork, test_id: UUID, now: datetime, **times: datetime) -> ExamPaper:
    """Put a test into a paper of an exam that is scheduled, or as `times` say."""
    exam = Exam(
        id=uuid7(),
        institute_id=DEFAULT_INSTITUTE_ID,
        title={"en": "All-India mock"},
        opens_at=now,
        closes_at=now + timedelta(days=1),
        **times,
    )
    uow.session.add(exam)
    await uow.session.flush()
    paper = ExamPaper(
        exam_id=exam.id,
        test_id=test_id,
        code="GS1",
        title={"en": "General Studies I"},
        starts_at=now,
        entry_closes_at=now + timedelta(days=1) / 2,
        ends_at=now + timedelta(days=1),
    )
    uow.session.add(paper)
    await uow.session.flush()
    return paper


def body_of(answer: httpx.Response, *statuses: int) -> Json:
    """What an answer says, if it has one of these statuses (200 and 201 if none is named)."""
    assert answer.status_code in (statuses or (200, 201)), answer.text
    return dict(answer.json())


@dataclass(frozen=True)
class Held:
    """An exam with its papers, as its staff hold it over HTTP."""

    staff: httpx.AsyncClient
    exam: Json
    papers: Sequence[Json]
    made: Sequence[Made] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/exams/{self.exam['id']}"

    def paper_path(self, number: int = 0) -> str:
        return f"{self.path}/papers/{self.papers[number]['id']}"

    async def order(self, verb: str, attempt: Json, **body: Any) -> httpx.Response:
        """Steer one attempt."""
        return await self.staff.post(f"{self.path}/attempts/{attempt['id']}/{verb}", json=body)

    async def attempt(self, attempt: Json) -> Json:
        """An attempt as the hall shows it."""
        listed = body_of(await self.staff.get(f"{self.path}/attempts", params={"limit": 100}))
        return next(row for row in listed["items"] if row["id"] == attempt["id"])

    async def release(self) -> Json:
        return body_of(await self.staff.post(f"{self.path}/release-results"))


async def hold_exam(
    staff: httpx.AsyncClient,
    *made: Made,
    starts_at: datetime,
    window: timedelta = HOUR,
    entry: timedelta | None = None,
    papers: Sequence[Json] = (),
    publish: bool = True,
    **changes: Any,
) -> Held:
    """An exam whose papers all have the same window, published by default."""
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
    exam = body_of(await staff.post("/exams", json=body | changes))
    placed = []
    for number, test in enumerate(made):
        own = papers[number] if number < len(papers) else {}
        paper = {"code": f"GS{number + 1}", "title": f"Paper {number + 1}", "test_id": str(test.id)}
        answer = await staff.post(f"/exams/{exam['id']}/papers", json=paper | times | own)
        placed.append(body_of(answer))
    if publish:
        exam = body_of(await staff.post(f"/exams/{exam['id']}/publish"))
    return Held(staff, exam, placed, made)


@dataclass
class Entrant:
    """A candidate in an exam, with the attempt at one of its papers."""

    client: httpx.AsyncClient
    held: Held
    number: int = 0
    attempt: Json = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.held.paper_path(self.number)

    async def enter(self) -> httpx.Response:
        """Start, or take up what is in progress."""
        answer = await self.client.post(f"{self.path}/start")
        if answer.is_success:
            self.attempt = answer.json()
        return answer

    async def save(self, answers: dict[int, Any], revision: int = 1) -> httpx.Response:
        """Answer the questions at these places."""
        question_ids = self.held.made[self.number].question_ids
        responses = [
            {"question_id": str(question_ids[place]), "revision": revision, "answer": answer}
            for place, answer in answers.items()
        ]
        body = {"attempt_id": self.attempt["id"], "lease": self.attempt["lease"], "responses": responses}
        return await self.client.post(f"{self.path}/responses", json=body)

    async def submit(self) -> httpx.Response:
        return await self.client.post(f"{self.path}/submit", json={"attempt_id": self.attempt["id"]})


async def register(client: httpx.AsyncClient, held: Held, number: int = 0) -> Entrant:
    """A candidate with a place in the exam."""
    body_of(await client.post(f"{held.path}/register"))
    return Entrant(client, held, number)


async def sit(client: httpx.AsyncClient, held: Held, answers: dict[int, Any], number: int = 0) -> Entrant:
    """A candidate who registers, starts, answers and submits."""
    entrant = await register(client, held, number)
    body_of(await entrant.enter())
    if answers:
        body_of(await entrant.save(answers))
    body_of(await entrant.submit())
    return entrant


def moment(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text).astimezone(UTC)
