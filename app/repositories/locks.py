"""Locks: the only place where rows are locked, in one order, and what is read is read after the lock.

docs/concurrency.md is the page: which use case locks what, in which mode and order.
"""

import hashlib
from collections.abc import Collection
from enum import IntEnum, StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ScalarResult, Select, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

Row = TypeVar("Row")

PLACEMENTS_LOCK = 0x1A5E
"""Any constant: who publishes an exam takes the lock of this number and the institute."""


class Rank(IntEnum):
    """What is locked, in the order in which a transaction locks it: two that follow it cannot deadlock."""

    INSTITUTE = 1
    MEMBERSHIP = 2
    EXAM = 3
    PLACEMENTS = 4
    """Which questions the published exams of an institute hold."""
    ENTRY = 5
    """Who may enter an exam: shared by those who enter, exclusive for whoever changes it."""
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
    """Which version of a paper's key holds: shared by those who grade, exclusive for who adds a version.

    Results and histograms are written after these, the histograms last and in their own order.
    """
    PREFERENCES = 16


class Mode(StrEnum):
    """How a row is locked, from the weakest."""

    KEEP = "for key share"
    """Nobody deletes it, or takes it for EXCLUSIVE. What a foreign key does by itself."""
    CHANGE = "for no key update"
    """Nobody else changes it. Rows that refer to it may be added meanwhile."""
    EXCLUSIVE = "for update"
    """Nobody else changes it, keeps it, or adds rows that refer to it."""


async def lock(
    session: AsyncSession, rank: Rank, mode: Mode, statement: Select[Row], *, of: Any = None
) -> ScalarResult[Row]:
    """Lock the rows of a statement, and read them as they are then, not as this session saw them before.

    The statement must select from one table, or join only what never changes: PostgreSQL reads the locked
    rows again after a wait, and the others not. Several rows need an order.
    """
    note(session, rank)
    locked = statement.with_for_update(of=of, read=mode is Mode.KEEP, key_share=mode is not Mode.EXCLUSIVE)
    return await session.scalars(locked.execution_options(populate_existing=True))


async def enter(session: AsyncSession, exam_id: UUID) -> None:
    """Hold the entry of an exam open until the transaction ends. Read the exam after this, not before.

    Those who enter do not wait for each other. They do not overtake staff who wait in `shut` either, as
    they would with locks of rows, and at the start of an exam there is always somebody inside.
    """
    note(session, Rank.ENTRY)
    await session.execute(select(func.pg_advisory_xact_lock_shared(_entry_of(exam_id))))


async def shut(session: AsyncSession, exam_id: UUID) -> None:
    """Wait until those who are entering are in, and let others wait until the transaction ends."""
    note(session, Rank.ENTRY)
    await session.execute(select(func.pg_advisory_xact_lock(_entry_of(exam_id))))


async def hold_placements(session: AsyncSession, institute_id: UUID) -> None:
    """Let nobody else of the institute publish an exam until the transaction ends."""
    note(session, Rank.PLACEMENTS)
    institute = func.hashtext(str(institute_id))
    await session.execute(select(func.pg_advisory_xact_lock(PLACEMENTS_LOCK, institute)))


async def lock_keys_shared(session: AsyncSession, paper_ids: Collection[UUID]) -> None:
    """Let nobody add a key version to these papers until the transaction ends. Read the key after this.

    An advisory lock, for the reasons of `enter`: in a crowd there is always somebody who grades.
    """
    note(session, Rank.KEY)
    numbers = func.unnest(literal([_key_of(paper_id) for paper_id in sorted(paper_ids)], ARRAY(BigInteger)))
    await session.execute(select(func.pg_advisory_xact_lock_shared(numbers)))


async def lock_key_exclusively(session: AsyncSession, paper_id: UUID) -> None:
    """Wait until those who grade by the paper's key have ended, and let others wait until this one has."""
    note(session, Rank.KEY)
    await session.execute(select(func.pg_advisory_xact_lock(_key_of(paper_id))))


def note(session: AsyncSession, rank: Rank) -> None:
    """Remember that a lock of this rank is taken. Tests of two connections look whether the order holds.

    A transaction that locks rows which it has made itself may take them in any order: nobody else has them.
    """
    taken: list[int] = session.info.setdefault("locks", [])
    if not taken or taken[-1] != rank:
        taken.append(rank)


def _entry_of(exam_id: UUID) -> int:
    return _number_of(b"exam entry" + exam_id.bytes)


def _key_of(paper_id: UUID) -> int:
    return _number_of(b"paper key" + paper_id.bytes)


def _number_of(name: bytes) -> int:
    """The number of an advisory lock. Two names with the same one would wait for each other, no more."""
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)
