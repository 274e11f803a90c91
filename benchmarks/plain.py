"""A baseline of the benchmarks: the save with FastAPI, SQLAlchemy's ORM and a JWT, written in an afternoon.

It has the design that is usual for such a service: a session and a user by dependencies, one row for each
question, which the next answer replaces, and no log.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SECRET = os.environ["PLAIN_SECRET"]


class Base(DeclarativeBase):
    """The tables of this server."""


class PlainAttempt(Base):
    """An attempt in progress."""

    __tablename__ = "plain_attempts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    status: Mapped[str]


class PlainResponse(Base):
    """The answer to a question."""

    __tablename__ = "plain_responses"
    __table_args__ = (UniqueConstraint("attempt_id", "question_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("plain_attempts.id"))
    question_id: Mapped[UUID]
    answer: Mapped[Any] = mapped_column(JSONB)
    updates: Mapped[int]


class ResponseIn(BaseModel):
    """One answer."""

    question_id: UUID
    revision: int
    answer: list[str] | str | None
    time_spent_ms: int = 0


class ResponsesIn(BaseModel):
    """The body of a save."""

    attempt_id: UUID
    lease: int
    responses: list[ResponseIn]


class SavedOut(BaseModel):
    """The answer to a save."""

    saved: int
    server_time: datetime


_url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
engine = create_async_engine(_url, pool_size=int(os.environ["DATABASE_POOL_SIZE"]), max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


async def user_id(bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> UUID:
    try:
        return UUID(jwt.decode(bearer.credentials, SECRET, algorithms=["HS256"])["sub"])
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error


@app.post("/plain")
async def save(
    body: ResponsesIn, user: Annotated[UUID, Depends(user_id)], db: Annotated[AsyncSession, Depends(session)]
) -> SavedOut:
    """Store the answers."""
    attempt = await db.scalar(
        select(PlainAttempt).where(PlainAttempt.id == body.attempt_id, PlainAttempt.user_id == user)
    )
    if attempt is None or attempt.status != "in_progress":
        raise HTTPException(404)
    for sent in body.responses:
        stored = await db.scalar(
            select(PlainResponse).where(
                PlainResponse.attempt_id == attempt.id, PlainResponse.question_id == sent.question_id
            )
        )
        if stored is None:
            stored = PlainResponse(attempt_id=attempt.id, question_id=sent.question_id, updates=0)
            db.add(stored)
        stored.answer, stored.updates = sent.answer, stored.updates + 1
    await db.commit()
    return SavedOut(saved=len(body.responses), server_time=datetime.now(UTC))
