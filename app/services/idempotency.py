"""Requests with an idempotency key are carried out once (docs/decisions/0053)."""

import zlib
from datetime import datetime, timedelta

from app.core.idempotency import Answer, AnswerNotKept, IdempotencyKeyReused, KeyedRequest
from app.services.unit_of_work import UnitOfWork

KEPT_FOR = timedelta(days=1)
LARGEST_ANSWER = 1024 * 1024
"""Bytes before compression. A larger answer is not kept; that the request was carried out is."""


async def find_answer(uow: UnitOfWork, request: KeyedRequest, now: datetime) -> Answer | None:
    """The answer to an earlier request with the same key, or None if this one is to be carried out.

    Waits for a request with the same key that is being carried out. Raises IdempotencyKeyReused if the
    earlier request was another one.
    """
    await uow.kept_answers.lock(request)
    kept = await uow.kept_answers.find(request, now - KEPT_FOR)
    if kept is None:
        return None
    if kept.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused
    if kept.content is None:
        raise AnswerNotKept(kept.status)
    return Answer(kept.status, kept.media_type, zlib.decompress(kept.content))


async def keep_answer(uow: UnitOfWork, request: KeyedRequest, answer: Answer, now: datetime) -> None:
    """Keep the answer in the transaction that has carried out the request."""
    is_small = len(answer.content) <= LARGEST_ANSWER
    await uow.kept_answers.keep(request, answer, zlib.compress(answer.content) if is_small else None, now)
