"""Row locks and advisory locks. Every transaction takes them in the order of `Rank`.

docs/concurrency.md lists which use case takes which locks, in which mode and order.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Result, ScalarResult, Select, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

Row = TypeVar("Row")

PLACEMENTS_LOCK = 0x1A5E
"""The first key of the advisory lock of an institute's placements. Its value has no meaning."""


LOCK_SHARED = text("select pg_advisory_xact_lock_shared(number) from unnest(:numbers) as number").bindparams(
    bindparam("numbers", type_=ARRAY(BigInteger))
)
TRY_LOCK_SHARED = text("select pg_try_advisory_xact_lock_shared(:number)")


LOCK_NOT_AVAILABLE = "55P03"
"""The code of PostgreSQL's error."""


class LockedElsewhere(Exception):
    """A lock that does not wait was not granted."""


class Rank(IntEnum):
    """The order in which every transaction takes locks, so that transactions do not deadlock."""

    IDEMPOTENCY_KEY = 0
    """Taken before anything else, by requests that carry such a key."""
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
    KEY = 15
    """The key of a paper: shared by transactions that grade, exclusive for whoever adds a version.

    Results are written after keys are locked, histograms last and in their own order.
    """
    PREFERENCES = 16
    STATISTICS = 17
    """The statistics of a test: one refresh at a time, and one request for a refresh at a time."""
    RATINGS = 18
    """Ratings of candidates and questions, and review cards: one transaction at a time changes them."""


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
    """Lock the rows of a statement that selects one thing, as `lock_rows` does."""
    return (await lock_rows(session, rank, mode, statement, of=of)).scalars()


async def lock_rows(
    session: AsyncSession, rank: Rank, mode: Mode, statement: Select[Any], *, of: Any = None
) -> Result[Any]:
    """Lock the rows of a statement and return their current values, not those that the session read before.

    The statement must select from one table, or join only rows that never change: after a wait PostgreSQL
    re-reads the locked rows, but not the joined ones. A statement that locks several rows needs an ORDER BY.
    """
    record_lock(session, rank)
    locked = statement.with_for_update(
        of=of, read=mode is Mode.KEY_SHARE, key_share=mode is not Mode.EXCLUSIVE
    )
    result: Result[Any] = await session.execute(locked.execution_options(populate_existing=True))
    return result


async def lock_free(
    session: AsyncSession, rank: Rank, mode: Mode, statement: Select[Row], values: Mapping[str, Any]
) -> Sequence[Row]:
    """Lock those rows of a statement that no other transaction has locked, and return them. It never waits.

    It selects columns of the locked rows only, which have their current values. Everything else is read by a
    later statement: this one may have begun before another transaction committed.
    """
    record_lock(session, rank)
    locked = statement.with_for_update(skip_locked=True, key_share=mode is not Mode.EXCLUSIVE)
    return (await session.scalars(locked, values)).all()


async def lock_many(session: AsyncSession, rank: Rank, statement: Select[Any]) -> None:
    """Lock the rows of a statement EXCLUSIVE, without reading them. It needs an ORDER BY."""
    record_lock(session, rank)
    await session.execute(select(func.count()).select_from(statement.with_for_update().subquery()))


async def lock_at_once(session: AsyncSession, statement: Select[Any], *, of: Any) -> None:
    """Lock rows EXCLUSIVE after locks of a higher rank. It does not wait, so that it cannot deadlock.

    Raises LockedElsewhere if another transaction has locked one of them; then this one must roll back.
    """
    locked = statement.with_for_update(nowait=True, of=of).subquery()
    try:
        await session.execute(select(func.count()).select_from(locked))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise LockedElsewhere from error
        raise


async def lock_idempotency_key(session: AsyncSession, user_id: UUID, key: str) -> None:
    """Wait for a request of the person with the same key; those that come later wait for this one."""
    record_lock(session, Rank.IDEMPOTENCY_KEY)
    number = _number_of(b"idempotency key" + user_id.bytes + key.encode())
    await session.execute(select(func.pg_advisory_xact_lock(number)))


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


async def lock_keys_shared(session: AsyncSession, paper_ids: Collection[UUID]) -> None:
    """Lock the keys of papers against new versions until the transaction ends. Read the keys after this.

    Transactions that grade do not wait for each other. It is an advisory lock for the same reason as the
    entry of an exam: with row locks, graders would overtake whoever waits to add a version.
    """
    record_lock(session, Rank.KEY)
    await session.execute(LOCK_SHARED, {"numbers": [_key_of(paper_id) for paper_id in sorted(paper_ids)]})


async def try_lock_key_shared(session: AsyncSession, paper_id: UUID) -> bool:
    """As `lock_keys_shared`, but return False at once while somebody adds a version, or waits to add one."""
    record_lock(session, Rank.KEY)
    return bool(await session.scalar(TRY_LOCK_SHARED, {"number": _key_of(paper_id)}))


async def lock_key_exclusively(session: AsyncSession, paper_id: UUID) -> None:
    """Wait for transactions that grade by the paper's key; those that come later wait for this one."""
    record_lock(session, Rank.KEY)
    await session.execute(select(func.pg_advisory_xact_lock(_key_of(paper_id))))


async def lock_statistics(session: AsyncSession, test_id: UUID) -> None:
    """Wait for the transaction that refreshes the statistics of the test; those that come later wait."""
    record_lock(session, Rank.STATISTICS)
    await session.execute(select(func.pg_advisory_xact_lock(_number_of(b"statistics" + test_id.bytes))))


async def lock_statistics_request(session: AsyncSession, test_id: UUID) -> None:
    """Wait for another request to refresh the statistics of the test. It does not wait for a refresh."""
    record_lock(session, Rank.STATISTICS)
    number = _number_of(b"statistics request" + test_id.bytes)
    await session.execute(select(func.pg_advisory_xact_lock(number)))


async def lock_ratings(session: AsyncSession) -> None:
    """Wait for the transaction that takes attempts into ratings; those that come later wait for this one.

    Ratings of questions are shared by all candidates. With row locks, the sequence would not be one.
    """
    record_lock(session, Rank.RATINGS)
    await session.execute(select(func.pg_advisory_xact_lock(_number_of(b"ratings"))))


def record_lock(session: AsyncSession, rank: Rank) -> None:
    """Record that the transaction took a lock of this rank. Tests check the order.

    A transaction may lock rows that it has inserted itself in any order: no other transaction sees them.
    """
    taken: list[int] = session.info.setdefault("locks", [])
    if not taken or taken[-1] != rank:
        taken.append(rank)


def _entry_of(exam_id: UUID) -> int:
    return _number_of(b"exam entry" + exam_id.bytes)


def _key_of(paper_id: UUID) -> int:
    return _number_of(b"paper key" + paper_id.bytes)


def _number_of(name: bytes) -> int:
    """Return the number of an advisory lock. Two names with the same one would only wait for each other."""
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)
