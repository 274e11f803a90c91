"""Many users, questions, attempts, registrations, notifications and audit entries, written by SQL."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.core.clock import SystemClock
from app.models import DEFAULT_INSTITUTE_ID
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate
from tests.builders.content import add_questions, publish_test
from tests.builders.exams import add_exam

# Ids of attempts are in the order of time as UUIDv7 are. The persons are mixed, in the same way each time, so
# that a search reads the same number of rows in each run.
FILL = (
    """
    insert into ias.users (id, email, name)
    select gen_random_uuid(), 'person' || number || '@example.org',
      (array['Asha', 'Ravi', 'Meena', 'Kiran', 'Farah', 'Joseph', 'Lata', 'Arjun'])[1 + number % 8] || ' '
        || (array['Rao', 'Iyer', 'Singh', 'Khan', 'Das', 'Nair', 'Bose'])[1 + number / 8 % 7]
    from generate_series(1, :users) as number
    """,
    """
    insert into ias.memberships (id, institute_id, user_id, role, enrolled_at, batches)
    select gen_random_uuid(), :institute_id, id,
      case when email like 'person1234%' then 'author' else 'student' end, now(),
      array['batch ' || left(id::text, 1)]
    from ias.users where email like 'person%'
    """,
    """
    insert into ias.questions (id, institute_id, subject_id, fingerprint, status)
    select gen_random_uuid(), institute_id, subject_id, gen_random_uuid()::text,
      case when number % 10 = 0 then 'draft' else 'active' end
    from ias.questions, generate_series(1, :questions) as number where id = :question_id
    """,
    """
    insert into ias.question_versions (id, question_id, number, type, text, options, key, difficulty, tags)
    select gen_random_uuid(), questions.id, 1, type,
      jsonb_build_object('en', 'Which article of the constitution has the number ' || row_number() over ()
        || (array[' on rivers', ' on taxes', ' on courts'])[1 + (row_number() over ())::int % 3]),
      '[]', key, (array['easy', 'medium', 'hard'])[1 + (row_number() over ())::int % 3],
      array['tag ' || (row_number() over ()) % 50]
    from ias.questions join ias.question_versions as old on old.question_id = :question_id
    where questions.fingerprint like '%-%'
    """,
    """
    insert into ias.attempts (id, test_id, paper_id, user_id, number, practice, status, seed, started_at,
      deadline_at, submitted_at, closed_by)
    select
      (lpad(to_hex(row_number() over (order by md5(users.email), tests.id)), 12, '0')
        || substr(gen_random_uuid()::text, 14))::uuid,
      tests.id, papers.id, users.id, 1, false,
      case when right(users.id::text, 1) = '0' then 'submitted' else 'graded' end, 1, now(), now(), now(),
      'candidate'
    from ias.users cross join ias.tests join ias.papers on papers.test_id = tests.id
    where email like 'person%'
    """,
    """
    insert into ias.registrations (id, exam_id, user_id, roll_number, name, category)
    select gen_random_uuid(), :exam_id, id, lpad((row_number() over ())::text, 7, '0'), name, 'general'
    from ias.users where email like 'person%'
    """,
    """
    insert into ias.notifications (id, user_id, kind, title, body, data, dedupe_key)
    select gen_random_uuid(), users.id, 'welcome', '{"en": "Welcome"}', '{"en": "Welcome"}', '{}',
      'test:' || number
    from ias.users cross join generate_series(1, 3) as number where email like 'person%'
    """,
    """
    insert into ias.audit_entries (id, institute_id, actor_id, action, subject_kind, subject_id, exam_id)
    select gen_random_uuid(), :institute_id, users.id,
      (array['test_created', 'attempt_extended', 'user_banned'])[1 + number % 3], 'test', gen_random_uuid(),
      case when number = 1 then cast(:exam_id as uuid) end
    from ias.users cross join generate_series(1, 2) as number where email like 'person%'
    """,
)


LARGE = {
    "attempts",
    "audit_entries",
    "memberships",
    "notifications",
    "question_versions",
    "questions",
    "registrations",
    "users",
}
"""The tables that are filled. None may be read from one end to the other for a page of a list."""


@dataclass(frozen=True)
class Sizes:
    """How many rows; attempts are one of each user at each of the tests."""

    users: int
    questions: int
    tests: int


@dataclass(frozen=True)
class LargeTables:
    """One of each kind, about which a list can be asked."""

    exam_id: UUID
    paper_id: UUID
    test_id: UUID
    user_id: UUID
    subject_id: UUID


async def fill_large_tables(uow: UnitOfWork, sizes: Sizes) -> LargeTables:
    """Write the rows in the transaction of the caller, who analyzes the tables afterwards."""
    await uow.users.ensure_default_institute()
    tests = [await publish_test(uow) for _ in range(sizes.tests)]
    placed = await add_exam(
        uow, (await publish_test(uow)).id, SystemClock().now(), published_at=SystemClock().now()
    )
    person, [question_id] = await add_candidate(uow), await add_questions(uow, [["a"]])
    values = {
        "institute_id": DEFAULT_INSTITUTE_ID,
        "exam_id": placed.exam_id,
        "question_id": question_id,
        "users": sizes.users,
        "questions": sizes.questions,
    }
    for statement in FILL:
        wanted = {name: value for name, value in values.items() if f":{name}" in statement}
        await uow.session.execute(text(statement), wanted)
    row = await uow.session.execute(text("select id from ias.users where email = 'person77@example.org'"))
    subject = text("select subject_id from ias.questions where id = :id")
    subject_id = (await uow.session.execute(subject, {"id": question_id})).scalar_one()
    return LargeTables(placed.exam_id, placed.id, tests[0].id, row.scalar_one() or person.id, subject_id)
