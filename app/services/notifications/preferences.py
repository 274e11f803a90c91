"""Notification preferences, and unsubscribing without signing in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from uuid import UUID

from app.core import tokens
from app.core.errors import Invalid
from app.core.unsubscribe import Unsubscription
from app.models import Channel, Kind, NotificationSettings
from app.services.components import Components
from app.services.notifications import mails
from app.services.notifications.kinds import Topic, kinds_of, may_be_muted, muting
from app.services.notifications.wording import language_of
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which kinds are sent by which channels, and the quiet hours if there are any."""

    kinds: Mapping[Kind, Mapping[Channel, bool]]
    quiet_hours: tuple[time, time] | None


async def wishes(reads: Reading, user: Principal) -> Wishes:
    """A user's preferences. By default everything is sent, at any time."""
    return _shown(await reads.preferences.of(user.id))


async def change(
    uow: UnitOfWork,
    user: Principal,
    kinds: Mapping[Kind, Mapping[Channel, bool]],
    quiet_hours: tuple[time | None, time | None] | None,
) -> Wishes:
    """Change the given preferences. Quiet hours of (None, None) turn quiet hours off.

    Raises Invalid for mails that cannot be turned off: those that confirm an action, or announce a change of
    an exam.
    """
    kept = await uow.preferences.lock(user.id)
    muted = set(kept.muted)
    for kind, channels in kinds.items():
        for channel, wished in channels.items():
            if not wished and not may_be_muted(kind, channel):
                raise Invalid.field(f"kinds.{kind}.{channel}", "These mails are always sent; leave it true.")
            (muted.discard if wished else muted.add)(muting(kind, channel))
    kept.muted = sorted(muted)
    if quiet_hours is not None:
        kept.quiet_from, kept.quiet_until = quiet_hours
    return _shown(kept)


async def unsubscribe(uow: UnitOfWork, parts: Components, token: str) -> str:
    """Unsubscribe by a mail's link and return the page that confirms it. Idempotent."""
    wish = _wish(parts, token)
    if await uow.users.member(wish.user_id) is not None:
        kept = await uow.preferences.lock(wish.user_id)
        stopped = (muting(kind, Channel.EMAIL) for kind in kinds_of(Topic(wish.topic)))
        kept.muted = sorted({*kept.muted, *stopped})
    return await _page(uow, wish, done=True)


async def unsubscribe_page(reads: Reading, parts: Components, token: str) -> str:
    """The page of a mail's link. It changes nothing, because mail scanners follow links."""
    return await _page(reads, _wish(parts, token), done=False)


async def _page(reads: Reading, wish: Unsubscription, *, done: bool) -> str:
    language = await _language(reads, wish.user_id)
    return mails.page("unsubscribe.html", language, topic=wish.topic, done=done)


async def _language(reads: Reading, user_id: UUID) -> str:
    member = await reads.users.member(user_id)
    return language_of(member.user.language if member else "en")


def _wish(parts: Components, token: str) -> Unsubscription:
    try:
        wish = parts.unsubscribe_tokens.read(token)
        Topic(wish.topic)
    except (tokens.InvalidToken, ValueError) as error:
        message = "This link is no longer valid. You can change your notifications in the app's settings."
        raise Invalid.field("query.token", message) from error
    return wish


def _shown(kept: NotificationSettings | None) -> Wishes:
    muted = set(kept.muted) if kept else set()
    kinds = {
        kind: {
            channel: muting(kind, channel) not in muted or not may_be_muted(kind, channel)
            for channel in Channel
        }
        for kind in Kind
    }
    if kept is None or kept.quiet_from is None or kept.quiet_until is None:
        return Wishes(kinds, None)
    return Wishes(kinds, (kept.quiet_from, kept.quiet_until))
