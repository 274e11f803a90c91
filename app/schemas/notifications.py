"""Notifications, devices and preferences."""

from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.models import Channel, Kind
from app.schemas.common import In, LanguageTag, LocalizedText, Out
from app.services.notifications import Preferences

DeviceToken = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,1000}$")]


class NotificationOut(Out):
    """A notification. `data` depends on the kind and has times, exam and paper."""

    id: UUID
    kind: Kind
    title: LocalizedText
    body: LocalizedText
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


class ReadOut(Out):
    """The number of notifications that were marked as read."""

    read: int


class DeviceIn(In):
    """An installation of the app that receives push messages."""

    platform: Literal["android", "ios", "web"]
    language: LanguageTag | None = None


class DeviceOut(Out):
    """A device that receives push messages. Without a language, the profile's is used."""

    platform: Literal["android", "ios", "web"]
    language: str | None
    seen_at: datetime


_Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), Field(examples=["22:00"])]


class QuietHours(In):
    """Start and end of quiet hours in your profile's time zone. They may include midnight."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    from_: Annotated[_Clock, Field(alias="from")]
    to: _Clock

    @model_validator(mode="after")
    def _are_some(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("Quiet hours must start and end at different times.")
        return self

    @property
    def times(self) -> tuple[time, time]:
        """Start and end."""
        return time.fromisoformat(self.from_), time.fromisoformat(self.to)

    @classmethod
    def of(cls, hours: tuple[time, time] | None) -> Self | None:
        """Quiet hours with times as text."""
        if hours is None:
            return None
        begin, end = hours
        return cls.model_validate({"from": f"{begin:%H:%M}", "to": f"{end:%H:%M}"})


class ChannelsIn(In):
    """Whether a kind is sent by mail and by push. Channels that are left out do not change."""

    email: bool | None = None
    push: bool | None = None

    @property
    def given(self) -> dict[Channel, bool]:
        """The channels that were sent."""
        channels = {Channel.EMAIL: self.email, Channel.PUSH: self.push}
        return {channel: wanted for channel, wanted in channels.items() if wanted is not None}


class PreferencesIn(In):
    """Preferences to change. Fields that are left out do not change; `quiet_hours: null` turns them off."""

    kinds: Annotated[dict[Kind, ChannelsIn], Field(default_factory=dict)]
    quiet_hours: QuietHours | None = None


class ChannelsOut(Out):
    """Whether a kind is sent by mail and by push."""

    email: bool
    push: bool


class PreferencesOut(Out):
    """What is sent by mail and push. The inbox has all notifications."""

    kinds: dict[Kind, ChannelsOut]
    quiet_hours: QuietHours | None

    @classmethod
    def of(cls, preferences: Preferences) -> Self:
        """A user's preferences."""
        return cls(
            kinds={
                kind: ChannelsOut(email=channels[Channel.EMAIL], push=channels[Channel.PUSH])
                for kind, channels in preferences.kinds.items()
            },
            quiet_hours=QuietHours.of(preferences.quiet_hours),
        )
