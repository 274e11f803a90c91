"""A request that carries an idempotency key, the response to it, and the errors of such requests."""

from dataclasses import dataclass
from uuid import UUID

from app.core.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """Whose request it is, its key, and a hash of its method, address and body."""

    institute_id: UUID
    user_id: UUID
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """Status, media type and body of an HTTP response."""

    status: int
    media_type: str
    content: bytes


class ResponseNotStored(Conflict):
    """A request with the same idempotency key was carried out, and its response was too large to store."""

    code, title = "answer_not_kept", "Already done, response not stored"

    def __init__(self, status: int) -> None:
        super().__init__(
            "A request with this Idempotency-Key was already carried out. Its response was too large to"
            " store, so it cannot be sent again. The request was not repeated. Fetch the object with a GET"
            " request.",
            first_status=status,
        )


class IdempotencyKeyReused(Invalid):
    """The idempotency key belongs to another request of the same person."""

    code, title = "idempotency_key_reused", "Key used for another request"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was sent with another request: another address, or another body. Nothing"
            " was done. Make a new key for each request, and send the same key only to repeat it."
        )
