"""Sending: to a real mail server and to one that answers as Firebase does; once, whatever happens."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.mail import SmtpMailer
from app.models import (
    DeadAddress,
    Delivery,
    Device,
    ExamPaper,
    Kind,
    Notification,
    NotificationSettings,
    User,
)
from app.repositories.base import PageRequest
from app.repositories.notifications import NewDevice
from app.services import notifications
from app.services.components import Components
from app.services.notifications import creating, delivering
from app.services.unit_of_work import unit_of_work
from app.services.users import ProfileUpdate, change_profile, find_principal
from tests.builders.attempts import until_blocking
from tests.builders.notifications import Event, add_announced_exam, add_device, add_user, deliveries, register
from tests.conftest import TestClock
from tests.servers import firebase as fcm
from tests.servers.mail import Inbox
from tests.services.notifications.conftest import SENDER, deliver

pytestmark = pytest.mark.anyio


State = tuple[str, str, int, str | None]


def state_of(delivery: Delivery) -> State:
    return delivery.channel, delivery.status, delivery.tries, delivery.error


class Reader:
    """Somebody with a place in an exam and a phone."""

    def __init__(self, user: User, phone: str, event: Event, engine: AsyncEngine) -> None:
        self.user, self.phone, self.event = user, phone, event
        self._engine = engine

    async def tell(self, kind: Kind, now: datetime) -> None:
        data: dict[str, Any] = {
            "exam_id": str(self.event.exam_id),
            "exam_title": {"en": "Mock"},
            "revised": False,
        }
        async with unit_of_work(self._engine) as uow:
            if kind in (Kind.OPENS_IN_24_HOURS, Kind.OPENS_IN_15_MINUTES):
                exam_and_papers = await uow.exam_events.exam(self.event.exam_id)
                assert exam_and_papers is not None
                notice = creating.reminder(exam_and_papers[0], exam_and_papers[1][0], kind)
            else:
                notice = creating.build_notice(kind, str(self.event.exam_id), data)
            await uow.notifications.create([(self.user.id, notice)], now, push=True)

    async def states(self) -> list[State]:
        return await states_of(self._engine, [self])

    async def wish(self, **values: Any) -> None:
        async with unit_of_work(self._engine) as uow:
            uow.session.add(NotificationSettings(user_id=self.user.id, **{"muted": []} | values))


@pytest.fixture
async def reader(engine: AsyncEngine, now: datetime) -> Reader:
    return await add_reader(engine, now)


async def add_reader(
    engine: AsyncEngine, now: datetime, opens_in: timedelta = timedelta(minutes=15), **user: Any
) -> Reader:
    [reader] = await add_readers(engine, now, 1, opens_in, **user)
    return reader


async def add_readers(
    engine: AsyncEngine, now: datetime, count: int, opens_in: timedelta = timedelta(minutes=15), **user: Any
) -> list[Reader]:
    """So many readers with places in one exam."""
    readers = []
    async with unit_of_work(engine) as uow:
        event = await add_announced_exam(uow, now + opens_in, title={"en": "Mock"})
        for _ in range(count):
            person = await add_user(uow, **user)
            phone = await add_device(uow, person, now)
            await register(uow, event, person)
            readers.append(Reader(person, phone, event, engine))
    return readers


async def tell_all_of_cancellation(engine: AsyncEngine, readers: Sequence[Reader], now: datetime) -> None:
    exam_id = str(readers[0].event.exam_id)
    data = {"exam_id": exam_id, "exam_title": {"en": "Mock"}, "revised": False}
    notice = creating.build_notice(Kind.CANCELLED, exam_id, data)
    async with unit_of_work(engine) as uow:
        await uow.notifications.create([(each.user.id, notice) for each in readers], now, push=True)


async def states_of(engine: AsyncEngine, readers: Sequence[Reader]) -> list[State]:
    """The state of each delivery to these readers."""
    return [state_of(each) for each in await deliveries(engine, *(reader.user for reader in readers))]


SENT = [("email", "sent", 1, None), ("push", "sent", 1, None)]


class TestDeliverDue:
    async def test_a_mail_and_a_push_message_arrive(
        self,
        engine: AsyncEngine,
        post: Components,
        reader: Reader,
        now: datetime,
        inbox: Inbox,
        firebase: fcm.Firebase,
    ) -> None:
        await reader.tell(Kind.RESULTS_RELEASED, now)
        await deliver(post)
        assert await reader.states() == SENT
        email, push = await deliveries(engine, reader.user)
        assert email.sent_at is not None
        (mail,) = inbox.to(reader.user.email)
        assert mail["Subject"] == "The results are out: Mock"
        assert mail["Message-ID"] == f"<{email.id}@ias.example>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        (message,) = firebase.to(reader.phone)
        assert message["notification"] == {"title": "The results are out", "body": "Mock"}
        assert message["data"] == {
            "notification_id": str(push.notification_id),
            "kind": "results_released",
            "exam_id": str(reader.event.exam_id),
        }

    async def test_a_phone_speaks_its_own_language(
        self, engine: AsyncEngine, post: Components, now: datetime, firebase: fcm.Firebase
    ) -> None:
        reader = await add_reader(engine, now, language="hi-IN")
        async with unit_of_work(engine) as uow:
            english = await add_device(uow, reader.user, now, language="en-GB")
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        assert firebase.to(reader.phone)[0]["notification"]["title"] == "आपकी परीक्षा रद्द हो गई है"
        assert firebase.to(english)[0]["notification"]["title"] == "Your exam is cancelled"

    async def test_a_late_reminder_says_how_much_time_is_left(
        self,
        engine: AsyncEngine,
        post: Components,
        now: datetime,
        clock: TestClock,
        inbox: Inbox,
        firebase: fcm.Firebase,
    ) -> None:
        """Quiet hours until 20 minutes before the start, as an outage of the mail server would be."""
        reader = await add_reader(engine, now, opens_in=timedelta(hours=20), timezone="UTC")
        ends = reader.event.starts_at - timedelta(minutes=20)
        await reader.wish(quiet_from=(now - timedelta(hours=1)).time(), quiet_until=ends.time())
        await reader.tell(Kind.OPENS_IN_24_HOURS, now)
        await deliver(post)
        assert inbox.to(reader.user.email) == []
        clock.advance((ends - clock.now()).total_seconds())
        await deliver(post)
        assert await reader.states() == SENT
        (mail,) = inbox.to(reader.user.email)
        assert mail["Subject"] == "Mock opens in 20 minutes"
        (message,) = firebase.to(reader.phone)
        assert message["notification"]["title"] == "Your exam opens in 20 minutes"

    async def test_two_workers_send_each_once(
        self, engine: AsyncEngine, post: Components, now: datetime, inbox: Inbox, firebase: fcm.Firebase
    ) -> None:
        readers = await add_readers(engine, now, 12)
        await tell_all_of_cancellation(engine, readers, now)
        await asyncio.gather(*(deliver(post) for _ in range(4)))
        assert await states_of(engine, readers) == [state for state in SENT for _ in readers]
        for reader in readers:
            assert len(inbox.to(reader.user.email)) == 1
            assert len(firebase.to(reader.phone)) == 1

    async def test_what_is_urgent_goes_first(
        self,
        engine: AsyncEngine,
        post: Components,
        now: datetime,
        inbox: Inbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        patient = await add_readers(engine, now, 3)
        for reader in patient:
            await reader.tell(Kind.RESULTS_RELEASED, now - timedelta(hours=1))
        urgent = await add_reader(engine, now)
        await urgent.tell(Kind.OPENS_IN_15_MINUTES, now)
        monkeypatch.setattr(delivering, "BATCH", 2)
        await notifications.deliver_due(post)
        assert len(inbox.to(urgent.user.email)) == 1
        assert inbox.to(*(reader.user.email for reader in patient)) == []

    async def test_nothing_is_sent_before_it_is_due(
        self, post: Components, reader: Reader, now: datetime, inbox: Inbox, clock: TestClock
    ) -> None:
        await reader.tell(Kind.CANCELLED, now + timedelta(minutes=1))
        await deliver(post)
        assert inbox.envelopes == []
        clock.advance(61)
        await deliver(post)
        assert await reader.states() == SENT


class TestKilled:
    async def test_what_a_dead_worker_had_in_hand_is_sent_when_its_lease_ends(
        self,
        engine: AsyncEngine,
        post: Components,
        reader: Reader,
        now: datetime,
        inbox: Inbox,
        clock: TestClock,
    ) -> None:
        await reader.tell(Kind.CANCELLED, now)
        async with unit_of_work(engine) as uow:  # taken, and never heard of again
            assert await uow.deliveries.lease_due(post.clock.now(), delivering.LEASE, 100)
        await deliver(post)
        assert inbox.envelopes == []
        clock.advance(delivering.LEASE.total_seconds())
        await deliver(post)
        assert [(state[1], state[2]) for state in await reader.states()] == [("sent", 2), ("sent", 2)]
        assert len(inbox.to(reader.user.email)) == 1

    async def test_the_window_between_the_servers_yes_and_our_commit(
        self,
        engine: AsyncEngine,
        post: Components,
        reader: Reader,
        now: datetime,
        inbox: Inbox,
        clock: TestClock,
    ) -> None:
        """It is sent again, and both say that they are one: this cannot be had better with SMTP."""
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        lost = {"status": "waiting", "sent_at": None, "due_at": now + delivering.LEASE}
        async with unit_of_work(engine) as uow:  # as if killed before the commit
            told = select(Notification.id).where(Notification.user_id == reader.user.id)
            await uow.session.execute(
                update(Delivery).where(Delivery.notification_id.in_(told)).values(**lost)
            )
        clock.advance(delivering.LEASE.total_seconds() + 1)
        await deliver(post)
        first, second = inbox.to(reader.user.email)
        assert first["Message-ID"] == second["Message-ID"]

    async def test_a_worker_that_stops_ends_what_it_sends_and_gives_back_the_rest(
        self, engine: AsyncEngine, post: Components, now: datetime, inbox: Inbox
    ) -> None:
        readers = await add_readers(engine, now, 20)
        await tell_all_of_cancellation(engine, readers, now)
        inbox.go_on.clear()
        step = asyncio.create_task(notifications.deliver_due(replace(post, pusher=None)))
        await inbox.begun.wait()
        step.cancel()
        await asyncio.sleep(0)
        inbox.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await step
        states = [state for state in await states_of(engine, readers) if state[0] == "email"]
        sent = [state for state in states if state[1] == "sent"]
        assert 1 <= len(sent) <= delivering.CONCURRENCY
        assert len(inbox.envelopes) == len(sent)
        assert {state[1:3] for state in states} == {("sent", 1), ("waiting", 0)}


class TestRefused:
    async def test_a_dead_address_gets_nothing_any_more(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        inbox.refusals[reader.user.email] = "550 5.1.1 No such user"
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        assert ("email", "dropped", 1, "SMTPRecipientRefused 550") in await reader.states()
        async with unit_of_work(engine) as uow:
            dead = await uow.session.get_one(DeadAddress, reader.user.email)
        assert dead.reason == "SMTPRecipientRefused 550"
        inbox.refusals.clear()
        await reader.tell(Kind.POSTPONED, now)
        await deliver(post)
        assert inbox.envelopes == []

    async def test_what_was_on_its_way_to_a_dead_address_is_dropped_untried(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        await reader.tell(Kind.CANCELLED, now)
        async with unit_of_work(engine) as uow:
            await uow.preferences.mark_address_dead(reader.user.email.upper(), "550", now)
        await deliver(post)
        assert inbox.envelopes == []
        assert ("email", "dropped", 1, "dead address") in await reader.states()

    async def test_relaying_denied_condemns_no_address(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        inbox.refusals[reader.user.email] = "554 5.7.1 Relaying denied"
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        assert ("email", "dropped", 1, "SMTPRecipientRefused 554") in await reader.states()
        async with unit_of_work(engine) as uow:
            assert await uow.session.get(DeadAddress, reader.user.email) is None

    async def test_what_is_no_address_is_a_dead_one(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        reader = await add_reader(engine, now, email="not an address")
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        assert ("email", "dropped", 1, "not an email address") in await reader.states()

    async def test_a_busy_server_is_asked_again_and_again_until_it_is_enough(
        self,
        engine: AsyncEngine,
        post: Components,
        reader: Reader,
        now: datetime,
        inbox: Inbox,
        clock: TestClock,
    ) -> None:
        inbox.refusals[reader.user.email] = "451 4.7.1 Later"
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        (email, _) = await deliveries(engine, reader.user)
        assert (email.status, email.tries, email.error) == ("waiting", 1, "SMTPRecipientRefused 451")
        assert timedelta(seconds=30) <= email.due_at - now < timedelta(seconds=60)
        for _ in range(11):
            clock.advance(4 * 3600)
            await deliver(post)
        (email, _) = await deliveries(engine, reader.user)
        assert (email.status, email.tries) == ("dropped", 12)
        async with unit_of_work(engine) as uow:
            assert await uow.session.get(DeadAddress, reader.user.email) is None

    async def test_a_busy_server_that_recovers(
        self, post: Components, reader: Reader, now: datetime, inbox: Inbox, clock: TestClock
    ) -> None:
        inbox.answer = "451 4.3.0 Disk full"
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        inbox.answer = "250 OK"
        clock.advance(60)
        await deliver(post)
        assert ("email", "sent", 2, None) in await reader.states()
        assert len(inbox.to(reader.user.email)) == 1

    async def test_a_server_that_is_down_is_left_alone_and_costs_the_rest_no_try(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        readers = await add_readers(engine, now, 40)
        await tell_all_of_cancellation(engine, readers, now)
        down = replace(post, mailer=SmtpMailer("smtp://127.0.0.1:1", SENDER, post.clock))
        await notifications.deliver_due(down)
        states = await states_of(engine, readers)
        tried = [state for state in states if state[0] == "email" and state[2] == 1]
        assert delivering.MAX_FAILURES <= len(tried) <= delivering.MAX_FAILURES + delivering.CONCURRENCY
        assert [state for state in states if state[0] == "push"] == [("push", "sent", 1, None)] * 40

    @pytest.mark.parametrize("answer", [fcm.UNREGISTERED, fcm.NOT_A_TOKEN], ids=["unregistered", "no token"])
    async def test_a_dead_device_is_dropped(
        self,
        engine: AsyncEngine,
        post: Components,
        reader: Reader,
        now: datetime,
        firebase: fcm.Firebase,
        answer: fcm.Answer,
    ) -> None:
        firebase.answers[reader.phone] = answer
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        assert (await reader.states())[1][:3] == ("push", "dropped", 1)
        async with unit_of_work(engine) as uow:
            assert (await uow.session.get_one(Device, reader.phone)).dropped_at is not None
        firebase.answers.clear()
        await reader.tell(Kind.POSTPONED, now)
        await deliver(post)
        assert firebase.to(reader.phone) == []

    @pytest.mark.parametrize(
        ("answer", "status", "rest"),
        [
            (fcm.TOO_MANY, "waiting", timedelta(seconds=90)),
            (fcm.DOWN, "waiting", timedelta(seconds=120)),
            (fcm.BROKEN, "waiting", timedelta(seconds=30)),
            (fcm.BAD_MESSAGE, "dropped", None),
            (fcm.OTHER_PROJECT, "dropped", None),
        ],
        ids=["429", "503", "500", "bad message", "other project"],
    )
    async def test_other_errors_leave_the_device_alone(
        self,
        engine: AsyncEngine,
        post: Components,
        reader: Reader,
        now: datetime,
        firebase: fcm.Firebase,
        answer: fcm.Answer,
        status: str,
        rest: timedelta | None,
    ) -> None:
        firebase.answers[reader.phone] = answer
        await reader.tell(Kind.CANCELLED, now)
        await deliver(post)
        (_, push) = await deliveries(engine, reader.user)
        assert push.status == status
        if rest is not None:
            assert rest <= push.due_at - now < rest + timedelta(seconds=20)
        async with unit_of_work(engine) as uow:
            assert (await uow.session.get_one(Device, reader.phone)).dropped_at is None


class TestNoLonger:
    async def test_a_device_that_is_another_persons_by_now_gets_nothing(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, firebase: fcm.Firebase
    ) -> None:
        await reader.tell(Kind.CANCELLED, now)
        async with unit_of_work(engine) as uow:
            other = await add_user(uow)
            await uow.devices.register(NewDevice(reader.phone, "android", None), other.id, "session", now)
        await deliver(post)
        assert firebase.to(reader.phone) == []
        assert (await reader.states())[1] == ("push", "dropped", 1, "the user has no such device")

    async def test_a_reminder_that_is_not_true_any_more_is_not_sent(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        await reader.tell(Kind.OPENS_IN_15_MINUTES, now)
        moved = {"starts_at": ExamPaper.starts_at + timedelta(minutes=5)}
        async with unit_of_work(engine) as uow:
            paper = update(ExamPaper).where(ExamPaper.id == reader.event.paper_id)
            await uow.session.execute(paper.values(**moved))
        await deliver(post)
        assert inbox.envelopes == []
        assert {state[3] for state in await reader.states()} == {
            "the paper has been moved, or the candidate has withdrawn"
        }

    async def test_a_reminder_of_who_has_withdrawn_is_not_sent(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        await reader.tell(Kind.OPENS_IN_15_MINUTES, now)
        async with unit_of_work(engine) as uow:
            [registration] = (await uow.registrations.page(reader.event.exam_id, None, PageRequest())).items
            await uow.registrations.withdraw(registration, now)
        await deliver(post)
        assert inbox.envelopes == []
        assert {state[3] for state in await reader.states()} == {
            "the paper has been moved, or the candidate has withdrawn"
        }

    async def test_a_reminder_is_not_sent_late(
        self, post: Components, reader: Reader, now: datetime, inbox: Inbox, clock: TestClock
    ) -> None:
        await reader.tell(Kind.OPENS_IN_15_MINUTES, now)
        clock.advance(60 * 15)
        await deliver(post)
        assert inbox.envelopes == []
        assert {state[3] for state in await reader.states()} == {"too late"}

    async def test_what_is_not_wished_for_any_more_is_not_sent(
        self, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        await reader.tell(Kind.RESULTS_RELEASED, now)
        await reader.wish(muted=["results_released:email"])
        await deliver(post)
        assert inbox.envelopes == []
        assert await reader.states() == [
            ("email", "dropped", 1, "muted"),
            ("push", "sent", 1, None),
        ]

    async def test_the_banned_and_the_gone_hear_nothing(
        self, engine: AsyncEngine, post: Components, now: datetime, inbox: Inbox
    ) -> None:
        banned, gone = await add_readers(engine, now, 2)
        for reader in (banned, gone):
            await reader.tell(Kind.CANCELLED, now)
        async with unit_of_work(engine) as uow:
            await uow.session.execute(update(User).where(User.id == banned.user.id).values(active=False))
            await uow.session.execute(delete(Notification).where(Notification.user_id == gone.user.id))
        await deliver(post)
        assert inbox.envelopes == []
        assert {state[3] for state in await banned.states()} == {"banned"}


class TestPresentState:
    async def test_a_mail_that_waits_goes_to_the_new_address_in_the_new_language(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        await reader.tell(Kind.CANCELLED, now)
        new = f"{uuid4().hex}@example.org"
        async with unit_of_work(engine) as uow:
            await uow.users.change(reader.user.id, {"email": new, "language": "hi"})
        await deliver(post)
        assert inbox.to(reader.user.email) == []
        (mail,) = inbox.to(new)
        assert str(mail["Subject"]).startswith("रद्द")
        assert [(each.channel, each.target) for each in await deliveries(engine, reader.user)] == [
            ("email", new),
            ("push", reader.phone),
        ]

    async def test_a_new_address_is_not_held_for_dead_because_the_old_one_was(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        await reader.tell(Kind.CANCELLED, now)
        new = f"{uuid4().hex}@example.org"
        async with unit_of_work(engine) as uow:
            await uow.preferences.mark_address_dead(reader.user.email, "550", now)
            await uow.users.change(reader.user.id, {"email": new})
        await deliver(post)
        assert len(inbox.to(new)) == 1

    async def test_who_has_lost_the_address_gets_no_mail(
        self, engine: AsyncEngine, post: Components, reader: Reader, now: datetime, inbox: Inbox
    ) -> None:
        await reader.tell(Kind.CANCELLED, now)
        async with unit_of_work(engine) as uow:
            await uow.users.change(reader.user.id, {"email": ""})
        await deliver(post)
        assert inbox.to(reader.user.email) == []
        assert [each[1] for each in await reader.states()] == ["dropped", "sent"]


class TestQuietHours:
    async def _in_the_night(self, engine: AsyncEngine, now: datetime) -> tuple[Reader, datetime]:
        """Somebody in whose quiet hours it is, with two hours to go; and their end."""
        reader = await add_reader(engine, now, timezone="UTC")
        begin, end = now - timedelta(hours=3), now + timedelta(hours=2)
        end = end.replace(second=0, microsecond=0)
        hours = {
            "quiet_from": time(begin.hour, begin.minute),
            "quiet_until": time(end.hour, end.minute),
        }
        await reader.wish(**hours)
        return reader, end

    async def test_what_can_wait_waits_for_their_end(
        self, engine: AsyncEngine, post: Components, now: datetime, inbox: Inbox, clock: TestClock
    ) -> None:
        reader, end = await self._in_the_night(engine, now)
        await reader.tell(Kind.RESULTS_RELEASED, now)
        await deliver(post)
        assert inbox.envelopes == []
        assert [(each.status, each.tries, each.due_at) for each in await deliveries(engine, reader.user)] == [
            ("waiting", 0, end)
        ] * 2
        clock.advance((end - now).total_seconds() + 1)
        await deliver(post)
        assert await reader.states() == SENT

    @pytest.mark.parametrize("change", ["shorter", "none", "time zone", "longer"])
    async def test_a_change_applies_to_what_waits(
        self, engine: AsyncEngine, post: Components, now: datetime, clock: TestClock, change: str
    ) -> None:
        reader, end = await self._in_the_night(engine, now)
        await reader.tell(Kind.RESULTS_RELEASED, now)
        await deliver(post)
        soon = (now + timedelta(hours=1)).replace(second=0, microsecond=0)
        late = end + timedelta(hours=1)
        await self._change(engine, reader, change, now, soon, late)
        await deliver(post)
        expected = {"shorter": ("waiting", soon), "longer": ("waiting", late)}.get(change, ("sent", None))
        waiting = await deliveries(engine, reader.user)
        assert {(each.status, each.due_at if expected[1] else None) for each in waiting} == {expected}
        clock.advance((late - now).total_seconds() + 1)
        await deliver(post)
        assert await reader.states() == SENT

    async def _change(
        self, engine: AsyncEngine, reader: Reader, change: str, now: datetime, soon: datetime, late: datetime
    ) -> None:
        begin = (now - timedelta(hours=3)).time().replace(second=0, microsecond=0)
        hours = {"shorter": (begin, soon.time()), "longer": (begin, late.time()), "none": (None, None)}
        async with unit_of_work(engine) as uow:
            person = await find_principal(uow, reader.user.id, "session", now)
            assert person is not None
            if change == "time zone":  # Ten hours ahead it is day.
                await change_profile(uow, person, ProfileUpdate(timezone="Australia/Brisbane"), now)
            else:
                await notifications.change(uow, person, {}, hours[change], now)

    async def test_a_delivery_that_is_being_sent_is_not_made_due_again(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        reader, _ = await self._in_the_night(engine, now)
        await reader.tell(Kind.CANCELLED, now)
        async with unit_of_work(engine) as uow:
            leased = await uow.deliveries.lease_due(now, timedelta(minutes=5), 100)
        await self._change(engine, reader, "none", now, now, now)
        async with unit_of_work(engine) as uow:
            assert await uow.deliveries.lease_due(now, timedelta(minutes=5), 100) == []
            await uow.deliveries.postpone_untried(leased, now)
        await deliver(post)
        assert await reader.states() == SENT

    async def test_a_change_while_the_delivery_is_postponed_is_not_missed(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        """The worker has read the quiet hours, and stores their end only after they were changed."""
        reader, _ = await self._in_the_night(engine, now)
        await reader.tell(Kind.RESULTS_RELEASED, now)
        async with unit_of_work(engine) as uow:
            person = await find_principal(uow, reader.user.id, "session", now)
            assert person is not None
            await notifications.change(uow, person, {}, (None, None), now)
            await uow.attempts.flush()
            sending = asyncio.create_task(deliver(post))
            await until_blocking(engine, uow)
        await sending
        assert await reader.states() == SENT

    @pytest.mark.parametrize("kind", [Kind.OPENS_IN_15_MINUTES, Kind.CANCELLED, Kind.POSTPONED])
    async def test_what_cannot_wait_does_not(
        self, engine: AsyncEngine, post: Components, now: datetime, inbox: Inbox, kind: Kind
    ) -> None:
        reader, _ = await self._in_the_night(engine, now)
        if kind is Kind.POSTPONED:
            await notifications.postponed(post, reader.event.exam_id, now)
        else:
            await reader.tell(kind, now)
        await deliver(post)
        assert await reader.states() == SENT
