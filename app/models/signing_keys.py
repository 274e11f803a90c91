"""The public keys with which receipts and response sheets are verified."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class SigningKey(Base):
    """A public key. Rows are never deleted: what an old key has signed stays verifiable.

    The private key is derived from `SECRET_KEY` and the generation, and is stored nowhere
    (docs/decisions/0079).
    """

    __tablename__ = "signing_keys"
    __table_args__ = (CheckConstraint("length(public_key) = 32", name="public_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    """The beginning of the digest of the public key."""
    generation: Mapped[int]
    """A rotation makes the next one. Two keys have the same one if `SECRET_KEY` was changed."""
    public_key: Mapped[bytes]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    """From then on the key signs nothing. It is a few minutes after the rotation."""
