"""`python -m benchmarks.exams [candidates]`: measures operations on all attempts of an exam.

With a new, durable PostgreSQL and 100 answers of each candidate, it extends all attempts, closes them, grades
them and releases the results. The baseline is one SQL statement that updates each attempt once.
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
from app.services.exams import ExamDraft, ExamPaperDraft, StaffAction, Verb
from app.services.unit_of_work import unit_of_work
from app.services.users import operator
from app.startup import open_components
from benchmarks.notices import migrate
from devservers.postgres import Postgres
from tests.builders.content import publish_test

HOUR = timedelta(hours=1)
QUESTIONS = 100
GRADED_BEFORE = 0.9
"""The share of attempts that jobs grade before the release. The release grades the others."""

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
    """Run the operations and print their times."""
    configure_logging("ERROR")
    async with components() as parts:
        exam_id, exam_paper_id = await fill(parts, count)
        now, staff = parts.clock.now(), operator()
        async with unit_of_work(parts.engine) as uow:
            with timed("baseline: one statement updates each attempt once", count):
                await uow.session.execute(BARE, {"exam_paper_id": exam_paper_id})
        async with unit_of_work(parts.engine) as uow:
            action = StaffAction(Verb.EXTEND, "benchmark", "all", 60)
            with timed("extend all attempts", count):
                await exams.steer(uow, parts, staff, exam_id, action, now)
        later = now + 4 * HOUR
        async with unit_of_work(parts.engine) as uow:
            with timed("close overdue attempts", count):
                await attempts.close_overdue(uow, later, timedelta(seconds=10), limit=count)
        await grade(parts, round(count * GRADED_BEFORE))
        async with unit_of_work(parts.engine) as uow:
            with timed(f"release the results and grade the last {1 - GRADED_BEFORE:.0%}", count):
                await exams.release(uow, parts, staff, exam_id, later)


@asynccontextmanager
async def components() -> AsyncIterator[Components]:
    """The components of a process with a new, durable PostgreSQL."""
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
    """Grade attempts as jobs do, a hundred in each transaction."""
    async with unit_of_work(parts.engine) as uow:
        over = await uow.grading.ungraded(parts.clock.now() + 5 * HOUR, limit=count)
    with timed("grade in batches of 100, one process", len(over)):
        for first in range(0, len(over), 100):
            async with unit_of_work(parts.engine) as uow:
                await attempts.grade_batch(uow, parts, over[first : first + 100], parts.clock.now())


async def fill(parts: Components, count: int) -> tuple[UUID, UUID]:
    """Create an exam with an attempt of each candidate. Returns the ids of the exam and its paper."""
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
    """Print the time of the block for each attempt, and its ratio to the baseline."""
    begin, cpu = time.perf_counter(), time.process_time()
    yield
    each = (time.perf_counter() - begin) / count * 1000
    ours = (time.process_time() - cpu) / count * 1000
    _bare.append(each)
    ratio = each / _bare[0]
    print(f"{what}: {each:.2f} ms each, {ours:.2f} ms of our CPU, {ratio:.0f} x baseline ({count:,})")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
