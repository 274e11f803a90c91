"""Which loops of a worker have work."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.models import Kind
from app.services.components import Components
from app.services.notifications.creating import build_notice
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import start_attempt
from tests.builders.content import publish_test
from tests.builders.exams import add_exam
from tests.builders.notifications import add_user

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
GRACE = timedelta(seconds=10)
WAITING = (
    "update ias.jobs set finished_at = now()",
    "update ias.messages set published_at = now()",
    "update ias.attempts set status = 'submitted', closed_by = 'staff' where status = 'in_progress'",
    "update ias.exam_papers set opening_told_at = now(), closing_told_at = now()",
    "update ias.deliveries set status = 'sent'",
    "delete from ias.auth_mails",
    "update ias.invitations set sent_at = now()",
)


async def due(uow: UnitOfWork, now: datetime = NOW) -> set[str]:
    await uow.session.flush()
    return {kind for kind, waits in asdict(await uow.backlog.due(now, GRACE)).items() if waits}


@pytest.fixture
async def idle(uow: UnitOfWork) -> UnitOfWork:
    """Nothing waits, whatever other tests have left. It is undone with the transaction."""
    for statement in WAITING:
        await uow.session.execute(text(statement))
    assert await due(uow) == set()
    return uow


async def test_a_job_and_the_messages_and_deliveries_of_a_notice(idle: UnitOfWork) -> None:
    idle.jobs.add("send_welcome_mail")
    assert await due(idle, NOW + timedelta(days=1)) == {"jobs"}
    user = await add_user(idle)
    await idle.notifications.create([(user.id, build_notice(Kind.WELCOME, "", {}))], NOW, push=False)
    assert await due(idle, NOW + timedelta(days=1)) == {"jobs", "messages", "deliveries"}


async def test_an_attempt_after_its_deadline_and_the_grace(idle: UnitOfWork, parts: Components) -> None:
    attempt = await start_attempt(idle, parts, await publish_test(idle), NOW)
    await idle.session.execute(text("update ias.jobs set finished_at = now()"))
    await idle.session.execute(text("update ias.messages set published_at = now()"))
    over = attempt.deadline_at + GRACE
    assert await due(idle, over) == set()
    assert await due(idle, over + timedelta(milliseconds=1)) == {"overdue_attempts"}


@pytest.mark.parametrize(("untold", "hours"), [("opening_told_at", 0), ("closing_told_at", 1000)])
async def test_a_window_that_nobody_was_told_of(idle: UnitOfWork, untold: str, hours: int) -> None:
    placed = await add_exam(idle, (await publish_test(idle)).id, NOW, published_at=NOW)
    await idle.session.execute(
        text("update ias.exam_papers set opening_told_at = now(), closing_told_at = now()")
    )
    await idle.session.execute(
        text(f"update ias.exam_papers set {untold} = null where id = :id"), {"id": placed.id}
    )
    assert "exam_windows" in await due(idle, NOW + timedelta(hours=hours))


async def test_mails_of_the_auth_server_and_invitations(idle: UnitOfWork) -> None:
    user = await add_user(idle)
    await idle.session.execute(
        text(
            "insert into ias.auth_mails (id, kind, email, created_at, due_at)"
            " values (gen_random_uuid(), 'recovery', 'a@example.org', :now, :now)"
        ),
        {"now": NOW},
    )
    assert await due(idle, NOW) == {"auth_mails"}
    await idle.session.execute(
        text("insert into ias.invitations (user_id, created_at, due_at) values (:id, :now, :now)"),
        {"id": user.id, "now": NOW},
    )
    assert await due(idle, NOW) == {"auth_mails", "invitations"}
