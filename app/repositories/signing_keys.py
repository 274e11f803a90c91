"""The public keys of receipts and response sheets. They are added and retired, never deleted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.signing import Signer
from app.models import SigningKey
from app.repositories.base import Repository


class SigningKeyRepository(Repository):
    """Public keys. They belong to the installation and are the same for everybody."""

    async def all(self) -> Sequence[SigningKey]:
        """All keys, the newest first."""
        statement = select(SigningKey).order_by(SigningKey.generation.desc(), SigningKey.id)
        return (await self._session.scalars(statement)).all()

    async def add(self, signer: Signer, generation: int, now: datetime) -> None:
        """Add a public key, unless it is there. Whoever adds the same one waits for the other's commit."""
        statement = insert(SigningKey).values(
            id=signer.key_id, generation=generation, public_key=signer.public_key, created_at=now
        )
        await self._session.execute(statement.on_conflict_do_nothing())

    async def retire_others(self, key_id: str, at: datetime) -> None:
        """End the use of all other keys at this time."""
        await self._session.execute(
            update(SigningKey)
            .where(SigningKey.id != key_id, SigningKey.retired_at.is_(None))
            .values(retired_at=at)
        )
