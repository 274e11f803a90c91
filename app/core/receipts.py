"""Receipts of saves: short signed strings. They prove that the log had these responses at this time.

A response that is sent again gets a receipt with the time of the retry (docs/proof.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.signing import KEY_ID_BYTES, Signer, digest_of, from_base64url, is_signed, to_base64url

_VERSION = 1
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)
_AFTER_KEY = 1 + KEY_ID_BYTES
_AFTER_ATTEMPT = _AFTER_KEY + 16
_AFTER_TIME = _AFTER_ATTEMPT + 8
_AFTER_DIGEST = _AFTER_TIME + 32
_LENGTH = _AFTER_DIGEST + 64


class ReceiptUnreadable(Exception):
    """The text is no receipt. The message says why."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says: at this time the attempt's log had the responses with this digest."""

    key_id: str
    attempt_id: UUID
    received_at: datetime
    digest: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that are signed."""
        return _signed(self.key_id, self.attempt_id, self.received_at, self.digest)

    @classmethod
    def read(cls, text: str) -> "Receipt":
        """The content of a receipt. Raises ReceiptUnreadable; the signature is not verified here."""
        try:
            content = from_base64url(text.strip())
        except ValueError as error:
            raise ReceiptUnreadable("A receipt has letters, digits, hyphens and underscores only.") from error
        if len(content) != _LENGTH:
            raise ReceiptUnreadable(f"A receipt has 172 characters; this text has {len(text.strip())}.")
        if content[0] != _VERSION:
            raise ReceiptUnreadable(f"The receipt has version {content[0]}. This program knows version 1.")
        microseconds = int.from_bytes(content[_AFTER_ATTEMPT:_AFTER_TIME])
        try:
            received_at = _EPOCH + microseconds * _MICROSECOND
        except OverflowError as error:
            raise ReceiptUnreadable("The time of the receipt is no time.") from error
        return cls(
            key_id=content[1:_AFTER_KEY].hex(),
            attempt_id=UUID(bytes=content[_AFTER_KEY:_AFTER_ATTEMPT]),
            received_at=received_at,
            digest=content[_AFTER_TIME:_AFTER_DIGEST],
            signature=content[_AFTER_DIGEST:],
        )

    def is_signed_by(self, public_key: bytes) -> bool:
        """Whether the owner of the key has made this receipt."""
        return is_signed(public_key, self.signature, self.signed)


def issue(signer: Signer, attempt_id: UUID, received_at: datetime, responses: Sequence[Any]) -> str:
    """The receipt of responses, which are given as `response_facts`, in the order in which they were sent."""
    message = _signed(signer.key_id, attempt_id, received_at, digest_of(list(responses)))
    return to_base64url(message + signer.sign(message))


def response_facts(response: Any, lease: int) -> dict[str, Any]:
    """What a receipt and a signed response sheet say of a response."""
    return {
        "question_id": str(response.question_id),
        "lease": lease,
        "revision": response.revision,
        "answer": response.answer,
        "marked_for_review": response.marked_for_review,
        "time_spent_ms": response.time_spent_ms,
        "confidence": response.confidence,
        "language": response.language,
    }


def _signed(key_id: str, attempt_id: UUID, received_at: datetime, digest: bytes) -> bytes:
    """The first byte keeps receipts apart from canonical JSON, which begins with a brace."""
    time = ((received_at - _EPOCH) // _MICROSECOND).to_bytes(8)
    return bytes([_VERSION]) + bytes.fromhex(key_id) + attempt_id.bytes + time + digest
