"""A user's own notifications and devices."""

from datetime import datetime
from uuid import UUID

from app.core.errors import NotFound, SessionRevoked
from app.models import Device, Notification
from app.repositories.base import Page, PageRequest
from app.repositories.notifications import NewDevice
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


async def page(
    reads: Reading, user: Principal, request: PageRequest, *, unread: bool | None
) -> Page[Notification]:
    """The user's notifications, newest first."""
    return await reads.notifications.page(user.id, request, unread=unread)


async def count_unread(reads: Reading, user: Principal) -> int:
    """How many of the user's notifications are unread."""
    return await reads.notifications.count_unread(user.id)


async def mark_read(uow: UnitOfWork, user: Principal, notification_id: UUID, now: datetime) -> Notification:
    """Mark a notification as read. The time of the first call is kept."""
    return await uow.notifications.mark_read(user.id, notification_id, now)


async def mark_all_read(uow: UnitOfWork, user: Principal, now: datetime) -> int:
    """Mark all notifications as read. Returns how many were unread."""
    return await uow.notifications.mark_all_read(user.id, now)


async def register_device(
    uow: UnitOfWork, user: Principal, signed_in_at: datetime, new: NewDevice, now: datetime
) -> Device:
    """Register a device for push messages. It belongs to this user's session alone from now on.

    Raises SessionRevoked if the session was ended after the request was authenticated. The lock also keeps
    concurrent registrations from exceeding MAX_DEVICES.
    """
    await uow.users.lock(user.id)
    if await uow.revocations.cover(user.id, user.session_id, signed_in_at):
        raise SessionRevoked
    return await uow.devices.register(new, user.id, user.session_id, now)


async def remove_device(uow: UnitOfWork, user: Principal, token: str) -> None:
    """Stop sending push messages to a device."""
    if not await uow.devices.remove(token, user.id):
        raise NotFound("device")
