"""Tests and questions that belong to somebody, for what depends on who made what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.content import Made, publish_test

KEYS = ({"accepted": [["a"]]}, {"accepted": [["b"]]}, {"accepted": [["c"]]})


async def id_of(client: httpx.AsyncClient) -> UUID:
    """Who a client is."""
    return UUID((await client.get("/auth/me")).json()["id"])


async def publish_for(
    engine: AsyncEngine, maker: httpx.AsyncClient | None = None, same_as: Made | None = None, **changes: Any
) -> Made:
    """A published test that `maker` made; None is nobody. It has the questions of another one, or its own.

    Its own questions are the maker's, too.
    """
    maker_id = await id_of(maker) if maker is not None else None
    async with unit_of_work(engine) as uow:
        if same_as is None:
            made = await publish_test(uow, **changes)
            await _give_questions(uow, made.question_ids, maker_id)
        else:
            section = SectionDraft(name={"en": "Paper"}, question_ids=same_as.question_ids)
            made = await publish_test(uow, (), sections=[section], **changes)
            made = Made(made.id, same_as.question_ids, same_as.keys)
        statement = text("update ias.tests set created_by = :maker where id = :id")
        await uow.session.execute(statement, {"maker": maker_id, "id": made.id})
    return made


async def _give_questions(uow: UnitOfWork, question_ids: Sequence[UUID], maker_id: UUID | None) -> None:
    for table, column in (("questions", "id"), ("question_versions", "question_id")):
        statement = f"update ias.{table} set created_by = :maker where {column} = any(:ids)"
        await uow.session.execute(text(statement), {"maker": maker_id, "ids": list(question_ids)})


async def set_exam(engine: AsyncEngine, exam_id: str, **times: datetime | None) -> None:
    """Set times of an exam as they are, whatever the rules of its life say."""
    columns = ", ".join(f"{name} = :{name}" for name in times)
    values: Mapping[str, Any] = {"id": UUID(exam_id), **times}
    async with engine.begin() as connection:
        await connection.execute(text(f"update ias.exams set {columns} where id = :id"), values)
