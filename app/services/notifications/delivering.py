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
from app.repositories.notifications.deliveries import OutgoingDelivery
from app.services.components import Components
from app.services.notifications import mails
from app.services.notifications.delivery_decision import SEND, decide, paper_start
from app.services.notifications.wording import in_language, language_of, opening_title
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work

log = structlog.get_logger(__name__)

BATCH = 100
CONCURRENCY = 8
LEASE = timedelta(minutes=5)
START_WITHIN = timedelta(seconds=20)
"""No delivery of a batch is started later than this, well before the leases and the loop's time limit end."""
STOP_SECONDS = 8
"""How long a stopping worker waits for deliveries that are being sent."""
MAX_FAILURES = 4
CHANNEL_PAUSE = timedelta(seconds=15)
"""After MAX_FAILURES temporary failures in a row, a channel pauses for CHANNEL_PAUSE."""


async def deliver_due(parts: Components) -> int:
    """Send one batch of due deliveries. Returns how many were leased."""
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        leased = await uow.deliveries.lease_due(now, LEASE, BATCH)
    if leased:
        await _Batch(parts, now + START_WITHIN).send_all(leased)
    else:
        await parts.mailer.close()
    return len(leased)


class _Batch:
    """The deliveries of one batch and the state of sending them."""

    def __init__(self, parts: Components, stop_at: datetime) -> None:
        self._parts = parts
        self._stop_at = stop_at
        self._waiting: deque[OutgoingDelivery] = deque()
        self._starts: dict[tuple[UUID, UUID], datetime] = {}
        self._failures: Counter[str] = Counter()
        self._not_started: list[UUID] = []
        self._outcomes: Counter[str] = Counter()

    async def send_all(self, leased: Sequence[UUID]) -> None:
        """Send the batch. On cancellation no further delivery is started, and those in progress finish."""
        async with reading(self._parts.engine) as reads:
            self._waiting.extend(await reads.deliveries.outgoing(leased))
            reminded = {pair for outgoing in self._waiting if (pair := _reminded(outgoing))}
            self._starts = await reads.exam_events.starts(reminded) if reminded else {}
        senders = asyncio.gather(*(self._send_one_by_one() for _ in range(CONCURRENCY)))
        try:
            await asyncio.shield(senders)
        except asyncio.CancelledError:
            self._stop_at = datetime.min.replace(tzinfo=UTC)
            await asyncio.wait([senders], timeout=STOP_SECONDS)
            raise
        finally:
            await self._return_unsent()
            log.info("deliveries", **self._outcomes)

    async def _send_one_by_one(self) -> None:
        while self._waiting:
            outgoing = self._waiting.popleft()
            now = self._parts.clock.now()
            if now >= self._stop_at or self._failures[outgoing.delivery.channel] >= MAX_FAILURES:
                self._not_started.append(outgoing.delivery.id)
                continue
            try:
                outcome = await self._handle(outgoing, now)
            except Exception:
                # Composing it or storing its result failed. It is tried again when its lease ends.
                log.exception("delivery_failed", delivery_id=str(outgoing.delivery.id))
                outcome = "failed"
            self._outcomes[outcome] += 1
            deliveries_total.labels(outgoing.delivery.channel, outcome).inc()

    async def _handle(self, outgoing: OutgoingDelivery, now: datetime) -> str:
        decision = decide(outgoing, self._start_of(outgoing), now)
        error = await self._send(outgoing) if decision == SEND else None
        async with unit_of_work(self._parts.engine) as uow:
            if decision.wait_until is not None:
                return await self._defer(uow, outgoing, now)
            if decision.drop is not None:
                await uow.deliveries.mark_dropped(outgoing.delivery.id, decision.drop)
                return "dropped"
            return await _store_result(uow, outgoing, error, self._parts.clock.now())

    async def _defer(self, uow: UnitOfWork, outgoing: OutgoingDelivery, now: datetime) -> str:
        """Postpone a delivery to the end of the quiet hours, which may have changed since they were read.

        Whoever changes them takes the same lock. So either this reads the change, or the change finds the
        delivery deferred. A delivery that no longer has to wait is due at once.
        """
        await uow.preferences.lock(outgoing.user.id)
        for current in await uow.deliveries.outgoing([outgoing.delivery.id]):
            decision = decide(current, self._start_of(current), now)
            await uow.deliveries.defer(current.delivery.id, decision.wait_until or now)
        return "postponed"

    def _start_of(self, outgoing: OutgoingDelivery) -> datetime | None:
        """The current start of the paper of a reminder, if its recipient is still registered."""
        pair = _reminded(outgoing)
        return self._starts.get(pair) if pair else None

    async def _send(self, outgoing: OutgoingDelivery) -> NotSent | None:
        """Send one delivery. Returns the error, or None."""
        channel = outgoing.delivery.channel
        try:
            await (_mail if channel == Channel.EMAIL else _push)(self._parts, outgoing)
        except NotSent as error:
            self._failures[channel] += isinstance(error, NotNow)
            return error
        self._failures[channel] = 0
        return None

    async def _return_unsent(self) -> None:
        left = self._not_started + [outgoing.delivery.id for outgoing in self._waiting]
        if not left:
            return
        is_paused = max(self._failures.values(), default=0) >= MAX_FAILURES
        due_at = self._parts.clock.now() + (CHANNEL_PAUSE if is_paused else timedelta())
        async with unit_of_work(self._parts.engine) as uow:
            await uow.deliveries.postpone_untried(left, due_at)
        self._outcomes["returned"] += len(left)


def _reminded(outgoing: OutgoingDelivery) -> tuple[UUID, UUID] | None:
    """The paper and the recipient of a reminder; None for other notifications."""
    paper = paper_start(outgoing)
    return (UUID(paper[0]), outgoing.user.id) if paper else None


async def _mail(parts: Components, outgoing: OutgoingDelivery) -> None:
    now = parts.clock.now()
    mail = mails.compose(parts, outgoing.notification, outgoing.user, outgoing.delivery.id, now)
    try:
        await parts.mailer.send(outgoing.user.email, mail.subject, mail.text, mail.html, mail.handling)
    except ValueError as error:
        raise DeadTarget("not an email address") from error


async def _push(parts: Components, outgoing: OutgoingDelivery) -> None:
    if parts.pusher is None:
        raise NotNow("push is off")
    notification, device = outgoing.notification, outgoing.device
    language = (device.language if device else None) or outgoing.user.language
    paper = paper_start(outgoing)
    title = (
        opening_title(paper[1] - parts.clock.now(), language_of(language))
        if paper is not None
        else in_language(notification.title, language.partition("-")[0])
    )
    data = notification.data
    ids = {name: str(data[name]) for name in ("exam_id", "attempt_id") if name in data}
    message = PushMessage(
        title=title,
        body=in_language(notification.body, language.partition("-")[0]),
        data={"notification_id": str(notification.id), "kind": notification.kind} | ids,
        tag=str(notification.id),
        urgent=outgoing.delivery.urgent,
        expires_at=outgoing.delivery.expires_at,
    )
    await parts.pusher.send(outgoing.delivery.target, message)


async def _store_result(
    uow: UnitOfWork, outgoing: OutgoingDelivery, error: NotSent | None, now: datetime
) -> str:
    """Store the result of a delivery."""
    delivery = outgoing.delivery
    target = outgoing.user.email if delivery.channel == Channel.EMAIL else delivery.target
    if error is None:
        await uow.deliveries.mark_sent(delivery.id, target, now)
        return "sent"
    if isinstance(error, NotNow) and (rest := rest_after(delivery.tries, error.retry_after)):
        await uow.deliveries.schedule_retry(delivery.id, now + rest, str(error))
        return "retried"
    if isinstance(error, DeadTarget):
        if delivery.channel == Channel.EMAIL:
            await uow.preferences.mark_address_dead(target, str(error), now)
        else:
            await uow.devices.drop(target, now)
    await uow.deliveries.mark_dropped(delivery.id, str(error))
    return "dropped"
