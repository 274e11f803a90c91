"""The application's parts with a real mail server and a server that answers as Firebase does."""

import random
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import delete

from app.core.mail import SmtpMailer
from app.core.push import FcmPusher, ServiceAccount
from app.models import Delivery
from app.services import notifications
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.conftest import TestClock
from tests.servers.firebase import Firebase, serving_firebase
from tests.servers.mail import Inbox, serving

SENDER = "IAS Test Series <no-reply@ias.example>"
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The servers of these tests use no TLS. By default, each client reads all certificates of the system."""


@pytest.fixture(scope="session")
def firebase() -> Iterator[Firebase]:
    with serving_firebase() as firebase:
        yield firebase


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def post(
    parts: Components, clock: TestClock, inbox: Inbox, firebase: Firebase
) -> AsyncIterator[Components]:
    """Parts that send, at a time that no other test has. What others have left to send is deleted."""
    clock.advance(timedelta(days=random.randint(100, 20_000)).total_seconds())
    firebase.answers.clear()
    async with serving(inbox) as address, httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
        mailer = SmtpMailer(f"smtp://{address}", SENDER, clock)
        account = ServiceAccount.read(firebase.account)
        pusher = FcmPusher(account, http, clock, firebase.url)
        await _forget_what_others_left(parts)
        yield replace(parts, mailer=mailer, pusher=pusher)
        await mailer.close()


@pytest.fixture
def now(post: Components) -> datetime:
    """The time of the test."""
    return post.clock.now().replace(microsecond=0)


async def deliver(post: Components) -> None:
    """Send all that is due."""
    while await notifications.deliver_due(post):
        pass


async def _forget_what_others_left(parts: Components) -> None:
    async with unit_of_work(parts.engine) as uow:
        await uow.session.execute(delete(Delivery))
