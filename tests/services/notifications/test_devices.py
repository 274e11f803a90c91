"""Devices of a person: as many as they may have, also where two are registered at once."""

from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Device
from app.repositories.notifications import MAX_DEVICES, NewDevice
from app.services import notifications
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from tests.builders.attempts import add_candidate
from tests.two_connections import overlap


async def test_two_that_register_at_once_leave_as_many_as_a_person_may_have(
    engine: AsyncEngine, parts: Components
) -> None:
    now = parts.clock.now()
    async with unit_of_work(engine) as uow:
        person = await add_candidate(uow)

    async def register(uow: UnitOfWork) -> None:
        await notifications.register_device(uow, person, now, NewDevice(uuid4().hex, "android", None), now)

    for _ in range(MAX_DEVICES):
        async with unit_of_work(engine) as uow:
            await register(uow)
    both = await overlap(engine, register, register)
    assert (both.waited, both.second.code) == (True, "ok")
    async with reading(engine) as reads:
        statement = select(func.count()).select_from(Device).where(Device.user_id == person.id)
        assert await reads.session.scalar(statement) == MAX_DEVICES
