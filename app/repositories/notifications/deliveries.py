"""The queue of mails and push messages. A worker leases due deliveries, sends them and records the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, delete, func, select, update

from app.models import DeadAddress, Delivery, Device, Notification, NotificationSettings, User
from app.repositories.base import Repository


@dataclass(frozen=True, slots=True)
class OutgoingDelivery:
    """A delivery with the current rows that decide whether and how it is sent."""

    delivery: Delivery
    notification: Notification
    user: User
    preferences: NotificationSettings | None
    device: Device | None
    """The user's device with this token. None if the token belongs to another user now, or is unknown."""
    dead_address: bool


class DeliveryRepository(Repository):
    """The queue of deliveries."""

    async def lease_due(self, now: datetime, lease: timedelta, limit: int) -> Sequence[UUID]:
        """Lease due deliveries, urgent ones first. No other worker gets them before the lease ends."""
        due = (
            select(Delivery.id)
            .where(Delivery.status == "waiting", Delivery.due_at <= now)
            .order_by(Delivery.urgent.desc(), Delivery.due_at, Delivery.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(Delivery)
            .where(Delivery.id.in_(due))
            .values(due_at=now + lease, tries=Delivery.tries + 1, deferred=False)
            .returning(Delivery.id)
        )
        return (await self._session.scalars(statement)).all()

    async def outgoing(self, delivery_ids: Sequence[UUID]) -> list[OutgoingDelivery]:
        """These deliveries with what is needed to send them, urgent ones first."""
        its_device = and_(
            Delivery.channel == "push",
            Device.token == Delivery.target,
            Device.user_id == Notification.user_id,
            Device.dropped_at.is_(None),
        )
        statement = (
            select(Delivery, Notification, User, NotificationSettings, Device, DeadAddress.address)
            .join(Notification, Notification.id == Delivery.notification_id)
            .join(User, User.id == Notification.user_id)
            .outerjoin(NotificationSettings, NotificationSettings.user_id == User.id)
            .outerjoin(Device, its_device)
            .outerjoin(DeadAddress, DeadAddress.address == func.lower(User.email))
            .where(Delivery.id.in_(delivery_ids))
            .order_by(Delivery.urgent.desc(), Delivery.created_at, Delivery.id)
        )
        rows = await self._session.execute(statement)
        return [OutgoingDelivery(*row[:5], dead_address=row[5] is not None) for row in rows]

    async def mark_sent(self, delivery_id: UUID, target: str, now: datetime) -> None:
        """Mark a delivery as sent to this address or device."""
        await self._change(delivery_id, status="sent", sent_at=now, target=target, error=None)

    async def mark_dropped(self, delivery_id: UUID, why: str) -> None:
        """Mark a delivery as dropped: it will not be sent."""
        await self._change(delivery_id, status="dropped", error=why)

    async def schedule_retry(self, delivery_id: UUID, due_at: datetime, why: str) -> None:
        """Schedule another try of a delivery that failed."""
        await self._change(delivery_id, due_at=due_at, error=why)

    async def postpone_untried(self, delivery_ids: Sequence[UUID], due_at: datetime) -> None:
        """Postpone leased deliveries that were not attempted. The lease does not count as a try."""
        statement = update(Delivery).where(Delivery.id.in_(delivery_ids), Delivery.status == "waiting")
        await self._session.execute(statement.values(due_at=due_at, tries=Delivery.tries - 1))

    async def defer(self, delivery_id: UUID, until: datetime) -> None:
        """Postpone a leased delivery to the end of quiet hours. The lease does not count as a try."""
        await self._change(delivery_id, due_at=until, tries=Delivery.tries - 1, deferred=True)

    async def end_deferral(self, user_id: UUID, now: datetime) -> None:
        """Make a user's deferred deliveries due, so that the quiet hours of now decide about them."""
        of_user = select(Notification.id).where(Notification.user_id == user_id)
        await self._session.execute(
            update(Delivery)
            .where(Delivery.notification_id.in_(of_user), Delivery.status == "waiting", Delivery.deferred)
            .values(due_at=now, deferred=False)
            .execution_options(synchronize_session=False)
        )

    async def delete_ended(self, before: datetime) -> None:
        """Delete old deliveries that were sent or dropped. Notifications stay in the inbox."""
        await self._session.execute(
            delete(Delivery).where(Delivery.status != "waiting", Delivery.created_at < before)
        )

    async def _change(self, delivery_id: UUID, **values: object) -> None:
        statement = update(Delivery).where(Delivery.id == delivery_id, Delivery.status == "waiting")
        await self._session.execute(statement.values(**values))
