"""Exams, candidates and deliveries for tests of notifications."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import (
    DEFAULT_INSTITUTE_ID,
    Delivery,
    Device,
    Exam,
    ExamPaper,
    Membership,
    Notification,
    Registration,
    User,
)
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.content import publish_test

TITLE = {"en": "All-India Mock 7", "hi": "अखिल भारतीय मॉक 7"}
PAPER = {"en": "General Studies I", "hi": "सामान्य अध्ययन I"}


@dataclass(frozen=True)
class Event:
    """An exam of one paper."""

    exam_id: UUID
    paper_id: UUID
    starts_at: datetime


async def add_exam(uow: UnitOfWork, starts_at: datetime, **changes: Any) -> Event:
    """A published exam whose paper starts then, open for entry for half an hour, over after three hours."""
    test = await publish_test(uow)
    values = {"title": TITLE, "published_at": starts_at - timedelta(days=30)} | changes
    exam = Exam(
        id=uuid7(),
        institute_id=DEFAULT_INSTITUTE_ID,
        opens_at=starts_at,
        closes_at=starts_at + timedelta(days=1),
        **values,
    )
    uow.session.add(exam)
    await uow.session.flush()
    paper = ExamPaper(
        id=uuid7(),
        exam_id=exam.id,
        test_id=test.id,
        code="GS1",
        title=PAPER,
        starts_at=starts_at,
        entry_closes_at=starts_at + timedelta(minutes=30),
        ends_at=starts_at + timedelta(hours=3),
    )
    uow.session.add(paper)
    await uow.session.flush()
    return Event(exam.id, paper.id, starts_at)


async def add_user(uow: UnitOfWork, **values: Any) -> User:
    """Somebody with an address of their own."""
    user = User(**{"id": uuid7(), "email": f"{uuid4().hex}@example.org", "name": "Asha Rao"} | values)
    uow.session.add(user)
    await uow.session.flush()
    uow.session.add(Membership(institute_id=DEFAULT_INSTITUTE_ID, user_id=user.id))
    await uow.session.flush()
    await uow.session.refresh(user)
    return user


async def register(
    uow: UnitOfWork, event: Event, user: User | None, created_at: datetime | None = None
) -> Registration:
    """A place in the exam, taken long before it unless `created_at` says otherwise."""
    registration = Registration(
        id=uuid7(),
        exam_id=event.exam_id,
        user_id=user.id if user else None,
        roll_number=uuid4().hex[:8],
        name="Asha Rao",
        category="general",
        created_at=created_at or event.starts_at - timedelta(days=20),
    )
    uow.session.add(registration)
    await uow.session.flush()
    return registration


async def add_device(uow: UnitOfWork, user: User, now: datetime, language: str | None = None) -> str:
    """A phone of the user's."""
    token = f"fcm:{uuid4().hex}"
    uow.session.add(Device(token=token, user_id=user.id, platform="android", seen_at=now, language=language))
    await uow.session.flush()
    return token


async def told(engine: AsyncEngine, *users: User) -> list[Notification]:
    """What stands in the inboxes of these people, the oldest first."""
    async with unit_of_work(engine) as uow:
        statement = select(Notification).where(Notification.user_id.in_([user.id for user in users]))
        return list((await uow.session.scalars(statement.order_by(Notification.id))).all())


async def deliveries(engine: AsyncEngine, *users: User) -> list[Delivery]:
    """What is or was on its way to these people, in the order of channel and target."""
    async with unit_of_work(engine) as uow:
        statement = (
            select(Delivery)
            .join(Notification, Notification.id == Delivery.notification_id)
            .where(Notification.user_id.in_([user.id for user in users]))
        )
        return list((await uow.session.scalars(statement.order_by(Delivery.channel, Delivery.target))).all())
