"""A person's own notifications and devices."""

from datetime import datetime
from uuid import UUID

from app.core.errors import NotFound
from app.models import Device, Notification
from app.repositories.base import Page, PageRequest
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


async def page(
    reads: Reading, user: Principal, request: PageRequest, *, unread: bool | None
) -> Page[Notification]:
    """What they were told, the newest first."""
    return await reads.notifications.page(user.id, request, unread=unread)


async def mark_read(uow: UnitOfWork, user: Principal, notification_id: UUID, now: datetime) -> Notification:
    """They have seen it. The first time stands."""
    return await uow.notifications.mark_read(user.id, notification_id, now)


async def mark_all_read(uow: UnitOfWork, user: Principal, now: datetime) -> int:
    """They have seen all of it; how many were new to them."""
    return await uow.notifications.mark_all_read(user.id, now)


async def register_device(
    uow: UnitOfWork, user: Principal, token: str, platform: str, language: str | None, now: datetime
) -> Device:
    """Send push messages to this device, and from now on only this person's."""
    await uow.users.lock(user.id)  # Of two that register at once, the second counts the first.
    return await uow.devices.register(token, user.id, platform, language, now)


async def remove_device(uow: UnitOfWork, user: Principal, token: str) -> None:
    """Send it no more."""
    if not await uow.devices.remove(token, user.id):
        raise NotFound("device")
