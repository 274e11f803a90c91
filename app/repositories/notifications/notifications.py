"""Notifications, devices and notification preferences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, DateTime, Integer, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from app.core.errors import NotFound
from app.core.ids import uuid7
from app.models import DeadAddress, Device, Kind, Notification, NotificationSettings
from app.models.base import LocalizedText
from app.models.message_data import NotificationHint
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank

MAX_DEVICES = 20

# One statement inserts, for each recipient, the notification, the message for sockets, and the deliveries by
# mail and push that the recipient has not muted. The first insert skips recipients who have the notification
# already, and the others insert only for those that it returns. Concurrent statements wait at the first
# insert. Recipients of the same text share one row of `notice`.
CREATE = text(
    """
    with recipient as (
      select * from unnest(:ids, :hint_ids, :user_ids, :numbers) as recipient(id, hint_id, user_id, number)
    ), notice as (
      select * from jsonb_to_recordset(:notices) as notice(
        number int, kind text, dedupe_key text, title jsonb, body jsonb, data jsonb, urgent boolean,
        expires_at timestamptz, hint jsonb)
    ), created as (
      insert into ias.notifications (id, user_id, kind, dedupe_key, title, body, data, created_at)
      select recipient.id, users.id, kind, dedupe_key, title, body, data, :now
      from recipient join notice using (number) join ias.users on users.id = recipient.user_id
      where users.active
      order by users.id, dedupe_key
      on conflict (user_id, dedupe_key) do nothing
      returning id, user_id
    ), hinted as (
      insert into ias.messages (id, room, audience, user_id, type, data)
      select recipient.hint_id, 'user:' || created.user_id, 'user', created.user_id, 'notification',
        jsonb_build_object('id', created.id) || notice.hint
      from created join recipient on recipient.id = created.id join notice using (number)
    ), wanted as (
      select created.id, created.user_id, channel, urgent, expires_at
      from created
      join recipient on recipient.id = created.id
      join notice using (number)
      cross join unnest(array['email', 'push']) as channel
      left join ias.notification_settings as settings on settings.user_id = created.user_id
      where settings.user_id is null or kind || ':' || channel <> all(settings.muted)
    ), mailed as (
      insert into ias.deliveries (
        id, notification_id, channel, target, urgent, due_at, expires_at, created_at)
      select gen_random_uuid(), wanted.id, 'email', users.email, urgent, :now, expires_at, :now
      from wanted join ias.users on users.id = wanted.user_id
      where channel = 'email' and users.email <> ''
        and not exists (select from ias.dead_addresses where address = lower(users.email))
    ), pushed as (
      insert into ias.deliveries (
        id, notification_id, channel, target, urgent, due_at, expires_at, created_at)
      select gen_random_uuid(), wanted.id, 'push', devices.token, urgent, :now, expires_at, :now
      from wanted join ias.devices on devices.user_id = wanted.user_id and devices.dropped_at is null
      where channel = 'push' and :push
    )
    select count(*) from created
    """
).bindparams(
    bindparam("ids", type_=ARRAY(PG_UUID)),
    bindparam("hint_ids", type_=ARRAY(PG_UUID)),
    bindparam("user_ids", type_=ARRAY(PG_UUID)),
    bindparam("numbers", type_=ARRAY(Integer)),
    bindparam("notices", type_=JSONB),
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("push", type_=Boolean),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """The content of a notification. Recipients of the same content share one object."""

    kind: str
    dedupe_key: str
    title: LocalizedText
    body: LocalizedText
    data: dict[str, Any]
    urgent: bool
    expires_at: datetime | None = None


def _row(number: int, notice: Notice, now: datetime) -> dict[str, Any]:
    """A row of `notice`. Its `hint` and the notification's id make a `NotificationData`."""
    expires_at = notice.expires_at.isoformat() if notice.expires_at is not None else None
    hint = NotificationHint(kind=Kind(notice.kind), title=notice.title, created_at=now).document()
    return {**asdict(notice), "number": number, "expires_at": expires_at, "hint": hint}


class NotificationRepository(Repository):
    """Notifications of users."""

    async def create(self, notices: Sequence[tuple[UUID, Notice]], now: datetime, *, push: bool) -> int:
        """Create a notification for each user who does not have it yet. Returns how many were created."""
        rows: dict[int, dict[str, Any]] = {}
        for _, notice in notices:
            rows.setdefault(id(notice), _row(len(rows), notice, now))
        values = {
            "ids": [uuid7(now) for _ in notices],
            "hint_ids": [uuid7(now) for _ in notices],
            "user_ids": [user_id for user_id, _ in notices],
            "numbers": [rows[id(notice)]["number"] for _, notice in notices],
            "notices": list(rows.values()),
            "now": now,
            "push": push,
        }
        return (await self._session.scalar(CREATE, values)) or 0

    async def page(self, user_id: UUID, page: PageRequest, *, unread: bool | None) -> Page[Notification]:
        """A user's notifications, newest first. `unread` selects unread (True) or read (False) ones."""
        statement = select(Notification).where(Notification.user_id == user_id)
        if unread is not None:
            statement = statement.where(Notification.read_at.is_(None) == unread)
        return await self._page(statement, [Notification.id], page, descending=True)

    async def mark_read(self, user_id: UUID, notification_id: UUID, now: datetime) -> Notification:
        """Set the time of first reading. Raises NotFound if it is not this user's notification."""
        mine = (Notification.id == notification_id, Notification.user_id == user_id)
        unread = update(Notification).where(*mine, Notification.read_at.is_(None)).values(read_at=now)
        await self._session.execute(unread)
        found = (await self._session.scalars(select(Notification).where(*mine))).one_or_none()
        if found is None:
            raise NotFound("notification")
        return found

    async def count_unread(self, user_id: UUID) -> int:
        """How many of the user's notifications are unread."""
        statement = select(func.count()).where(
            Notification.user_id == user_id, Notification.read_at.is_(None)
        )
        return (await self._session.scalar(statement)) or 0

    async def mark_all_read(self, user_id: UUID, now: datetime) -> int:
        """Mark all of a user's notifications as read. Returns how many were unread."""
        statement = (
            update(Notification)
            .where(Notification.user_id == user_id, Notification.read_at.is_(None))
            .values(read_at=now)
            .returning(Notification.id)
        )
        return len((await self._session.scalars(statement)).all())


@dataclass(frozen=True, slots=True)
class NewDevice:
    """An installation of the app, by its token of FCM. A language of None is that of the user."""

    token: str
    platform: str
    language: str | None


class DeviceRepository(Repository):
    """Devices that receive push messages."""

    async def register(self, new: NewDevice, user_id: UUID, session_id: str, now: datetime) -> Device:
        """Assign a device to this user. It replaces an earlier owner: an app has one account at a time."""
        values = {
            "user_id": user_id,
            "session_id": session_id,
            "platform": new.platform,
            "language": new.language,
            "seen_at": now,
            "dropped_at": None,
        }
        statement = (
            insert(Device)
            .values(token=new.token, **values)
            .on_conflict_do_update(index_elements=["token"], set_=values)
            .returning(Device)
        )
        device = (await self._session.scalars(statement, execution_options={"populate_existing": True})).one()
        await self._delete_oldest(user_id)
        return device

    async def remove_of_session(self, user_id: UUID, session_id: str) -> None:
        """Delete the devices that this session of the user registered last."""
        mine = Device.user_id == user_id, Device.session_id == session_id
        await self._session.execute(delete(Device).where(*mine))

    async def remove_of_user(self, user_id: UUID, *, except_session_id: str | None) -> None:
        """Delete the devices of all sessions of a user, or of all except one."""
        statement = delete(Device).where(Device.user_id == user_id)
        if except_session_id is not None:
            statement = statement.where(Device.session_id.is_distinct_from(except_session_id))
        await self._session.execute(statement)

    async def remove(self, token: str, user_id: UUID) -> bool:
        """Delete a device of this user. Returns whether there was one."""
        statement = delete(Device).where(Device.token == token, Device.user_id == user_id)
        return (await self._session.scalar(statement.returning(Device.token))) is not None

    async def drop(self, token: str, now: datetime) -> None:
        """Stop sending to a device whose token FCM has rejected."""
        await self._session.execute(update(Device).where(Device.token == token).values(dropped_at=now))

    async def _delete_oldest(self, user_id: UUID) -> None:
        kept = (
            select(Device.token)
            .where(Device.user_id == user_id)
            .order_by(Device.seen_at.desc(), Device.token)
            .limit(MAX_DEVICES)
        )
        await self._session.execute(
            delete(Device).where(Device.user_id == user_id, Device.token.not_in(kept))
        )


class PreferenceRepository(Repository):
    """Notification preferences, and email addresses that do not accept mail."""

    async def of(self, user_id: UUID) -> NotificationSettings | None:
        """A user's preferences. None if the user has never set any."""
        statement = select(NotificationSettings).where(NotificationSettings.user_id == user_id)
        return (await self._session.scalars(statement)).one_or_none()

    async def lock(self, user_id: UUID) -> NotificationSettings:
        """Lock and return a user's preferences. Creates the row if there is none."""
        first = insert(NotificationSettings).values(user_id=user_id).on_conflict_do_nothing()
        await self._session.execute(first)
        statement = select(NotificationSettings).where(NotificationSettings.user_id == user_id)
        return (await self._lock(Rank.PREFERENCES, Mode.EXCLUSIVE, statement)).one()

    async def mark_address_dead(self, address: str, reason: str, now: datetime) -> None:
        """Record that an email address does not accept mail."""
        values = {"address": address.lower(), "reason": reason, "since": now}
        await self._session.execute(insert(DeadAddress).values(values).on_conflict_do_nothing())
