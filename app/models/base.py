"""What all tables share: the private schema, named constraints, ids that are ordered by time."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Dialect, MetaData, Numeric, Text, TypeDecorator, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.ids import uuid7

SCHEMA = "ias"

LocalizedText = dict[str, str]
"""A text by BCP 47 language tag: `{"en": "…", "hi": "…"}`."""


class Base(DeclarativeBase):
    """The declarative base. All tables are in schema `ias` (docs/decisions/0015)."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy's own way
        datetime: DateTime(timezone=True),
        LocalizedText: JSONB(none_as_null=True),
    }


class WholeNumber(TypeDecorator[int]):
    """An integer of any size: exact scores may have large numerators and denominators."""

    impl = Numeric(asdecimal=True, scale=0, precision=60)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


class WholeNumbers(TypeDecorator[list[int]]):
    """Integers of any size, stored as a text with spaces between them.

    That is a third of what `numeric[]` takes, and SQL reads it as `string_to_array(…, ' ')::numeric[]`.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> str | None:
        return None if value is None else " ".join(map(str, value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[int] | None:
        return None if value is None else [int(number) for number in value.split()]


class Identified:
    """A table whose rows have a UUIDv7."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)


class Timestamped:
    """A table whose rows have the times of their creation and last change."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
