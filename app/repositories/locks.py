"""Row locks and advisory locks. Every transaction takes them in the order of `Rank`.

docs/concurrency.md lists which use case takes which locks, in which mode and order.
"""

import hashlib
from enum import IntEnum, StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ScalarResult, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

Row = TypeVar("Row")

PLACEMENTS_LOCK = 0x1A5E
"""The first key of the advisory lock of an institute's placements. Its value has no meaning."""


class Rank(IntEnum):
    """The order in which every transaction takes locks, so that transactions do not deadlock."""

    INSTITUTE = 1
    MEMBERSHIP = 2
    EXAM = 3
    PLACEMENTS = 4
    """The questions that the published exams of an institute hold."""
    ENTRY = 5
    """Entry to an exam: shared by candidates who enter, exclusive for whoever changes the exam."""
    EXAM_PAPER = 6
    TEST = 7
    SUBJECT = 8
    CHAPTER = 9
    QUESTION = 10
    PASSAGE = 11
    USER = 12
    REGISTRATION = 13
    ATTEMPT = 14
    """Results are written after attempts are locked, histograms last and in their own order."""
    PREFERENCES = 15


class Mode(StrEnum):
    """Row-level lock modes of PostgreSQL, the weakest first."""

    KEY_SHARE = "for key share"
    """Others can neither delete the row nor lock it EXCLUSIVE.

    A foreign key takes this lock automatically.
    """
    CHANGE = "for no key update"
    """Others cannot change the row. Rows that refer to it can be inserted."""
    EXCLUSIVE = "for update"
    """Others can neither change nor lock the row, nor insert rows that refer to it."""


async def lock(
    session: AsyncSession, rank: Rank, mode: Mode, statement: Select[Row], *, of: Any = None
) -> ScalarResult[Row]:
    """Lock the rows of a statement and return their current values, not those that the session read before.

    The statement must select from one table, or join only rows that never change: after a wait PostgreSQL
    re-reads the locked rows, but not the joined ones. A statement that locks several rows needs an ORDER BY.
    """
    record_lock(session, rank)
    locked = statement.with_for_update(
        of=of, read=mode is Mode.KEY_SHARE, key_share=mode is not Mode.EXCLUSIVE
    )
    return await session.scalars(locked.execution_options(populate_existing=True))


async def lock_entry_shared(session: AsyncSession, exam_id: UUID) -> None:
    """Lock the entry of an exam against changes until the transaction ends. Read the exam after this.

    Candidates who enter do not wait for each other. Staff wait in `lock_entry_exclusively` in the order in
    which they came: with row locks, candidates would overtake them for as long as one is always entering.
    """
    record_lock(session, Rank.ENTRY)
    await session.execute(select(func.pg_advisory_xact_lock_shared(_entry_of(exam_id))))


async def lock_entry_exclusively(session: AsyncSession, exam_id: UUID) -> None:
    """Wait for transactions that hold the shared lock; those that come later wait for this one."""
    record_lock(session, Rank.ENTRY)
    await session.execute(select(func.pg_advisory_xact_lock(_entry_of(exam_id))))


async def lock_placements(session: AsyncSession, institute_id: UUID) -> None:
    """Lock the publication of exams of an institute until the transaction ends."""
    record_lock(session, Rank.PLACEMENTS)
    institute = func.hashtext(str(institute_id))
    await session.execute(select(func.pg_advisory_xact_lock(PLACEMENTS_LOCK, institute)))


def record_lock(session: AsyncSession, rank: Rank) -> None:
    """Record that the transaction took a lock of this rank. Tests check the order.

    A transaction may lock rows that it has inserted itself in any order: no other transaction sees them.
    """
    taken: list[int] = session.info.setdefault("locks", [])
    if not taken or taken[-1] != rank:
        taken.append(rank)


def _entry_of(exam_id: UUID) -> int:
    """Return the key of the advisory lock. Two exams with the same key would only wait for each other."""
    digest = hashlib.blake2b(b"exam entry" + exam_id.bytes, digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
