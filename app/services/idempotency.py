"""Requests with an idempotency key are carried out once (docs/decisions/0053)."""

import zlib
from datetime import datetime, timedelta

from app.core.idempotency import IdempotencyKeyReused, KeyedRequest, ResponseNotStored, StoredResponse
from app.services.unit_of_work import UnitOfWork

KEPT_FOR = timedelta(days=1)
MAX_RESPONSE_BYTES = 1024 * 1024
"""Bytes before compression. A larger response is not kept; that the request was carried out is."""


async def find_response(uow: UnitOfWork, request: KeyedRequest, now: datetime) -> StoredResponse | None:
    """The response to an earlier request with the same key, or None if this one is to be carried out.

    Waits for a request with the same key that is being carried out. Raises IdempotencyKeyReused if the
    earlier request was another one.
    """
    await uow.kept_responses.lock(request)
    kept = await uow.kept_responses.find(request, now - KEPT_FOR)
    if kept is None:
        return None
    if kept.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused
    if kept.content is None:
        raise ResponseNotStored(kept.status)
    return StoredResponse(kept.status, kept.media_type, zlib.decompress(kept.content))


async def keep_response(
    uow: UnitOfWork, request: KeyedRequest, response: StoredResponse, now: datetime
) -> None:
    """Keep the response in the transaction that has carried out the request."""
    is_small = len(response.content) <= MAX_RESPONSE_BYTES
    await uow.kept_responses.keep(
        request, response, zlib.compress(response.content) if is_small else None, now
    )
