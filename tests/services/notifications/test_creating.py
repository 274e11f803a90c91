"""Telling people: whom, of what, and once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event as engine_event
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.models import (
    Attempt,
    DeadAddress,
    Exam,
    ExamPaper,
    Kind,
    Message,
    NotificationSettings,
    Registration,
    Result,
    User,
)
from app.repositories.base import PageRequest
from app.services import notifications
from app.services.components import Components
from app.services.notifications import creating, mails
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.notifications import (
    TITLE,
    Event,
    add_device,
    add_sitting,
    add_user,
    change,
    deliveries,
    register,
    registered_users,
    told,
)

pytestmark = pytest.mark.anyio


class TestRegistered:
    async def test_an_inbox_a_hint_a_mail_and_a_push(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), (place,) = await registered_users(engine, now, 1)
        async with unit_of_work(engine) as uow:
            phone = await add_device(uow, user, now)
            await notifications.registered(uow, post, place.id, now)
        (line,) = await told(engine, user)
        assert (line.kind, line.read_at, line.created_at) == ("registered", None, now)
        assert line.body["en"] == f"All-India Mock 7: your roll number is {place.roll_number}."
        assert line.data["exam_id"] == str(event.exam_id)
        assert line.data["papers"][0]["starts_at"] == event.starts_at.isoformat().replace("+00:00", "Z")
        sent = await deliveries(engine, user)
        assert [(each.channel, each.target, each.status) for each in sent] == [
            ("email", user.email, "waiting"),
            ("push", phone, "waiting"),
        ]
        assert [(each.due_at, each.urgent, each.expires_at) for each in sent] == [(now, True, None)] * 2
        async with unit_of_work(engine) as uow:
            statement = select(Message).where(Message.room == f"user:{user.id}")
            (hint,) = (await uow.session.scalars(statement)).all()
        assert (hint.audience, hint.user_id, hint.type) == ("user", user.id, "notification")
        assert hint.data == {
            "id": str(line.id),
            "kind": "registered",
            "title": line.title,
            "created_at": now.isoformat().replace("+00:00", "Z"),
        }

    async def test_twice_is_once(self, engine: AsyncEngine, post: Components, now: datetime) -> None:
        _, (user,), (place,) = await registered_users(engine, now, 1)
        for later in range(2):
            async with unit_of_work(engine) as uow:
                await notifications.registered(uow, post, place.id, now + timedelta(hours=later))
        assert len(await told(engine, user)) == 1
        assert len(await deliveries(engine, user)) == 1

    async def test_at_the_same_time_is_once(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        _, (user,), (place,) = await registered_users(engine, now, 1)

        async def run() -> None:
            async with unit_of_work(engine) as uow:
                await notifications.registered(uow, post, place.id, now)

        await asyncio.gather(*(run() for _ in range(8)))
        assert len(await told(engine, user)) == 1
        assert len(await deliveries(engine, user)) == 1

    async def test_a_place_without_an_account_or_a_cancelled_exam_tells_nobody(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), (place,) = await registered_users(engine, now, 1)
        async with unit_of_work(engine) as uow:
            waiting = await register(uow, event, None)
            await notifications.registered(uow, post, waiting.id, now)
            await notifications.registered(uow, post, uuid4(), now)
        await change(engine, update(Exam).where(Exam.id == event.exam_id).values(cancelled_at=now))
        async with unit_of_work(engine) as uow:
            await notifications.registered(uow, post, place.id, now)
        assert await told(engine, user) == []


class TestTell:
    async def test_what_is_not_wished_for_is_in_the_inbox_alone(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (muted, half, dead, banned), _ = await registered_users(engine, now, 4, released_at=now)
        async with unit_of_work(engine) as uow:
            for user in (muted, half, dead, banned):
                await add_device(uow, user, now)
            both = ["results_released:email", "results_released:push"]
            uow.session.add(NotificationSettings(user_id=muted.id, muted=both))
            uow.session.add(NotificationSettings(user_id=half.id, muted=["results_released:email", "x:push"]))
            uow.session.add(DeadAddress(address=dead.email.lower(), reason="550", since=now))
            await uow.session.execute(update(User).where(User.id == banned.id).values(active=False))
        await notifications.results_released(post, event.exam_id, now)
        assert [len(await told(engine, user)) for user in (muted, half, dead, banned)] == [1, 1, 1, 0]
        channels = [
            [each.channel for each in await deliveries(engine, user)] for user in (muted, half, dead, banned)
        ]
        assert channels == [[], ["push"], ["push"], []]

    async def test_each_device_gets_one_and_dropped_ones_none(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), _ = await registered_users(engine, now, 1, released_at=now)
        async with unit_of_work(engine) as uow:
            phones = [await add_device(uow, user, now) for _ in range(3)]
            await uow.devices.drop(phones[0], now)
        await notifications.results_released(post, event.exam_id, now)
        targets = [each.target for each in await deliveries(engine, user) if each.channel == "push"]
        assert sorted(targets) == sorted(phones[1:])

    async def test_without_a_service_account_nothing_is_made_for_devices(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), _ = await registered_users(engine, now, 1, released_at=now)
        async with unit_of_work(engine) as uow:
            await add_device(uow, user, now)
        await notifications.results_released(replace(post, pusher=None), event.exam_id, now)
        assert [each.channel for each in await deliveries(engine, user)] == ["email"]


class TestResultsReleased:
    async def test_everybody_registered_is_told_once_and_of_each_release(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, users, _ = await registered_users(engine, now, 3, released_at=now, results_version=1)
        assert await notifications.results_released(post, event.exam_id, now) == 3
        assert await notifications.results_released(post, event.exam_id, now) == 0
        assert [line.title["en"] for line in await told(engine, *users)] == ["The results are out"] * 3
        await change(engine, update(Exam).where(Exam.id == event.exam_id).values(results_version=2))
        later = now + timedelta(days=1)
        assert await notifications.results_released(post, event.exam_id, later) == 3
        newest = (await told(engine, *users))[-3:]
        assert {line.title["en"] for line in newest} == {"The results were revised"}

    async def test_nobody_is_told_before_the_release(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, users, _ = await registered_users(engine, now)
        assert await notifications.results_released(post, event.exam_id, now) == 0
        assert await notifications.results_released(post, uuid4(), now) == 0
        assert await told(engine, *users) == []

    async def test_a_run_that_was_killed_is_finished_by_the_next(
        self, engine: AsyncEngine, post: Components, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event, users, _ = await registered_users(engine, now, 5, released_at=now)
        monkeypatch.setattr(creating, "BATCH", 2)
        async with unit_of_work(engine) as uow:  # what a first run had told when it died after two batches
            first = await uow.exam_events.registered(event.exam_id, None, 4)
        notice = creating.build_notice(
            Kind.RESULTS_RELEASED,
            f"{event.exam_id}:1",
            {"exam_id": str(event.exam_id), "exam_title": TITLE, "version": 1, "revised": False},
        )
        async with unit_of_work(engine) as uow:
            notices = [(place.user_id, notice) for place in first if place.user_id]
            assert await uow.notifications.create(notices, now, push=True) == 4
        assert await notifications.results_released(post, event.exam_id, now) == 1
        assert len(await told(engine, *users)) == 5
        assert len(await deliveries(engine, *users)) == 5

    async def test_two_runs_at_once_tell_everybody_once(
        self, engine: AsyncEngine, post: Components, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event, users, _ = await registered_users(engine, now, 30, released_at=now)
        monkeypatch.setattr(creating, "BATCH", 7)
        runs = (notifications.results_released(post, event.exam_id, now) for _ in range(3))
        assert sum(await asyncio.gather(*runs)) == 30
        assert len(await told(engine, *users)) == 30
        assert len(await deliveries(engine, *users)) == 30


class TestPostponed:
    async def test_once_for_each_set_of_times(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, users, _ = await registered_users(engine, now, 2)
        for hours in (1, 1, 2):
            moved = event.starts_at + timedelta(hours=hours)
            values = {
                "starts_at": moved,
                "entry_closes_at": moved + timedelta(minutes=30),
                "ends_at": moved + timedelta(hours=3),
            }
            await change(engine, update(ExamPaper).where(ExamPaper.id == event.paper_id).values(**values))
            await notifications.postponed(post, event.exam_id, now)
        lines = await told(engine, users[0])
        assert [line.kind for line in lines] == ["postponed", "postponed"]
        starts = sorted(line.data["papers"][0]["starts_at"] for line in lines)
        assert [datetime.fromisoformat(start) - event.starts_at for start in starts] == [
            timedelta(hours=1),
            timedelta(hours=2),
        ]


class TestCancelled:
    async def test_everybody_registered_is_told_once(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, users, _ = await registered_users(engine, now, 2)
        assert await notifications.cancelled(post, event.exam_id, now) == 0
        await change(engine, update(Exam).where(Exam.id == event.exam_id).values(cancelled_at=now))
        assert await notifications.cancelled(post, event.exam_id, now) == 2
        assert await notifications.cancelled(post, event.exam_id, now) == 0
        assert {line.kind for line in await told(engine, *users)} == {"cancelled"}


class TestWelcome:
    async def test_once_and_not_to_those_who_are_gone(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        async with unit_of_work(engine) as uow:
            user = await add_user(uow)
            for person in (user.id, user.id, uuid4()):
                await notifications.welcome(uow, post, person, now)
        assert [line.kind for line in await told(engine, user)] == ["welcome"]


class TestSubmitted:
    async def test_it_confirms_the_paper_and_the_time(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), (place,) = await registered_users(engine, now, 1)
        async with unit_of_work(engine) as uow:
            attempt = await add_sitting(uow, event, place, now)
            for _ in range(2):
                await notifications.submitted(uow, post, [attempt.id], now)
        (line,) = await told(engine, user)
        assert line.data["paper"]["code"] == "GS1"
        assert line.data["attempt_id"] == str(attempt.id)
        assert line.data["submitted_at"] == now.isoformat().replace("+00:00", "Z")

    async def test_a_reopened_one_is_confirmed_again(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), (place,) = await registered_users(engine, now, 1)
        async with unit_of_work(engine) as uow:
            attempt = await add_sitting(uow, event, place, now)
            await notifications.submitted(uow, post, [attempt.id], now)
            attempt.submitted_at = now + timedelta(minutes=9)
            await uow.session.flush()
            await notifications.submitted(uow, post, [attempt.id], now)
        assert len(await told(engine, user)) == 2

    @pytest.mark.parametrize(
        "values",
        [
            {"practice": True},
            {"status": "in_progress", "submitted_at": None, "closed_by": None},
            {"status": "void"},
            {"user_id": None},
        ],
    )
    async def test_what_is_no_submitted_official_attempt_is_not_confirmed(
        self, engine: AsyncEngine, post: Components, now: datetime, values: dict[str, Any]
    ) -> None:
        event, (user,), (place,) = await registered_users(engine, now, 1)
        async with unit_of_work(engine) as uow:
            attempt = await add_sitting(uow, event, place, now, **values)
            await notifications.submitted(uow, post, [attempt.id], now)
        assert await told(engine, user) == []

    async def test_many_take_as_many_statements_as_one(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, users, places = await registered_users(engine, now, 20)
        async with unit_of_work(engine) as uow:
            phones = [await add_device(uow, user, now) for user in users]
            sittings = [await add_sitting(uow, event, place, now) for place in places]
        ids = [sitting.id for sitting in sittings]
        async with unit_of_work(engine) as uow:
            with counted_statements(engine) as of_one:
                await notifications.submitted(uow, post, ids[:1], now)
            with counted_statements(engine) as of_many:
                await notifications.submitted(uow, post, ids, now)
        assert len(of_many) == len(of_one)
        lines = await told(engine, *users)
        assert sorted(UUID(line.data["attempt_id"]) for line in lines) == sorted(ids)
        assert {each.target for each in await deliveries(engine, *users)} == {
            *phones,
            *(user.email for user in users),
        }


@contextmanager
def counted_statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements that the block executes."""
    statements: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine_event.listen(engine.sync_engine, "before_cursor_execute", keep)
    try:
        yield statements
    finally:
        engine_event.remove(engine.sync_engine, "before_cursor_execute", keep)


class TestEmbargo:
    """Decision D13: the same exam with other keys, and so other scores, gives the same bytes."""

    async def test_nothing_before_the_release_comes_from_what_is_right(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), (place,) = await registered_users(engine, now, 1)
        runs = [await self._run(engine, post, event, place, user, now, score) for score in (0, 317)]
        assert runs[0] == runs[1]
        assert len(runs[0]) == 3

    async def _run(
        self,
        engine: AsyncEngine,
        post: Components,
        event: Event,
        place: Registration,
        user: User,
        now: datetime,
        score: int,
    ) -> list[Any]:
        """What is told when the attempt scored this, with the mails; then it is as if nothing had been."""
        said: list[Any] = []
        async with undone(engine) as uow:
            attempt = await add_sitting(uow, event, place, now, id=UUID(int=77))
            key_ids = await uow.keys.current_ids([attempt.paper_id])
            uow.session.add(_result(attempt, key_ids[attempt.paper_id], score, now))
            await uow.session.flush()
            await notifications.registered(uow, post, place.id, now)
            await notifications.submitted(uow, post, [attempt.id], now)
            exam = await uow.session.get_one(Exam, event.exam_id)
            paper = await uow.session.get_one(ExamPaper, event.paper_id)
            notice = creating.reminder(exam, paper, Kind.OPENS_IN_15_MINUTES)
            await uow.notifications.create([(user.id, notice)], now, push=True)
            page = await uow.notifications.page(user.id, PageRequest(limit=100), unread=None)
            for line in page.items:
                mail = mails.compose(post, line, user, UUID(int=1), now)
                said.append((line.kind, line.dedupe_key, line.title, line.body, line.data, mail))
        return sorted(said, key=lambda each: each[0])


@asynccontextmanager
async def undone(engine: AsyncEngine) -> AsyncIterator[UnitOfWork]:
    """A unit of work that is rolled back."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        async with AsyncSession(bind=connection, expire_on_commit=False) as session:
            yield UnitOfWork(session)
        await outer.rollback()


def _result(attempt: Attempt, key_id: UUID, score: int, now: datetime) -> Result:
    return Result(
        attempt_id=attempt.id,
        cohort_id=attempt.exam_paper_id,
        user_id=attempt.user_id,
        counted=True,
        score_numerator=score,
        score_denominator=3,
        raw_numerator=score,
        raw_denominator=3,
        key_id=key_id,
        answers=[["a"]],
        outcomes="c",
        marks=[score],
        marks_denominator=3,
        graded_at=now,
    )
