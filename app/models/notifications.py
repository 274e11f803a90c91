"""Notifications, their deliveries, devices, and what people want to receive."""

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
    KEY_REVISED = "key_revised"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    EXTRA_TIME = "extra_time"
    REGISTRATION_CHANGED = "registration_changed"
    ENROLMENT_CHANGED = "enrolment_changed"
    KEY_SHOWN = "key_shown"
    OBJECTION_DECIDED = "objection_decided"


class Channel(StrEnum):
    """How a notification is sent, besides the inbox."""

    EMAIL = "email"
    PUSH = "push"


class Notification(Identified, Base):
    """An entry in a person's inbox. `dedupe_key` identifies the event, for one entry an event."""

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
    """Title and body are the same for all recipients. Times are in `data`, because time zones differ."""
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    read_at: Mapped[datetime | None]


class Delivery(Identified, Base):
    """The sending of one notification to one address or device.

    A worker that takes it sets `due_at` to the end of a lease. If the worker dies, another one takes it then.
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
    """The address or the device's token at the time of creation."""
    status: Mapped[str] = mapped_column(server_default="waiting")
    urgent: Mapped[bool] = mapped_column(server_default="false")
    """Urgent deliveries are sent before all others."""
    tries: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """The delivery is dropped after this time."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deferred: Mapped[bool] = mapped_column(server_default="false")
    """Whether it waits for the end of quiet hours. A change of the quiet hours then makes it due at once."""
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why the delivery was dropped, or why the last try failed."""


class Device(Base):
    """An installation of the app that receives push messages, identified by its FCM token."""

    __tablename__ = "devices"
    __table_args__ = (
        CheckConstraint("platform in ('android', 'ios', 'web')", name="platform"),
        Index("ix_devices_user_id", "user_id", "seen_at"),
    )

    token: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_id: Mapped[str | None]
    """The session that registered it last. Null for devices of earlier versions."""
    platform: Mapped[str]
    language: Mapped[str | None]
    """The language of the device; null: that of the person."""
    seen_at: Mapped[datetime]
    dropped_at: Mapped[datetime | None]
    """When FCM reported that the token is not registered any more."""


class DeadAddress(Base):
    """An e-mail address in lower case that its server has refused permanently."""

    __tablename__ = "dead_addresses"

    address: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    since: Mapped[datetime]


class NotificationSettings(Base):
    """What a person does not want to receive, and their quiet hours. No row means no restriction."""

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
