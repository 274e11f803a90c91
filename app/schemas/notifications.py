"""The inbox, devices, and what people wish to be sent."""

from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.models import Channel, Kind
from app.schemas.common import In, LanguageTag, Out
from app.services.notifications import Wishes

DeviceToken = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,1000}$")]


class NotificationOut(Out):
    """Something that you were told. `data` depends on the kind and names times, exam and paper."""

    id: UUID
    kind: Kind
    title: dict[str, str]
    body: dict[str, str]
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


class ReadOut(Out):
    """How many notifications were unread until now."""

    read: int


class DeviceIn(In):
    """An app's installation that takes push messages."""

    platform: Literal["android", "ios", "web"]
    language: LanguageTag | None = None


class DeviceOut(Out):
    """A device that push messages go to; without a language of its own, in that of your profile."""

    platform: Literal["android", "ios", "web"]
    language: str | None
    seen_at: datetime


_Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), Field(examples=["22:00"])]


class QuietHours(In):
    """From when until when, by the clock of your profile's time zone; over midnight too."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    from_: Annotated[_Clock, Field(alias="from")]
    to: _Clock

    @model_validator(mode="after")
    def _are_some(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("Quiet hours begin and end at different times.")
        return self

    @property
    def times(self) -> tuple[time, time]:
        """Both ends."""
        return time.fromisoformat(self.from_), time.fromisoformat(self.to)

    @classmethod
    def of(cls, hours: tuple[time, time] | None) -> Self | None:
        """The same as text."""
        if hours is None:
            return None
        begin, end = hours
        return cls.model_validate({"from": f"{begin:%H:%M}", "to": f"{end:%H:%M}"})


class ChannelsIn(In):
    """Whether a kind is sent by mail, and by push; what is left out stays as it is."""

    email: bool | None = None
    push: bool | None = None

    @property
    def given(self) -> dict[Channel, bool]:
        """What was said."""
        said = {Channel.EMAIL: self.email, Channel.PUSH: self.push}
        return {channel: wished for channel, wished in said.items() if wished is not None}


class PreferencesIn(In):
    """What you wish to be sent; what is left out stays as it is. `quiet_hours: null` ends them."""

    kinds: Annotated[dict[Kind, ChannelsIn], Field(default_factory=dict)]
    quiet_hours: QuietHours | None = None


class ChannelsOut(Out):
    """Whether a kind is sent by mail, and by push."""

    email: bool
    push: bool


class PreferencesOut(Out):
    """What you are sent. The inbox has everything."""

    kinds: dict[Kind, ChannelsOut]
    quiet_hours: QuietHours | None

    @classmethod
    def of(cls, wishes: Wishes) -> Self:
        """A person's wishes."""
        return cls(
            kinds={
                kind: ChannelsOut(email=channels[Channel.EMAIL], push=channels[Channel.PUSH])
                for kind, channels in wishes.kinds.items()
            },
            quiet_hours=QuietHours.of(wishes.quiet_hours),
        )
