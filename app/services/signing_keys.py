"""The keys that sign receipts and response sheets: made at first use, rotated by the operator.

The reasons are in docs/decisions/0079.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import Clock
from app.core.signing import Signer
from app.models import SigningKey
from app.services.unit_of_work import Reading, UnitOfWork, unit_of_work

_KNOWN_FOR = timedelta(minutes=1)
"""How long a process uses a key without asking whether there is a newer one."""
_LAST_USE = 2 * _KNOWN_FOR
"""How long after a rotation the key before it may still be used by other processes."""


class SignerStore:
    """The key with which this process signs, kept in memory for a minute."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock
        self._signer: Signer | None = None
        self._read_at = datetime.min.replace(tzinfo=UTC)
        self._reading: asyncio.Task[Signer] | None = None

    @property
    def in_memory(self) -> Signer | None:
        """The key in memory, unless it was read too long ago."""
        return self._kept(self._clock.now())

    async def signer(self, uow: UnitOfWork) -> Signer:
        """The newest key. The first call ever makes one in this transaction, so that it commits with it.

        If the database raises an error, the transaction can still be committed.
        """
        now = self._clock.now()
        if (kept := self._kept(now)) is not None:
            return kept
        async with uow.session.begin_nested():
            known = await uow.signing_keys.all()
            signer = Signer.derive(self._secret, _newest(known))
            if signer.key_id not in {key.id for key in known}:
                await uow.signing_keys.add(signer, _newest(known), now)
                return signer  # It is kept once it is read, which is after the commit.
        self._signer, self._read_at = signer, now
        return signer

    async def signer_of_reading(self, engine: AsyncEngine) -> Signer:
        """The newest key, for a request without a transaction that writes: a new key has its own.

        Callers at the same time share what one of them reads.
        """
        if (kept := self.in_memory) is not None:
            return kept
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(engine))
        return await asyncio.shield(self._reading)

    async def _read(self, engine: AsyncEngine) -> Signer:
        async with unit_of_work(engine) as uow:
            return await self.signer(uow)

    def _kept(self, now: datetime) -> Signer | None:
        return self._signer if abs(now - self._read_at) < _KNOWN_FOR else None

    async def rotate(self, uow: UnitOfWork) -> Signer:
        """Make the next key. Processes sign with it after a minute at the latest; the others are retired.

        Two rotations at the same time make one key.
        """
        now = self._clock.now()
        generation = _newest(await uow.signing_keys.all()) + 1
        signer = Signer.derive(self._secret, generation)
        await uow.signing_keys.add(signer, generation, now)
        await uow.signing_keys.retire_others(signer.key_id, now + _LAST_USE)
        return signer


async def public_keys(reads: Reading) -> Sequence[SigningKey]:
    """All public keys, the newest first. Those that are retired verify what they have signed."""
    return await reads.signing_keys.all()


def _newest(known: Sequence[SigningKey]) -> int:
    return max((key.generation for key in known), default=1)
