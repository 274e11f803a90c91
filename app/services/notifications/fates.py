"""Decides whether a due delivery is sent, postponed or dropped, by the current state of user and exam."""

from dataclasses import dataclass
from datetime import datetime

from app.engine.notices import QuietHours
from app.models import Channel, Kind
from app.repositories.notifications.deliveries import Parcel
from app.services.notifications.kinds import RULES, may_be_muted, muting
from app.services.notifications.wording import zone_of


@dataclass(frozen=True, slots=True)
class Fate:
    """Drop the delivery for a reason, or postpone it. With neither, it is sent."""

    drop: str | None = None
    wait_until: datetime | None = None


SEND = Fate()


def fate_of(parcel: Parcel, starts_at: datetime | None, now: datetime) -> Fate:
    """`starts_at` is the current start of the paper of a reminder, or None if the paper will not open."""
    kind = Kind(parcel.notification.kind)
    reason = _no_more_use(parcel, kind, starts_at, now) or _nobody_there(parcel)
    if reason is not None:
        return Fate(drop=reason)
    quiet = _quiet_hours(parcel)
    if RULES[kind].patient and quiet is not None:
        return Fate(wait_until=quiet.end_after(now))  # None, and so equal to SEND, outside quiet hours
    return SEND


def paper_start(parcel: Parcel) -> tuple[str, datetime] | None:
    """The id of a reminder's paper, and the start time that the reminder was created for."""
    if RULES[Kind(parcel.notification.kind)].reminder is None:
        return None
    paper = parcel.notification.data["paper"]
    return paper["id"], datetime.fromisoformat(paper["starts_at"])


def _no_more_use(parcel: Parcel, kind: Kind, starts_at: datetime | None, now: datetime) -> str | None:
    expires_at = parcel.delivery.expires_at
    if expires_at is not None and now >= expires_at:
        return "too late"
    reminded = paper_start(parcel)
    if reminded is not None and reminded[1] != starts_at:
        return "the paper has been moved"
    channel = Channel(parcel.delivery.channel)
    muted = parcel.wishes is not None and muting(kind, channel) in parcel.wishes.muted
    return "muted" if muted and may_be_muted(kind, channel) else None


def _nobody_there(parcel: Parcel) -> str | None:
    if not parcel.user.active:
        return "banned"
    if parcel.delivery.channel == Channel.PUSH:
        return None if parcel.device is not None else "the user has no such device"
    if parcel.dead_address:
        return "dead address"
    return None if parcel.user.email == parcel.delivery.target else "the user's address has changed"


def _quiet_hours(parcel: Parcel) -> QuietHours | None:
    wishes = parcel.wishes
    if wishes is None or wishes.quiet_from is None or wishes.quiet_until is None:
        return None
    return QuietHours(wishes.quiet_from, wishes.quiet_until, zone_of(parcel.user.timezone))
