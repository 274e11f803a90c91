"""Two commands that apply one file at the same time: the second waits, and finds what the first made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import exams, tests
from app.services.exams import ExamDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.content import publish_test
from tests.two_connections import overlap

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


async def test_the_same_file_twice_at_once_makes_one_exam(engine: AsyncEngine) -> None:
    reference = f"day-{uuid4().hex}"
    draft = ExamDraft(
        reference=reference, title={"en": "Prelims"}, opens_at=NOW, closes_at=NOW + timedelta(hours=1)
    )

    async def apply(uow: UnitOfWork) -> tuple[UUID, bool]:
        await exams.lock_exam(uow, operator(), reference, [f"{reference}-gs1"])
        applied = await exams.apply_exam(uow, operator(), draft, [], NOW)
        return applied.exam_id, applied.is_new

    async def look(uow: UnitOfWork) -> tuple[UUID, bool]:
        await exams.lock_exam(uow, operator(), reference, [f"{reference}-gs1"])
        return await exams.named(uow, operator(), reference), False

    both = await overlap(engine, apply, look)
    made, is_new = both.first.result()
    assert both.waited
    assert is_new
    assert both.second.result() == (made, False)


async def test_the_same_test_twice_at_once_waits(engine: AsyncEngine) -> None:
    reference = f"gs1-{uuid4().hex}"

    async def make(uow: UnitOfWork) -> UUID:
        await tests.lock_tests(uow, operator(), [reference])
        made = await publish_test(uow, reference=reference)
        return made.id

    async def look(uow: UnitOfWork) -> UUID | None:
        await tests.lock_tests(uow, operator(), [reference])
        return await tests.with_reference(uow, operator(), reference)

    both = await overlap(engine, make, look)
    assert both.waited
    assert both.second.result() == both.first.result()
