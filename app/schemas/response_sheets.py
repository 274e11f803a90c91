"""Signed response sheets, and the keys that verify them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from app.core.signing import ALGORITHM, to_base64url
from app.models import SigningKey
from app.schemas.common import Out


class SigningKeyOut(Out):
    """A public key. `public_key` has its 32 bytes in base64url.

    The key has signed from `from` on. `until` is null for the keys that sign now. What an old key has signed
    stays valid.
    """

    id: Annotated[str, Field(examples=["3f0c6a5d9b1e2c47"])]
    algorithm: Annotated[str, Field(examples=[ALGORITHM])]
    public_key: str
    from_: Annotated[datetime, Field(alias="from")]
    until: datetime | None

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        """A stored key."""
        return cls.model_validate(
            {
                "id": key.id,
                "algorithm": ALGORITHM,
                "public_key": to_base64url(key.public_key),
                "from": key.created_at,
                "until": key.retired_at,
            }
        )


class SigningKeysOut(Out):
    """All public keys of the installation, the newest first."""

    items: list[SigningKeyOut]

    @classmethod
    def of(cls, keys: Sequence[SigningKey]) -> Self:
        """All stored keys."""
        return cls(items=[SigningKeyOut.of(key) for key in keys])
