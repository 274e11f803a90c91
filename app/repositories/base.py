"""Base class of the repositories, keyset pages, and names of violated constraints."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Integer, ScalarResult, Select, Uuid, column, literal, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.core.errors import Invalid
from app.repositories import locks
from app.repositories.locks import Mode, Rank

Row = TypeVar("Row")
KeyColumn = ColumnElement[Any] | InstrumentedAttribute[Any]

MAX_CURSOR_LENGTH = 2_000
"""A cursor has the keys of a row in base64. The longest key is a title: the one of a practice test has up to
ten characters more than MAX_TITLE_LENGTH, each takes at most four bytes, and with the id it makes 1,711
characters."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many items of a list a client asks for, and after which cursor."""

    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list. `next_cursor` is None on the last page."""

    items: Sequence[Row]
    next_cursor: str | None


class Repository:
    """Statements on one group of tables. The caller begins and commits the transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def _lock(
        self, rank: Rank, mode: Mode, statement: Select[Row], *, of: Any = None
    ) -> ScalarResult[Row]:
        """Lock the rows of a statement and read their current values; see `locks.lock`."""
        return await locks.lock(self._session, rank, mode, statement, of=of)

    async def _page(
        self,
        statement: Select[Any],
        keys: Sequence[KeyColumn],
        page: PageRequest,
        *,
        descending: bool = False,
    ) -> Page[Any]:
        """One page of what a statement selects, ordered by `keys`, which must be unique in combination."""
        if page.cursor is not None:
            statement = statement.where(_after(keys, decode_cursor(page.cursor, keys), descending=descending))
        order = [key.desc() if descending else key.asc() for key in keys]
        ordered = statement.add_columns(*keys).order_by(*order).limit(page.limit + 1)
        rows = (await self._session.execute(ordered)).all()
        shown = rows[: page.limit]
        more = len(rows) > page.limit
        return Page([row[0] for row in shown], encode_cursor(shown[-1][1:]) if more else None)


_ROW_AND_POSITION = (column("id", Uuid()), column("position", Integer()))


def page_of(rows: Sequence[Row], id_of: Callable[[Row], UUID], page: PageRequest) -> Page[Row]:
    """One page of a list that is complete in memory.

    It begins after the row that the cursor names. If the list has lost this row, and maybe others before it,
    it begins a page earlier than where this row was, so that rows come again and none is left out.
    """
    first = 0 if page.cursor is None else _first_after(page, page.cursor, [id_of(row) for row in rows])
    end = first + page.limit
    return Page(rows[first:end], encode_cursor((id_of(rows[end - 1]), end)) if len(rows) > end else None)


def _first_after(page: PageRequest, cursor: str, ids: Sequence[UUID]) -> int:
    row_id, position = decode_cursor(cursor, _ROW_AND_POSITION)
    return ids.index(row_id) + 1 if row_id in ids else max(0, position - page.limit)


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint that a statement violated."""
    return getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)


def _after(keys: Sequence[KeyColumn], values: Sequence[Any], *, descending: bool) -> ColumnElement[bool]:
    row = tuple_(*keys)
    bound = tuple_(*(literal(value, key.type) for key, value in zip(keys, values, strict=True)))
    return row < bound if descending else row > bound


def encode_cursor(values: Sequence[Any]) -> str:
    """Encode the keys of the last row of a page."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values), default=str)).decode().rstrip("=")


def decode_cursor(cursor: str, keys: Sequence[KeyColumn]) -> list[Any]:
    """Decode a cursor. Raises Invalid if it is not a cursor of this list."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_checked(key.type.python_type(value)) for key, value in zip(keys, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, AttributeError):
        raise Invalid.field("cursor", "This is not a cursor of this list. Start without one.") from None


def _checked(value: Any) -> Any:
    """The value, if PostgreSQL can read it: an `integer` has 32 bits, and a text contains no NUL."""
    if isinstance(value, int) and not -(2**31) <= value < 2**31:
        raise ValueError
    if isinstance(value, str) and "\0" in value:
        raise ValueError
    return value
