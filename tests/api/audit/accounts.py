"""Actions on accounts, the roster and the institute."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

from app.models import DEFAULT_INSTITUTE_ID, DEFAULT_INSTITUTE_NAME, Role
from app.services import accounts
from app.services.unit_of_work import unit_of_work
from tests.api.audit.scenarios import Actor, Done, World, scenario
from tests.builders.accounts import Worker, delete_account
from tests.builders.exams import body_of
from tests.builders.people import new_email


@scenario(user=["change_role", "change_enrolment", "sign_out", "change_status"])
async def administer(world: World) -> AsyncIterator[Done]:
    person = await world.person()
    body_of(await world.admin.put(f"/users/{person}/role", json={"role": "author"}))
    yield Done("user", "change_role", person)
    body_of(await world.admin.put(f"/users/{person}/enrolment", json={"enrolled": True}))
    yield Done("user", "change_enrolment", person)
    assert (await world.admin.post(f"/users/{person}/sign-out")).status_code == 204
    yield Done("user", "sign_out", person)
    body_of(await world.admin.put(f"/users/{person}/status", json={"active": False}))
    yield Done("user", "change_status", person)


@scenario(user=["create", "reset_password"])
async def at_the_command_line(world: World) -> AsyncIterator[Done]:
    email = new_email()
    async with unit_of_work(world.engine) as uow:
        member = await accounts.create(uow, world.parts, email, "a good password", "", Role.ADMIN)
    yield Done("user", "create", member.user.id, Actor.NOBODY)
    await accounts.reset_password(world.parts, email)
    yield Done("user", "reset_password", member.user.id, Actor.NOBODY)


@scenario(user=["delete_account", "restore"])
async def delete_and_restore(world: World) -> AsyncIterator[Done]:
    person = await _deleted(world)
    yield Done("user", "delete_account", person, Actor.PERSON)
    body_of(await world.admin.post(f"/users/{person}/restore"))
    yield Done("user", "restore", person)


@scenario(user=["purge"])
async def purge(world: World) -> AsyncIterator[Done]:
    person = await _deleted(world)
    await Worker(world.parts, world.engine, world.clock).purge()
    yield Done("user", "purge", person, Actor.NOBODY)


async def _deleted(world: World) -> UUID:
    client = await world.people.candidate()
    return UUID(body_of(await delete_account(client), 202)["id"])


@scenario(roster=["import"])
async def import_roster(world: World) -> AsyncIterator[Done]:
    roster = f"email,name\n{new_email()},Asha Rao\n"
    body_of(await world.admin.post("/users/import", files={"file": roster.encode()}))
    yield Done("roster", "import")


@scenario(institute=["rename"])
async def rename(world: World) -> AsyncIterator[Done]:
    for name in (f"Academy {uuid4().hex[:8]}", DEFAULT_INSTITUTE_NAME):
        body_of(await world.admin.patch("/institute", json={"name": name}))
        yield Done("institute", "rename", DEFAULT_INSTITUTE_ID)
