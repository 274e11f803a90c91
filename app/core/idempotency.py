"""A request that carries an idempotency key, and the answer to it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """Whose request it is, its key, and a hash of its method, address and body."""

    institute_id: UUID
    user_id: UUID
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, media type and body of an answer."""

    status: int
    media_type: str
    content: bytes
