"""`Idempotency-Key`: a request that is sent again gets the first response (docs/decisions/0053).

A route declares it by taking `OnceUow` instead of `Uow`. The dependency looks for an earlier response before
anything is done, and the route class keeps the new response before the transaction commits.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from app.api.deps import CurrentUser, Now, Parts, note_write, personal_turn
from app.api.routing import Replayed
from app.core.errors import Invalid
from app.core.idempotency import KeyedRequest, StoredResponse
from app.services import idempotency
from app.services.unit_of_work import UnitOfWork, unit_of_work

HEADER: Final = "Idempotency-Key"
_REPLAY_HEADERS = {"Idempotency-Replayed": "true"}
_PIECE = 256 * 1024

Key = Annotated[
    str | None,
    Header(
        alias=HEADER,
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="A value that you choose for this request, such as a UUID. If you repeat a request that"
        " succeeded with the same key within a day, it is not carried out again, and you get its response; or"
        " 409 if that was too large to be kept. After an error, the repeated request is carried out",
    ),
]


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Keeps the response to a request in the request's own transaction."""

    uow: UnitOfWork
    request: KeyedRequest
    now: datetime

    async def __call__(self, response: Response) -> None:
        """Keep a successful response. After an error nothing is kept, and the key may be used again."""
        if response.status_code < 300:
            media_type = response.headers.get("content-type", "")
            stored = StoredResponse(response.status_code, media_type, bytes(response.body))
            await idempotency.keep_response(self.uow, self.request, stored, self.now)


async def _write_once(
    request: Request, parts: Parts, user: CurrentUser, now: Now, key: Key = None
) -> AsyncIterator[UnitOfWork]:
    async with personal_turn(request, parts), unit_of_work(parts.engine, parts.new_messages) as uow:
        if key is not None:
            _check_sent_once(request)
            keyed = KeyedRequest(user.institute_id, user.id, key, await _fingerprint(request))
            if stored := await idempotency.find_response(uow, keyed, now):
                raise Replayed(Response(stored.content, stored.status, _REPLAY_HEADERS, stored.media_type))
            request.scope["ias_keep_response"] = _Keeper(uow, keyed, now)
        yield uow
    await note_write(request, parts)


OnceUow = Annotated[UnitOfWork, Depends(_write_once, scope="function")]
"""A unit of work for a route with an Idempotency-Key: a request that succeeded is not repeated for a day."""


def _check_sent_once(request: Request) -> None:
    if len(request.headers.getlist(HEADER)) > 1:
        raise Invalid.field(HEADER, "Send this header only once.")


async def _fingerprint(request: Request) -> bytes:
    """A hash of the method, the path with its query, and the body.

    Of a multipart body, the names of the fields and their contents are hashed, because a client may send
    another boundary with each attempt.
    """
    digest = hashlib.blake2b(digest_size=32)

    def add(part: bytes) -> None:
        digest.update(len(part).to_bytes(8, "big") + part)

    add(request.method.encode())
    add(request.scope["path"].encode())
    add(request.scope["query_string"])
    if not request.headers.get("content-type", "").startswith("multipart/"):
        add(await request.body())
        return digest.digest()
    for name, value in (await request.form()).multi_items():
        add(name.encode())
        if isinstance(value, str):
            add(value.encode(errors="replace"))
        else:
            add(await _hash_of(value))
    return digest.digest()


async def _hash_of(file: UploadFile) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    await file.seek(0)
    while piece := await file.read(_PIECE):
        digest.update(piece)
    await file.seek(0)
    return digest.digest()
