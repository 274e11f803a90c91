"""Composing tests while others change what they stand on."""

import asyncio

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import until_blocking
from tests.builders.content import UPSC, add_subject

pytestmark = pytest.mark.anyio


class TestCreate:
    async def test_a_subject_that_is_being_deleted_is_none(
        self, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            subject = await add_subject(uow)
        body = {
            "title": "Mock",
            "kind": "full",
            "duration_seconds": 60,
            "marking": UPSC,
            "sections": [],
            "subject_id": str(subject.id),
        }
        async with unit_of_work(engine) as uow:
            await uow.subjects.delete(subject)
            creating = asyncio.create_task(author.post("/tests", json=body))
            await until_blocking(engine, uow)
        answer = await creating
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "subject_id")
