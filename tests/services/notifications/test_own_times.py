"""What candidates are told of their own time: ends with extra time, reminders to come, changed grants."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Exam, Kind, Registration
from app.services import notifications
from app.services.components import Components
from app.services.notifications import mails
from app.services.notifications.kinds import RULES
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.notifications import (
    Event,
    add_announced_exam,
    add_sitting,
    add_user,
    change,
    register,
    registered_users,
    told,
)
from tests.conftest import TestClock

pytestmark = pytest.mark.anyio


class TestOwnTimes:
    """Each candidate is told when a paper ends for them: the end of its window and their extra time."""

    async def test_in_every_notification_about_a_paper(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, users, places = await registered_users(engine, now, 4)
        extra = [timedelta(), timedelta(minutes=40), timedelta(minutes=10), timedelta(minutes=5)]
        async with unit_of_work(engine) as uow:
            await grant(uow, event, ("candidate_group", "pwbd"), 2400)
            await grant(uow, event, ("user_id", users[2].id), 600)
            await grant(uow, event, ("user_id", users[3].id), 300)
            for place in (places[1], places[2]):  # the grant of the third is their own
                await uow.session.execute(
                    update(Registration).where(Registration.id == place.id).values(pwbd=2)
                )
            for place in places:
                await notifications.registered(uow, post, place.id, now)
        assert await notifications.postponed(post, event.exam_id, now) == 4
        await remind_at(post, event.starts_at - timedelta(minutes=15))
        ends_at = event.starts_at + timedelta(hours=3)
        for user, theirs in zip(users, extra, strict=True):
            data = {line.kind: line.data for line in await told(engine, user)}
            assert data.keys() == {"registered", "postponed", "opens_in_15_minutes"}
            papers = [*data["registered"]["papers"], *data["postponed"]["papers"]]
            papers.append(data["opens_in_15_minutes"]["paper"])
            assert {datetime.fromisoformat(paper["ends_at"]) for paper in papers} == {ends_at + theirs}
            assert {paper["extra_seconds"] for paper in papers} == {theirs.total_seconds()}

    async def test_after_the_attempt_it_is_the_time_that_the_attempt_had(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user,), (place,) = await registered_users(engine, now, 1)
        async with unit_of_work(engine) as uow:
            attempt = await add_sitting(uow, event, place, now, accommodation_seconds=120)
            await notifications.submitted(uow, post, [attempt.id], now)
        (line,) = await told(engine, user)
        assert line.data["paper"]["extra_seconds"] == 120

    @pytest.mark.parametrize(
        ("before_start", "promised"),
        [
            (timedelta(days=3), ["opens_in_24_hours", "opens_in_15_minutes"]),
            (timedelta(hours=24), ["opens_in_24_hours", "opens_in_15_minutes"]),
            (timedelta(hours=23, minutes=59), ["opens_in_15_minutes"]),
            (timedelta(minutes=15), ["opens_in_15_minutes"]),
            (timedelta(minutes=14), []),
            (timedelta(minutes=-5), []),
        ],
    )
    async def test_a_confirmation_names_the_reminders_that_will_come(
        self,
        engine: AsyncEngine,
        post: Components,
        now: datetime,
        before_start: timedelta,
        promised: list[str],
    ) -> None:
        async with unit_of_work(engine) as uow:
            event = await add_announced_exam(uow, now + before_start)
            user = await add_user(uow)
            place = await register(uow, event, user, now)
            await notifications.registered(uow, post, place.id, now + timedelta(seconds=2))
        (line,) = await told(engine, user)
        assert line.data["papers"][0]["reminders"] == promised
        for reminder in ("opens_in_24_hours", "opens_in_15_minutes"):
            rule = RULES[Kind(reminder)].reminder
            assert rule is not None
            if (due_at := rule.due_at(event.starts_at)) >= now:
                await remind_at(post, due_at)
        kinds = [line.kind for line in await told(engine, user)]
        assert sorted(kinds) == sorted(["registered", *promised])


class TestExtraTimeChanged:
    async def test_those_whose_time_differs_are_told_once(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        """Everybody gets 10 minutes: who has a longer grant has the same time as before."""
        event, users, places = await registered_users(engine, now, 3)
        async with unit_of_work(engine) as uow:
            await grant(uow, event, ("user_id", users[0].id), 300)
            await grant(uow, event, ("candidate_group", "pwbd"), 2400)
            await grant(uow, event, ("candidate_group", "all"), 600)
            statement = update(Registration).where(Registration.id == places[1].id).values(pwbd=2)
            await uow.session.execute(statement)
        before = [{"user_id": None, "group": "all", "extra_seconds": 0}]
        for created in (1, 0):
            told_now = await notifications.extra_time_changed(post, event.exam_id, "first", before, now)
            assert told_now == created
        assert [len(await told(engine, user)) for user in users] == [0, 0, 1]
        (line,) = await told(engine, users[2])
        assert line.body["en"] == "All-India Mock 7: your extra time is now 10 minutes."
        assert (line.data["extra_seconds"], line.data["previous_extra_seconds"]) == (600, 0)
        ends_at = event.starts_at + timedelta(hours=3, minutes=10)
        assert datetime.fromisoformat(line.data["papers"][0]["ends_at"]) == ends_at

    async def test_one_that_is_taken_back_is_said_to_be_none(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, (user, _), _ = await registered_users(engine, now, 2)
        before = [{"user_id": str(user.id), "group": None, "extra_seconds": 600}]
        assert await notifications.extra_time_changed(post, event.exam_id, "c", before, now) == 1
        (line,) = await told(engine, user)
        assert line.body["en"] == "All-India Mock 7: you have no extra time any more."
        text = mails.compose(post, line, user, UUID(int=1), now).text
        assert "no extra time in All-India Mock 7 any more; before, it was 10 minutes." in text

    @pytest.mark.parametrize("state", ["cancelled_at", "released_at", "over"])
    async def test_nobody_is_told_of_an_exam_that_is_over(
        self, engine: AsyncEngine, post: Components, now: datetime, state: str
    ) -> None:
        event, (user,), _ = await registered_users(engine, now, 1)
        if state != "over":
            await change(engine, update(Exam).where(Exam.id == event.exam_id).values({state: now}))
        later = event.starts_at + timedelta(hours=3, minutes=10) if state == "over" else now
        before = [{"user_id": str(user.id), "group": None, "extra_seconds": 600}]
        assert await notifications.extra_time_changed(post, event.exam_id, "c", before, later) == 0
        assert await told(engine, user) == []


async def grant(uow: UnitOfWork, event: Event, holder: tuple[str, Any], seconds: int) -> None:
    await uow.exams.grant(event.exam_id, holder, seconds, "rules", None)


async def remind_at(post: Components, at: datetime) -> None:
    """Run the loop of reminders at this time."""
    clock = TestClock()
    clock.stop(at)
    await notifications.Reminders(replace(post, clock=clock)).remind()
