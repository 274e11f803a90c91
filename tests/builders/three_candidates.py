"""Three candidates whose analytics docs/analytics.md explains, and the participants of their test.

Everything is drawn with one seed, so that each run gives the same figures.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Question
from app.services.analytics import refreshing
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.analytics import Given, add_chapter, principal_of_client, sit
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_test
from tests.builders.people import People

AT = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
SUBJECTS = ("Polity", "History", "Geography", "Economy")
OF_SUBJECT = 25
QUESTIONS = len(SUBJECTS) * OF_SUBJECT
PARTICIPANTS = 30
SEED = 20260607


@dataclass(frozen=True)
class Block:
    """Answers with one confidence: how many are right and wrong, of the easiest questions that are left."""

    right: int
    wrong: int
    confidence: str


@dataclass(frozen=True)
class Candidate:
    """How somebody takes the test. By subject, the answers; all other questions are left blank."""

    name: str
    blocks: Mapping[str, Sequence[Block]]
    pace: float
    """The time for a question, in times of what it usually takes."""


CANDIDATES = (
    Candidate(
        "careful and slow",
        {name: [Block(9, 1, "sure"), Block(3, 1, "doubtful")] for name in SUBJECTS},
        pace=2.6,
    ),
    Candidate(
        "guesses too much",
        {name: [Block(7, 2, "sure"), Block(3, 2, "doubtful"), Block(1, 9, "guess")] for name in SUBJECTS},
        pace=0.8,
    ),
    Candidate(
        "strong in one subject",
        {name: [Block(5, 5, "sure"), Block(2, 5, "doubtful")] for name in SUBJECTS[1:]}
        | {SUBJECTS[0]: [Block(23, 1, "sure")]},
        pace=1.0,
    ),
)


@dataclass(frozen=True)
class Taken:
    """The test, the subjects by name, and a client for each of the three candidates."""

    made: PublishedTest
    subjects: Mapping[str, UUID]
    clients: Mapping[str, httpx.AsyncClient]


async def three_candidates(engine: AsyncEngine, parts: Components, people: People) -> Taken:
    """Hold the test, and compute figures and statistics as the tasks do."""
    draw = random.Random(SEED)
    difficulty = [draw.gauss(0, 1) for _ in range(QUESTIONS)]
    clients = {each.name: await people.candidate() for each in CANDIDATES}
    async with unit_of_work(engine) as uow:
        made, subjects = await _test(uow)
        for _ in range(PARTICIPANTS):
            await sit(uow, parts, await add_candidate(uow), made, _participant(draw, difficulty), AT)
        for each in CANDIDATES:
            user = await principal_of_client(uow, clients[each.name])
            await sit(uow, parts, user, made, _answers(each, difficulty), AT + timedelta(hours=1))
    async with unit_of_work(engine) as uow:
        await refreshing.refresh(uow, parts, made.id, AT + timedelta(days=1))
    return Taken(made, subjects, clients)


async def _test(uow: UnitOfWork) -> tuple[PublishedTest, dict[str, UUID]]:
    questions: list[UUID] = []
    subjects = {}
    for name in SUBJECTS:
        subject = await add_subject(uow, name)
        subjects[name] = subject.id
        chapters = [await add_chapter(uow, subject, f"{name} {number}", number) for number in (1, 2)]
        added = await add_questions(uow, [["a"]] * OF_SUBJECT, subject=subject)
        for number, question_id in enumerate(added):
            (await uow.session.get_one(Question, question_id)).chapter_id = chapters[number % 2].id
        questions += added
    await uow.session.flush()
    same = PublishedTest(UUID(int=0), questions, [])
    return await publish_test(uow, same_as=same, title={"en": "Mock 1"}, duration_seconds=7200), subjects


def _participant(draw: random.Random, difficulty: Sequence[float]) -> dict[int, Given]:
    """Answers of somebody whose ability is that of an ordinary candidate."""
    ability, answers = draw.gauss(0, 1), {}
    for position, hard in enumerate(difficulty):
        chance = 1 / (1 + exp(hard - ability - 0.3))
        blank, right, ms = draw.random() > 0.45 + 0.5 * chance, draw.random() < chance, _usual_ms(hard)
        if not blank:
            answers[position] = Given(
                ["a"] if right else [draw.choice("bcd")], int(ms * draw.uniform(0.7, 1.4))
            )
    return answers


def _answers(candidate: Candidate, difficulty: Sequence[float]) -> dict[int, Given]:
    answers = {}
    for number, name in enumerate(SUBJECTS):
        places = sorted(
            range(number * OF_SUBJECT, (number + 1) * OF_SUBJECT), key=lambda each: difficulty[each]
        )
        for block in candidate.blocks[name]:
            for count in range(block.right + block.wrong):
                place = places.pop(0)
                answer = ["a"] if count < block.right else ["bcd"[place % 3]]
                ms = int(candidate.pace * _usual_ms(difficulty[place]))
                answers[place] = Given(answer, ms, block.confidence)
    return answers


def _usual_ms(difficulty: float) -> float:
    return 50_000 * exp(difficulty / 5)
