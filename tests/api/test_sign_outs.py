"""The ends of sessions: what no longer reaches a device, and what a device may not do afterwards."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.push import FcmPusher, ServiceAccount
from app.models import Kind
from app.services import notifications
from app.services.auth import auth_mails
from app.services.auth.revocations import end_session, end_tokens
from app.services.components import Components
from app.services.notifications import NewDevice
from app.services.notifications.creating import build_notice
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import find_principal
from tests.builders.exams import body_of
from tests.builders.notifications import TITLE
from tests.builders.people import PASSWORD, People
from tests.mails import mailed_token
from tests.servers.firebase import Firebase, serving_firebase
from tests.two_connections import overlap

NEW_PASSWORD = "another-password"


@pytest.fixture(scope="module")
def firebase() -> Iterator[Firebase]:
    with serving_firebase() as firebase:
        yield firebase


@dataclass
class Phone:
    """A session of a person, with a device that it has registered."""

    client: httpx.AsyncClient
    token: str

    async def register(self) -> httpx.Response:
        return await self.client.put(f"/devices/{self.token}", json={"platform": "android"})


class Person:
    """Somebody with sessions on several phones."""

    def __init__(self, people: People, clients: AsyncExitStack, email: str) -> None:
        self._people, self._clients, self.email = people, clients, email

    async def phone(self) -> Phone:
        """Sign in on another phone, and register it."""
        async with self._people.client() as anonymous:
            answer = await anonymous.post("/auth/login", json={"email": self.email, "password": PASSWORD})
        client = self._people.client(answer.json()["access_token"])
        phone = Phone(await self._clients.enter_async_context(client), uuid4().hex)
        assert (await phone.register()).status_code == 200
        return phone

    async def id(self, phone: Phone) -> UUID:
        return UUID((await phone.client.get("/auth/me")).json()["id"])


@pytest.fixture
async def person(people: People) -> Any:
    email = body_of(await (await people.candidate()).get("/auth/me"))["email"]
    async with AsyncExitStack() as clients:
        yield Person(people, clients, email)


@dataclass
class Push:
    """Creates push messages, and sends them."""

    parts: Components
    firebase: Firebase

    async def create(self, user_id: UUID) -> None:
        exam_id = str(uuid4())
        data = {"exam_id": exam_id, "exam_title": TITLE, "version": 1, "revised": False}
        notice = build_notice(Kind.RESULTS_RELEASED, exam_id, data)
        async with unit_of_work(self.parts.engine) as uow:
            await uow.notifications.create([(user_id, notice)], self.parts.clock.now(), push=True)

    async def reached(self, *phones: Phone) -> list[bool]:
        """Send what is due. Which of the phones got a message?"""
        while await notifications.deliver_due(self.parts):
            pass
        return [bool(self.firebase.to(phone.token)) for phone in phones]


@pytest.fixture
async def push(parts: Components, firebase: Firebase) -> Any:
    async with httpx.AsyncClient() as http:
        account = ServiceAccount.read(firebase.account)
        pusher = FcmPusher(account, http, parts.clock, firebase.url)
        yield Push(replace(parts, pusher=pusher), firebase)


@dataclass
class Scene:
    """Who ends sessions, and how mails arrive."""

    person: Person
    user_id: UUID
    here: Phone
    api: httpx.AsyncClient
    admin: httpx.AsyncClient
    parts: Components
    mails: Path

    async def done(self, answer: httpx.Response) -> None:
        assert answer.is_success, answer.text


async def logout(scene: Scene, scope: str) -> None:
    await scene.done(await scene.here.client.post("/auth/logout", json={"scope": scope}))


async def logout_here(scene: Scene) -> None:
    await logout(scene, "local")


async def logout_everywhere(scene: Scene) -> None:
    await logout(scene, "global")


async def logout_elsewhere(scene: Scene) -> None:
    await logout(scene, "others")


async def change_password(scene: Scene) -> None:
    body = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    await scene.done(await scene.here.client.put("/auth/me", json=body))


async def reset_password(scene: Scene) -> None:
    await scene.api.post("/auth/forgot-password", json={"email": scene.person.email})
    while await auth_mails.send_due(scene.parts):
        pass
    token = await mailed_token(scene.mails, scene.person.email)
    body = {"token": token, "password": NEW_PASSWORD}
    await scene.done(await scene.api.post("/auth/reset-password", json=body))


async def ban(scene: Scene) -> None:
    status = f"/users/{scene.user_id}/status"
    await scene.done(await scene.admin.put(status, json={"active": False}))
    await scene.done(await scene.admin.put(status, json={"active": True}))


async def sign_out_by_admin(scene: Scene) -> None:
    await scene.done(await scene.admin.post(f"/users/{scene.user_id}/sign-out"))


@pytest.mark.parametrize(
    ("end", "here_stays", "there_stays"),
    [
        (logout_here, False, True),
        (logout_everywhere, False, False),
        (logout_elsewhere, True, False),
        (change_password, True, False),
        (reset_password, False, False),
        (ban, False, False),
        (sign_out_by_admin, False, False),
    ],
)
async def test_a_device_gets_no_message_once_its_session_has_ended(
    person: Person,
    push: Push,
    api: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    parts: Components,
    mail_folder: Path,
    end: Callable[[Scene], Awaitable[None]],
    here_stays: bool,
    there_stays: bool,
) -> None:
    here, there = await person.phone(), await person.phone()
    user_id = await person.id(here)
    await push.create(user_id)  # It waits while the session ends.
    await end(Scene(person, user_id, here, api, admin, parts, mail_folder))
    await push.create(user_id)
    assert await push.reached(here, there) == [here_stays, there_stays]
    assert [(await phone.register()).status_code for phone in (here, there)] == [
        200 if here_stays else 401,
        200 if there_stays else 401,
    ]


async def test_a_new_session_on_the_same_phone_gets_messages_again(person: Person, push: Push) -> None:
    phone = await person.phone()
    user_id = await person.id(phone)
    await phone.client.post("/auth/logout", json={"scope": "local"})
    again = replace(await person.phone(), token=phone.token)
    await again.register()
    await push.create(user_id)
    assert await push.reached(again) == [True]


async def test_a_phone_that_has_another_owner_gets_nothing_of_the_one_before(
    person: Person, push: Push, people: People
) -> None:
    phone = await person.phone()
    user_id = await person.id(phone)
    await push.create(user_id)
    other = Phone(await people.candidate(), phone.token)
    assert (await other.register()).status_code == 200
    await push.create(user_id)
    assert await push.reached(phone) == [False]
    await push.create(UUID((await other.client.get("/auth/me")).json()["id"]))
    assert await push.reached(phone) == [True]


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("registers_first", [True, False])
async def test_a_device_that_registers_while_its_session_ends_does_not_stay(
    person: Person,
    push: Push,
    parts: Components,
    engine: AsyncEngine,
    everywhere: bool,
    registers_first: bool,
) -> None:
    phone = await person.phone()
    user_id, session_id = await person.id(phone), str(uuid4())
    signed_in_at = parts.clock.now()
    late = uuid4().hex

    async def end(uow: UnitOfWork) -> None:
        if everywhere:
            await end_tokens(uow, user_id, signed_in_at)
        else:
            await end_session(uow, user_id, session_id, signed_in_at)

    async def register(uow: UnitOfWork) -> None:
        user = await find_principal(uow, user_id, session_id, signed_in_at)
        assert user is not None
        new = NewDevice(late, "android", None)
        await notifications.register_device(uow, user, signed_in_at, new, signed_in_at)

    both = await overlap(engine, *((register, end) if registers_first else (end, register)))
    assert both.waited
    assert [both.first.code, both.second.code] == ["ok", "ok" if registers_first else "session_revoked"]
    await push.create(user_id)
    assert await push.reached(replace(phone, token=late)) == [False]
