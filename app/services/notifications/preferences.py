"""Notification preferences, and unsubscribing without signing in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from app.core import tokens
from app.core.errors import Invalid
from app.core.unsubscribe import Unsubscription
from app.models import Channel, Kind, NotificationSettings
from app.services.components import Components
from app.services.notifications import mails
from app.services.notifications.kinds import Topic, kinds_of, may_be_muted, mute_key
from app.services.notifications.wording import language_of
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Preferences:
    """Which kinds are sent by which channels, and the quiet hours if there are any."""

    kinds: Mapping[Kind, Mapping[Channel, bool]]
    quiet_hours: tuple[time, time] | None


async def read_preferences(reads: Reading, user: Principal) -> Preferences:
    """A user's preferences. By default everything is sent, at any time."""
    return _preferences_of(await reads.preferences.of(user.id))


async def change(
    uow: UnitOfWork,
    user: Principal,
    kinds: Mapping[Kind, Mapping[Channel, bool]],
    quiet_hours: tuple[time | None, time | None] | None,
    now: datetime,
) -> Preferences:
    """Change the given preferences. Quiet hours of (None, None) turn quiet hours off.

    What waits for the end of the quiet hours is then sent by the new ones.

    Raises Invalid for mails that cannot be turned off: those that confirm an action, or announce a change of
    an exam.
    """
    settings = await uow.preferences.lock(user.id)
    muted = set(settings.muted)
    for kind, channels in kinds.items():
        for channel, wanted in channels.items():
            if not wanted and not may_be_muted(kind, channel):
                raise Invalid.field(f"kinds.{kind}.{channel}", "These mails are always sent; leave it true.")
            (muted.discard if wanted else muted.add)(mute_key(kind, channel))
    settings.muted = sorted(muted)
    if quiet_hours is not None:
        settings.quiet_from, settings.quiet_until = quiet_hours
        await uow.deliveries.end_deferral(user.id, now)
    return _preferences_of(settings)


async def unsubscribe(uow: UnitOfWork, parts: Components, token: str) -> str:
    """Unsubscribe by a mail's link and return the page that confirms it. Idempotent."""
    unsubscription = _read_token(parts, token)
    if await uow.users.member(unsubscription.user_id) is not None:
        settings = await uow.preferences.lock(unsubscription.user_id)
        stopped = (mute_key(kind, Channel.EMAIL) for kind in kinds_of(Topic(unsubscription.topic)))
        settings.muted = sorted({*settings.muted, *stopped})
    return await _page(uow, unsubscription, done=True)


async def unsubscribe_page(reads: Reading, parts: Components, token: str) -> str:
    """The page of a mail's link. It changes nothing, because mail scanners follow links."""
    return await _page(reads, _read_token(parts, token), done=False)


async def _page(reads: Reading, unsubscription: Unsubscription, *, done: bool) -> str:
    language = await _language(reads, unsubscription.user_id)
    return mails.page("unsubscribe.html", language, topic=unsubscription.topic, done=done)


async def _language(reads: Reading, user_id: UUID) -> str:
    member = await reads.users.member(user_id)
    return language_of(member.user.language if member else "en")


def _read_token(parts: Components, token: str) -> Unsubscription:
    try:
        unsubscription = parts.unsubscribe_tokens.read(token)
        Topic(unsubscription.topic)
    except (tokens.TokenRejected, ValueError) as error:
        message = "This link is no longer valid. You can change your notifications in the app's settings."
        raise Invalid.field("token", message) from error
    return unsubscription


def _preferences_of(settings: NotificationSettings | None) -> Preferences:
    muted = set(settings.muted) if settings else set()
    kinds = {
        kind: {
            channel: mute_key(kind, channel) not in muted or not may_be_muted(kind, channel)
            for channel in Channel
        }
        for kind in Kind
    }
    if settings is None or settings.quiet_from is None or settings.quiet_until is None:
        return Preferences(kinds, None)
    return Preferences(kinds, (settings.quiet_from, settings.quiet_until))
