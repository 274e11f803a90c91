"""Builders for tests of notifications: exams, users and devices; and what was sent to whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import (
    DEFAULT_INSTITUTE_ID,
    Attempt,
    Delivery,
    Device,
    ExamPaper,
    Membership,
    Notification,
    Paper,
    Registration,
    User,
)
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.content import publish_test
from tests.builders.exams import add_exam, registration

TITLE = {"en": "All-India Mock 7", "hi": "अखिल भारतीय मॉक 7"}


@dataclass(frozen=True)
class Event:
    """An exam of one paper."""

    exam_id: UUID
    paper_id: UUID
    starts_at: datetime


async def add_announced_exam(uow: UnitOfWork, starts_at: datetime, **changes: Any) -> Event:
    """A published exam whose paper starts then, open for entry for half an hour, over after three hours."""
    test = await publish_test(uow)
    columns: dict[str, Any] = {"title": TITLE, "published_at": starts_at - timedelta(days=30)} | changes
    entry, window = timedelta(minutes=30), timedelta(hours=3)
    paper = await add_exam(uow, test.id, starts_at, entry=entry, window=window, **columns)
    return Event(paper.exam_id, paper.id, starts_at)


async def add_user(uow: UnitOfWork, **values: Any) -> User:
    """A user with a unique address."""
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
    """Register a user 20 days before the exam, unless `created_at` says otherwise."""
    taken_at = created_at or event.starts_at - timedelta(days=20)
    place = registration(event.exam_id, user.id if user else None, created_at=taken_at)
    uow.session.add(place)
    await uow.session.flush()
    return place


async def add_device(uow: UnitOfWork, user: User, now: datetime, language: str | None = None) -> str:
    """Register a phone of the user."""
    token = f"fcm:{uuid4().hex}"
    uow.session.add(Device(token=token, user_id=user.id, platform="android", seen_at=now, language=language))
    await uow.session.flush()
    return token


async def told(engine: AsyncEngine, *users: User) -> list[Notification]:
    """The notifications in the inboxes of these users, oldest first."""
    async with unit_of_work(engine) as uow:
        statement = select(Notification).where(Notification.user_id.in_([user.id for user in users]))
        return list((await uow.session.scalars(statement.order_by(Notification.id))).all())


async def deliveries(engine: AsyncEngine, *users: User) -> list[Delivery]:
    """The deliveries to these users, ordered by channel and target."""
    async with unit_of_work(engine) as uow:
        statement = (
            select(Delivery)
            .join(Notification, Notification.id == Delivery.notification_id)
            .where(Notification.user_id.in_([user.id for user in users]))
        )
        return list((await uow.session.scalars(statement.order_by(Delivery.channel, Delivery.target))).all())


async def registered_users(
    engine: AsyncEngine, now: datetime, count: int = 3, **exam: Any
) -> tuple[Event, list[User], list[Registration]]:
    """An exam in a week with so many candidates."""
    async with unit_of_work(engine) as uow:
        event = await add_announced_exam(uow, now + timedelta(days=7), **exam)
        users = [await add_user(uow) for _ in range(count)]
        places = [await register(uow, event, user) for user in users]
    return event, users, places


async def change(engine: AsyncEngine, statement: Any) -> None:
    """Run one statement and commit it."""
    async with unit_of_work(engine) as uow:
        await uow.session.execute(statement)


async def add_sitting(
    uow: UnitOfWork, event: Event, place: Registration, now: datetime, **values: Any
) -> Attempt:
    """A graded official attempt at the exam's paper."""
    paper = await uow.session.get_one(ExamPaper, event.paper_id)
    frozen = (await uow.session.scalars(select(Paper).where(Paper.test_id == paper.test_id))).one()
    attempt = Attempt(
        **{
            "id": uuid7(),
            "test_id": paper.test_id,
            "paper_id": frozen.id,
            "exam_paper_id": paper.id,
            "registration_id": place.id,
            "user_id": place.user_id,
            "number": 1,
            "practice": False,
            "status": "graded",
            "seed": 7,
            "started_at": now - timedelta(hours=1),
            "deadline_at": now,
            "submitted_at": now,
            "closed_by": "candidate",
        }
        | values
    )
    uow.session.add(attempt)
    await uow.session.flush()
    return attempt
