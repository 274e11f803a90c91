"""What an exam's crowd costs its staff and workers: `python -m benchmarks.exams [candidates]`.

On a durable PostgreSQL of its own, with 100 answers of each candidate: extending everybody, closing, grading,
releasing. The measure of all is PostgreSQL's own work in the same run: one statement that writes each attempt
once.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text

from app.config import Settings
from app.core.ids import uuid7
from app.core.telemetry import configure_logging
from app.services import attempts, exams
from app.services.components import Components
from app.services.exams import ExamDraft, ExamPaperDraft, Order, Verb
from app.services.unit_of_work import unit_of_work
from app.services.users import operator
from app.startup import open_components
from benchmarks.notices import migrate
from devservers.postgres import Postgres
from tests.builders.content import publish_test

HOUR = timedelta(hours=1)
QUESTIONS = 100
GRADED_BEFORE = 0.9
"""How many are graded by jobs before the release; the rest it grades itself."""

CROWD = text(
    """
    with people as (
      insert into ias.users (id, email, name)
      select gen_random_uuid(), 'candidate@example.org', 'Asha Rao' from generate_series(1, :count)
      returning id
    )
    insert into ias.registrations (id, exam_id, user_id, roll_number, name, category)
    select gen_random_uuid(), :exam_id, id, id, 'Asha Rao', 'general' from people
    """
)
SITTING = text(
    """
    insert into ias.attempts (id, test_id, paper_id, exam_paper_id, registration_id, user_id, number,
      practice, seed, started_at, deadline_at)
    select :id, :test_id, :paper_id, :exam_paper_id, :registration_id, user_id, 1, false, 1, :now, :deadline
    from ias.registrations where id = :registration_id
    """
)
ANSWERS = text(
    """
    insert into ias.response_events (attempt_id, question_id, lease, revision, answer)
    select attempts.id, question_id, 1, 1, case when random() < .6 then '["a"]'::jsonb else '["b"]'::jsonb end
    from ias.attempts cross join ias.test_questions
    """
)
BARE = text("update ias.attempts set updated_at = now() where exam_paper_id = :exam_paper_id")


async def main(count: int) -> None:
    """Measure, and print."""
    configure_logging("ERROR")
    async with components() as parts:
        exam_id, exam_paper_id = await fill(parts, count)
        now, staff = parts.clock.now(), operator()
        async with unit_of_work(parts.engine) as uow:
            with timed("bare: one statement writes each attempt once", count):
                await uow.session.execute(BARE, {"exam_paper_id": exam_paper_id})
        async with unit_of_work(parts.engine) as uow:
            order = Order(Verb.EXTEND, "benchmark", "all", 60)
            with timed("extend everybody: locked, moved, told, audited", count):
                await exams.steer(uow, parts, staff, exam_id, order, now)
        later = now + 4 * HOUR
        async with unit_of_work(parts.engine) as uow:
            with timed("close what is overdue", count):
                await attempts.close_overdue(uow, later, timedelta(seconds=10), limit=count)
        await grade(parts, round(count * GRADED_BEFORE))
        async with unit_of_work(parts.engine) as uow:
            with timed(f"release, the last {1 - GRADED_BEFORE:.0%} graded within", count):
                await exams.release(uow, parts, staff, exam_id, later)


@asynccontextmanager
async def components() -> AsyncIterator[Components]:
    """The parts of a process over a durable PostgreSQL of its own."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres(Path(folder) / "postgres", durable=True)
        postgres.start()
        postgres.ensure_database("ias", "ias", "benchmark")
        settings = Settings(database_url=SecretStr(postgres.url("ias", "ias", "benchmark")))
        await migrate(settings)
        async with open_components(settings, application_name="ias-benchmark", pool_size=4) as parts:
            async with unit_of_work(parts.engine) as uow:
                await uow.users.ensure_default_institute()
                await uow.attempts.ensure_partitions(parts.clock.now())
            yield parts
        postgres.stop()


async def grade(parts: Components, count: int) -> None:
    """As the jobs do: a hundred in a transaction, one after the other."""
    async with unit_of_work(parts.engine) as uow:
        over = await uow.grading.ungraded(parts.clock.now() + 5 * HOUR, limit=count)
    with timed("grade by hundreds, one process", len(over)):
        for first in range(0, len(over), 100):
            async with unit_of_work(parts.engine) as uow:
                await attempts.grade_batch(uow, parts, over[first : first + 100], parts.clock.now())


async def fill(parts: Components, count: int) -> tuple[UUID, UUID]:
    """An exam that everybody sits; its id and its paper's."""
    now, staff = parts.clock.now(), operator()
    async with unit_of_work(parts.engine) as uow:
        made = await publish_test(uow, [["a"]] * QUESTIONS, duration_seconds=7200)
        exam = await exams.create(uow, staff, ExamDraft({"en": "Benchmark"}, now, now + 3 * HOUR))
        draft = ExamPaperDraft("GS", {"en": "GS"}, made.id, now, now + HOUR, now + 3 * HOUR)
        paper = await exams.add_paper(uow, staff, exam.id, draft)
        await exams.publish(uow, staff, exam.id, now)
    async with unit_of_work(parts.engine) as uow:
        await uow.session.execute(CROWD, {"count": count, "exam_id": exam.id})
        place = {
            "test_id": made.id,
            "paper_id": paper.paper_id,
            "exam_paper_id": paper.id,
            "now": now,
            "deadline": now + 2 * HOUR,
        }
        ids = (await uow.session.scalars(text("select id from ias.registrations"))).all()
        sittings = [place | {"id": uuid7(now), "registration_id": each} for each in ids]
        await uow.session.execute(SITTING, sittings)
        await uow.session.execute(ANSWERS)
    async with parts.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("analyze"))
    return exam.id, paper.id


_bare: list[float] = []


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    """Print how long the block took for each attempt, and how often the bare statement's time that is."""
    begin, cpu = time.perf_counter(), time.process_time()
    yield
    each = (time.perf_counter() - begin) / count * 1000
    ours = (time.process_time() - cpu) / count * 1000
    _bare.append(each)
    print(f"{what}: {each:.2f} ms each, {ours:.2f} ms of our CPU, {each / _bare[0]:.0f} x bare ({count:,})")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
