"""Sends due deliveries by mail and push: leased in batches, sent concurrently, each result stored at once.

A mail cannot be rolled back. If the process or the database stops after the mail server has accepted a mail
and before the result is committed, the mail is sent a second time. Both have the same Message-ID, and push
messages the same tag, so that receivers can recognize a duplicate.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from app.core.channels import DeadTarget, NotNow, NotSent
from app.core.push import PushMessage
from app.core.telemetry import deliveries_total
from app.engine.notices import rest_after
from app.models import Channel
from app.repositories.notifications.deliveries import Parcel
from app.services.components import Components
from app.services.notifications import mails
from app.services.notifications.fates import SEND, Fate, fate_of, paper_start
from app.services.notifications.wording import in_language
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work

log = structlog.get_logger(__name__)

BATCH = 100
AT_ONCE = 8
LEASE = timedelta(minutes=5)
BEGIN_WITHIN = timedelta(seconds=20)
"""No delivery of a batch is started later than this, well before the leases and the loop's time limit end."""
LAST_SECONDS = 8
"""How long a stopping worker waits for deliveries that are being sent."""
TROUBLE = 4
TROUBLE_REST = timedelta(seconds=15)
"""After MAX_FAILURES temporary failures in a row, a channel pauses for CHANNEL_PAUSE."""


async def deliver_due(parts: Components) -> int:
    """Send one batch of due deliveries. Returns how many were leased."""
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        taken = await uow.deliveries.lease_due(now, LEASE, BATCH)
    if taken:
        await _Batch(parts, now + BEGIN_WITHIN).work_off(taken)
    else:
        await parts.mailer.close()
    return len(taken)


class _Batch:
    """The deliveries of one batch and the state of sending them."""

    def __init__(self, parts: Components, stop_at: datetime) -> None:
        self._parts = parts
        self._stop_at = stop_at
        self._waiting: deque[Parcel] = deque()
        self._starts: dict[UUID, datetime] = {}
        self._failures: Counter[str] = Counter()
        self._untried: list[UUID] = []
        self._outcomes: Counter[str] = Counter()

    async def work_off(self, taken: Sequence[UUID]) -> None:
        """Send the batch. On cancellation no further delivery is started, and those in progress finish."""
        async with reading(self._parts.engine) as reads:
            self._waiting.extend(await reads.deliveries.parcels(taken))
            reminded = {UUID(paper[0]) for parcel in self._waiting if (paper := paper_start(parcel))}
            self._starts = await reads.exam_events.starts(reminded) if reminded else {}
        hands = asyncio.gather(*(self._send_one_by_one() for _ in range(AT_ONCE)))
        try:
            await asyncio.shield(hands)
        except asyncio.CancelledError:
            self._stop_at = datetime.min.replace(tzinfo=UTC)
            await asyncio.wait([hands], timeout=LAST_SECONDS)
            raise
        finally:
            await self._give_back()
            log.info("deliveries", **self._outcomes)

    async def _send_one_by_one(self) -> None:
        while self._waiting:
            parcel = self._waiting.popleft()
            now = self._parts.clock.now()
            if now >= self._stop_at or self._failures[parcel.delivery.channel] >= TROUBLE:
                self._untried.append(parcel.delivery.id)
                continue
            try:
                outcome = await self._handle(parcel, now)
            except Exception:
                # Composing it or storing its result failed. It is tried again when its lease ends.
                log.exception("delivery_failed", delivery_id=str(parcel.delivery.id))
                outcome = "failed"
            self._outcomes[outcome] += 1
            deliveries_total.labels(parcel.delivery.channel, outcome).inc()

    async def _handle(self, parcel: Parcel, now: datetime) -> str:
        paper = paper_start(parcel)
        fate = fate_of(parcel, self._starts.get(UUID(paper[0])) if paper else None, now)
        error = await self._send(parcel) if fate == SEND else None
        async with unit_of_work(self._parts.engine) as uow:
            if fate != SEND:
                return await _not_sent(uow, parcel, fate)
            return await _note(uow, parcel, error, self._parts.clock.now())

    async def _send(self, parcel: Parcel) -> NotSent | None:
        """Send one delivery. Returns the error, or None."""
        channel = parcel.delivery.channel
        try:
            await (_mail if channel == Channel.EMAIL else _push)(self._parts, parcel)
        except NotSent as error:
            self._failures[channel] += isinstance(error, NotNow)
            return error
        self._failures[channel] = 0
        return None

    async def _give_back(self) -> None:
        left = self._untried + [parcel.delivery.id for parcel in self._waiting]
        if not left:
            return
        in_trouble = max(self._failures.values(), default=0) >= TROUBLE
        due_at = self._parts.clock.now() + (TROUBLE_REST if in_trouble else timedelta())
        async with unit_of_work(self._parts.engine) as uow:
            await uow.deliveries.not_tried(left, due_at)
        self._outcomes["returned"] += len(left)


async def _mail(parts: Components, parcel: Parcel) -> None:
    mail = mails.compose(parts, parcel.notification, parcel.user, parcel.delivery.id)
    try:
        await parts.mailer.send(parcel.delivery.target, mail.subject, mail.text, mail.html, mail.handling)
    except ValueError as error:
        raise DeadTarget("not an email address") from error


async def _push(parts: Components, parcel: Parcel) -> None:
    if parts.pusher is None:
        raise NotNow("push is off")
    notification, device = parcel.notification, parcel.device
    language = (device.language if device else None) or parcel.user.language
    data = notification.data
    ids = {name: str(data[name]) for name in ("exam_id", "attempt_id") if name in data}
    message = PushMessage(
        title=in_language(notification.title, language.partition("-")[0]),
        body=in_language(notification.body, language.partition("-")[0]),
        data={"notification_id": str(notification.id), "kind": notification.kind} | ids,
        tag=str(notification.id),
        urgent=parcel.delivery.urgent,
        expires_at=parcel.delivery.expires_at,
    )
    await parts.pusher.send(parcel.delivery.target, message)


async def _not_sent(uow: UnitOfWork, parcel: Parcel, fate: Fate) -> str:
    if fate.wait_until is not None:
        await uow.deliveries.not_tried([parcel.delivery.id], fate.wait_until)
        return "postponed"
    await uow.deliveries.dropped(parcel.delivery.id, fate.drop or "")
    return "dropped"


async def _note(uow: UnitOfWork, parcel: Parcel, error: NotSent | None, now: datetime) -> str:
    """Store the result of a delivery."""
    delivery = parcel.delivery
    if error is None:
        await uow.deliveries.sent(delivery.id, now)
        return "sent"
    if isinstance(error, NotNow) and (rest := rest_after(delivery.tries, error.rest)):
        await uow.deliveries.failed(delivery.id, now + rest, str(error))
        return "retried"
    if isinstance(error, DeadTarget):
        if delivery.channel == Channel.EMAIL:
            await uow.preferences.bury(delivery.target, str(error), now)
        else:
            await uow.devices.drop(delivery.target, now)
    await uow.deliveries.dropped(delivery.id, str(error))
    return "dropped"
