"""What all cases of a process share: two tests in two paper versions each, and four people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Question, QuestionVersion
from app.services import tests
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate
from tests.builders.content import LETTERS, publish_test

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
DURATION_SECONDS = 600
FIRST_KEYS = ("a", "b", "c", "d")
SECOND_KEYS = ("b", "b", "c", "d")
"""The second version corrects the first question's key, so that the versions mark differently."""

PEOPLE = ("A", "B", "C", "D")


class StandingClock:
    """A clock that stands before everything that happens: a call's own time is all that counts."""

    def now(self) -> datetime:
        return NOW - timedelta(days=1)


@dataclass(frozen=True)
class Content:
    """A published test: its questions, its paper versions, and the key of each of them."""

    test_id: UUID
    question_ids: tuple[UUID, ...]
    versions: tuple[UUID, UUID]
    key_ids: Mapping[UUID, UUID]

    def keys(self, paper_id: UUID) -> Mapping[UUID, str]:
        """The right option of each question of a version."""
        letters = FIRST_KEYS if paper_id == self.versions[0] else SECOND_KEYS
        return dict(zip(self.question_ids, letters, strict=True))


@dataclass(frozen=True)
class World:
    """The shared rows. Each case has an exam of its own over them."""

    contents: tuple[Content, Content]
    people: Mapping[str, Principal]
    staff: Principal

    @property
    def names(self) -> Mapping[UUID, str]:
        """People by id."""
        return {principal.id: name for name, principal in self.people.items()}


async def make_world(engine: AsyncEngine, parts: Components) -> World:
    """Make the shared rows, and have their papers and the key of receipts in memory."""
    contents = (await _make_content(engine, parts), await _make_content(engine, parts))
    async with unit_of_work(engine) as uow:
        await uow.attempts.ensure_partitions(NOW)
        people = {name: await add_candidate(uow) for name in PEOPLE}
        await parts.signers.signer(uow)
    await parts.signers.signer_of_reading(engine)
    return World(contents, people, operator())


async def _make_content(engine: AsyncEngine, parts: Components) -> Content:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [[key] for key in FIRST_KEYS], duration_seconds=DURATION_SECONDS)
        test = await uow.tests.draft(operator().institute_id, made.id, lock=True)
        first = await uow.tests.current_paper_id(test)
    async with unit_of_work(engine) as uow:
        options = [{"id": letter, "text": {"en": letter}} for letter in LETTERS]
        key = {"accepted": [[SECOND_KEYS[0]]]}
        uow.session.add(
            QuestionVersion(
                question_id=made.question_ids[0],
                number=2,
                type="single_choice",
                text={"en": "Question 1"},
                options=options,
                key=key,
            )
        )
        await uow.session.flush()
        statement = update(Question).where(Question.id == made.question_ids[0]).values(current_version=2)
        await uow.session.execute(statement)
        await tests.publish(uow, operator(), made.id, NOW)
    async with unit_of_work(engine) as uow:
        test = await uow.tests.draft(operator().institute_id, made.id, lock=True)
        second = await uow.tests.current_paper_id(test)
        assert first is not None
        assert second not in (None, first)
        key_ids = await uow.keys.current_ids([first, second])
        for paper_id in (first, second):
            await parts.papers.get(uow, paper_id)
            await parts.papers.key(uow, key_ids[paper_id])
    return Content(made.id, tuple(made.question_ids), (first, second), key_ids)
