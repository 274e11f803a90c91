"""UUIDv7 (RFC 9562): ids that sort by the time at which they were made."""

import secrets
from datetime import UTC, datetime
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def uuid7(at: datetime | None = None) -> UUID:
    """A new id, made `at` (now by default), to the millisecond; the other 74 bits are random."""
    milliseconds = int((at or datetime.now(UTC)).timestamp() * 1000)
    random = secrets.randbits(74)
    return UUID(int=milliseconds << 80 | _VERSION | (random >> 62) << 64 | _VARIANT | random & (1 << 62) - 1)


def first_uuid7(at: datetime) -> UUID:
    """The lowest id that could be made `at`: the bound of a time range."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
