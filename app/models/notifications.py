"""What people were told, where it goes, and what they wish to hear."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, LocalizedText


class Kind(StrEnum):
    """What a notification is about."""

    WELCOME = "welcome"
    REGISTERED = "registered"
    OPENS_IN_24_HOURS = "opens_in_24_hours"
    OPENS_IN_15_MINUTES = "opens_in_15_minutes"
    SUBMITTED = "submitted"
    RESULTS_RELEASED = "results_released"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


class Channel(StrEnum):
    """By what a notification reaches somebody who is not looking into the app."""

    EMAIL = "email"
    PUSH = "push"


class Notification(Identified, Base):
    """A line in somebody's inbox. `dedupe_key` names the fact that it tells, so that each is told once."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "dedupe_key"),
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", "id", postgresql_where=text("read_at is null")),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    dedupe_key: Mapped[str]
    title: Mapped[LocalizedText]
    body: Mapped[LocalizedText]
    """Both are the same for all who are told, so they name no time: `data` has it, zones differ."""
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    read_at: Mapped[datetime | None]


class Delivery(Identified, Base):
    """One notification on its way to one address or device.

    Taking it to send it moves `due_at` to the end of a lease: whoever dies with it in hand loses nothing.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel", "target"),
        CheckConstraint("channel in ('email', 'push')", name="channel"),
        CheckConstraint("status in ('waiting', 'sent', 'dropped')", name="status"),
        Index(
            "ix_deliveries_due",
            text("urgent desc"),
            "due_at",
            "id",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_deliveries_ended", "created_at", postgresql_where=text("status <> 'waiting'")),
    )

    notification_id: Mapped[UUID] = mapped_column(ForeignKey("notifications.id", ondelete="CASCADE"))
    channel: Mapped[str]
    target: Mapped[str]
    """The address or the device's token, as they were when it was made."""
    status: Mapped[str] = mapped_column(server_default="waiting")
    urgent: Mapped[bool] = mapped_column(server_default="false")
    """Goes before what is not, however long that has waited."""
    tries: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """After this it would be noise."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why it was dropped, or why the last try failed."""


class Device(Base):
    """An app's installation that takes push messages; FCM knows it by its token."""

    __tablename__ = "devices"
    __table_args__ = (
        CheckConstraint("platform in ('android', 'ios', 'web')", name="platform"),
        Index("ix_devices_user_id", "user_id", "seen_at"),
    )

    token: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    platform: Mapped[str]
    language: Mapped[str | None]
    """What it shows; without one, the person's."""
    seen_at: Mapped[datetime]
    dropped_at: Mapped[datetime | None]
    """When FCM said that nobody is there any more."""


class DeadAddress(Base):
    """An e-mail address that its server refuses for good. Kept in lower case."""

    __tablename__ = "dead_addresses"

    address: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    since: Mapped[datetime]


class NotificationSettings(Base):
    """What somebody does not wish to be sent, and when not. No row: everything, at any time."""

    __tablename__ = "notification_settings"
    __table_args__ = (
        CheckConstraint("num_nulls(quiet_from, quiet_until) in (0, 2)", name="quiet_hours"),
        CheckConstraint("quiet_from <> quiet_until", name="quiet_hours_are_some"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    muted: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    """`kind:channel`, such as `results_released:email`."""
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    """In the person's own time zone."""
