"""Rows of several tables, written with one statement. The session does not know them until it reads them."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from uuid import UUID

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Base

_Columns = tuple[str, ...]


async def insert_rows(session: AsyncSession, *tables: Sequence[Base]) -> None:
    """Insert rows that refer to each other. All rows of a table set the same columns, their ids too."""
    await session.flush()
    filled = [rows for rows in tables if rows]
    columns = tuple((rows[0].__tablename__, _columns(rows[0])) for rows in filled)
    content = {
        name: [{column: getattr(row, column) for column in names} for row in rows]
        for (name, names), rows in zip(columns, filled, strict=True)
    }
    await session.execute(_insert(columns), {"rows": orjson.dumps(content, default=_text).decode()})


def _columns(row: Base) -> _Columns:
    return tuple(column.key for column in row.__mapper__.column_attrs if column.key in row.__dict__)


@cache
def _insert(tables: tuple[tuple[str, _Columns], ...]) -> TextClause:
    *others, last = [_insert_into(name, ", ".join(columns)) for name, columns in tables]
    parts = ["given as (select cast(:rows as jsonb) as tables)"]
    parts += [f"part_{number} as ({insert})" for number, insert in enumerate(others)]
    return text(f"with {', '.join(parts)} {last}")


def _insert_into(name: str, columns: str) -> str:
    return f"""
        insert into ias.{name} ({columns})
        select {columns} from given, jsonb_populate_recordset(cast(null as ias.{name}), tables -> '{name}')
    """


def _text(value: object) -> str:
    """What JSON has no form for, as PostgreSQL reads it."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Decimal | UUID):  # The driver has a UUID of its own.
        return str(value)
    raise TypeError(type(value).__name__)
