"""Decides whether a due delivery is sent, postponed or dropped, by the current state of user and exam."""

from dataclasses import dataclass
from datetime import datetime

from app.engine.notices import QuietHours
from app.models import Channel, Kind
from app.repositories.notifications.deliveries import OutgoingDelivery
from app.services.notifications.kinds import RULES, may_be_muted, mute_key
from app.services.notifications.wording import zone_of


@dataclass(frozen=True, slots=True)
class Decision:
    """Drop the delivery for a reason, or postpone it. With neither, it is sent."""

    drop: str | None = None
    wait_until: datetime | None = None


SEND = Decision()


def decide(outgoing: OutgoingDelivery, starts_at: datetime | None, now: datetime) -> Decision:
    """`starts_at` is the current start of the paper of a reminder.

    It is None if the paper will not open, or if the recipient is not registered any more.
    """
    kind = Kind(outgoing.notification.kind)
    reason = _content_drop_reason(outgoing, kind, starts_at, now) or _recipient_drop_reason(outgoing)
    if reason is not None:
        return Decision(drop=reason)
    quiet = _quiet_hours(outgoing)
    if RULES[kind].deferrable and quiet is not None:
        return Decision(wait_until=quiet.end_after(now))  # None, and so equal to SEND, outside quiet hours
    return SEND


def paper_start(outgoing: OutgoingDelivery) -> tuple[str, datetime] | None:
    """The id of a reminder's paper, and the start time that the reminder was created for."""
    if RULES[Kind(outgoing.notification.kind)].reminder is None:
        return None
    paper = outgoing.notification.data["paper"]
    return paper["id"], datetime.fromisoformat(paper["starts_at"])


def _content_drop_reason(
    outgoing: OutgoingDelivery, kind: Kind, starts_at: datetime | None, now: datetime
) -> str | None:
    expires_at = outgoing.delivery.expires_at
    if expires_at is not None and now >= expires_at:
        return "too late"
    reminded = paper_start(outgoing)
    if reminded is not None and reminded[1] != starts_at:
        return "the paper has been moved, or the candidate has withdrawn"
    channel = Channel(outgoing.delivery.channel)
    muted = outgoing.preferences is not None and mute_key(kind, channel) in outgoing.preferences.muted
    return "muted" if muted and may_be_muted(kind, channel) else None


def _recipient_drop_reason(outgoing: OutgoingDelivery) -> str | None:
    if not outgoing.user.active:
        return "banned"
    if outgoing.delivery.channel == Channel.PUSH:
        return None if outgoing.device is not None else "the user has no such device"
    if outgoing.dead_address:
        return "dead address"
    return None if outgoing.user.email else "the user has no address"


def _quiet_hours(outgoing: OutgoingDelivery) -> QuietHours | None:
    preferences = outgoing.preferences
    if preferences is None or preferences.quiet_from is None or preferences.quiet_until is None:
        return None
    return QuietHours(preferences.quiet_from, preferences.quiet_until, zone_of(outgoing.user.timezone))
