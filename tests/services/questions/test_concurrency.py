"""Two authors at once: what one of them takes away, the other is told of; nothing is lost or a 500."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import AlreadyExists, InUse, Invalid, NotFound
from app.models import Chapter
from app.services import questions, subjects, tests
from app.services.questions import Content, Place, QuestionUpdate, passages
from app.services.questions.passages import PassageDraft, PassageUpdate
from app.services.subjects import ChapterDraft, SubjectDraft
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import operator
from tests.builders.content import UPSC, add_passage, add_subject
from tests.two_connections import alone, overlap, until_waiting

AUTHOR = operator()


@dataclass(frozen=True)
class Bank:
    """A subject with a chapter, a passage and a question, and what authors do to them."""

    subject_id: UUID
    chapter_id: UUID
    passage_id: UUID
    question_id: UUID

    async def add_question(self, uow: UnitOfWork) -> Any:
        place = Place(self.subject_id, self.chapter_id)
        return await questions.create(uow, AUTHOR, place, content(passage_id=self.passage_id))

    async def take_passage(self, uow: UnitOfWork) -> Any:
        return await questions.revise(
            uow, AUTHOR, self.question_id, QuestionUpdate(passage_id=self.passage_id)
        )

    async def reword(self, uow: UnitOfWork) -> Any:
        return await questions.revise(uow, AUTHOR, self.question_id, QuestionUpdate(text={"en": uuid4().hex}))

    async def retag(self, uow: UnitOfWork) -> Any:
        return await questions.revise(uow, AUTHOR, self.question_id, QuestionUpdate(tags=["new"]))

    async def revise_passage(self, uow: UnitOfWork) -> Any:
        return await passages.revise(uow, AUTHOR, self.passage_id, PassageUpdate({"en": uuid4().hex}))

    async def retire_passage(self, uow: UnitOfWork) -> Any:
        return await passages.retire(uow, AUTHOR, self.passage_id)

    async def delete_passage(self, uow: UnitOfWork) -> Any:
        return await passages.delete(uow, AUTHOR, self.passage_id)

    async def delete_chapter(self, uow: UnitOfWork) -> Any:
        return await subjects.delete_chapter(uow, AUTHOR, self.subject_id, self.chapter_id)


def content(**changes: Any) -> Content:
    fields = {
        "type": "true_false",
        "text": {"en": uuid4().hex},
        "options": [],
        "key": {"accepted": [["true"]]},
    }
    return Content(**(fields | changes))


@pytest.fixture
async def bank(engine: AsyncEngine) -> Bank:
    async with unit_of_work(engine) as uow:
        subject = await add_subject(uow)
        chapter = Chapter(subject_id=subject.id, slug="c", name={"en": "C"}, position=0)
        uow.session.add(chapter)
        await uow.session.flush()
        passage = await add_passage(uow)
        shown = await questions.create(uow, AUTHOR, Place(subject.id, external_id=uuid4().hex), content())
        return Bank(subject.id, chapter.id, passage.id, shown.question.id)


class TestDeletingAndTaking:
    """A row is deleted while another transaction makes one that refers to it."""

    async def test_a_new_question_of_a_passage_that_is_being_deleted(
        self, engine: AsyncEngine, bank: Bank
    ) -> None:
        both = await overlap(engine, bank.delete_passage, bank.add_question)
        assert both.waited
        with pytest.raises(Invalid) as refused:
            both.second.result()
        assert [error.field for error in refused.value.errors] == ["passage_id"]

    async def test_a_question_that_takes_a_passage_that_is_being_deleted(
        self, engine: AsyncEngine, bank: Bank
    ) -> None:
        both = await overlap(engine, bank.delete_passage, bank.take_passage)
        assert (both.waited, both.second.code) == (True, "invalid")

    async def test_a_passage_that_a_question_is_just_taking(self, engine: AsyncEngine, bank: Bank) -> None:
        both = await overlap(engine, bank.take_passage, bank.delete_passage)
        assert both.waited
        with pytest.raises(InUse):
            both.second.result()

    async def test_a_question_of_a_chapter_that_is_being_deleted(
        self, engine: AsyncEngine, bank: Bank
    ) -> None:
        both = await overlap(engine, bank.delete_chapter, bank.add_question)
        assert (both.waited, both.second.code) == (True, "invalid")

    async def test_a_chapter_that_a_question_is_just_taking(self, engine: AsyncEngine, bank: Bank) -> None:
        both = await overlap(engine, bank.add_question, bank.delete_chapter)
        assert (both.waited, both.second.code) == (True, "in_use")

    async def test_a_subject_that_is_being_deleted(self, engine: AsyncEngine) -> None:
        async with unit_of_work(engine) as uow:
            subject_id = (await add_subject(uow)).id

        async def delete(uow: UnitOfWork) -> Any:
            return await subjects.delete(uow, AUTHOR, subject_id)

        async def add_question(uow: UnitOfWork) -> Any:
            return await questions.create(uow, AUTHOR, Place(subject_id), content())

        async def add_chapter(uow: UnitOfWork) -> Any:
            return await subjects.create_chapter(uow, AUTHOR, subject_id, ChapterDraft("c", {"en": "C"}))

        async def add_test(uow: UnitOfWork) -> Any:
            draft = tests.TestDraft({"en": "T"}, "full", 600, UPSC, [], subject_id=subject_id)
            return await tests.create(uow, AUTHOR, draft)

        for add in (add_question, add_chapter, add_test):
            both = await overlap(engine, add, delete)
            assert (both.waited, both.second.code) == (True, "in_use"), add.__name__
            async with unit_of_work(engine) as uow:
                subject_id = (await add_subject(uow)).id
            both = await overlap(engine, delete, add)
            assert both.waited, add.__name__
            assert isinstance(both.second.error, Invalid | NotFound), add.__name__
            async with unit_of_work(engine) as uow:
                subject_id = (await add_subject(uow)).id

    async def test_over_http_it_is_no_internal_error(
        self, engine: AsyncEngine, bank: Bank, author: httpx.AsyncClient
    ) -> None:
        body = {
            "subject_id": str(bank.subject_id),
            "type": "true_false",
            "text": "Is it so?",
            "key": ["true"],
            "passage_id": str(bank.passage_id),
        }
        async with unit_of_work(engine) as uow:
            await bank.delete_passage(uow)
            asking = asyncio.create_task(author.post("/questions", json=body))
            await until_waiting(engine, 1)
        answer = await asking
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert [error["field"] for error in answer.json()["errors"]] == ["passage_id"]

    async def test_a_violation_that_only_the_database_sees_is_told_by_its_name(
        self, engine: AsyncEngine, bank: Bank
    ) -> None:
        """The last resort: no use case has looked before."""
        statement = "update ias.question_versions set passage_id = :gone where question_id = :id"
        with pytest.raises(Invalid) as refused:
            async with unit_of_work(engine) as uow:
                await uow.session.execute(text(statement), {"gone": uuid4(), "id": bank.question_id})
        assert [(each.field, each.message) for each in refused.value.errors] == [
            ("passage_id", "What this id names does not exist.")
        ]

        async def delete_unseen(uow: UnitOfWork) -> None:
            await bank.take_passage(uow)
            await uow.session.execute(
                text("delete from ias.passages where id = :id"), {"id": bank.passage_id}
            )

        assert (await alone(engine, delete_unseen)).code == "in_use"


class TestRetiringAndTaking:
    async def test_a_passage_that_is_being_retired_is_not_taken(
        self, engine: AsyncEngine, bank: Bank
    ) -> None:
        both = await overlap(engine, bank.retire_passage, bank.take_passage)
        assert (both.waited, both.second.code) == (True, "invalid")

    async def test_a_passage_that_is_just_taken_is_not_retired(self, engine: AsyncEngine, bank: Bank) -> None:
        both = await overlap(engine, bank.take_passage, bank.retire_passage)
        assert (both.waited, both.second.code) == (True, "in_use")


class TestTwoRevisions:
    async def test_of_a_question_are_two_versions(self, engine: AsyncEngine, bank: Bank) -> None:
        both = await overlap(engine, bank.reword, bank.retag)
        assert both.waited
        question = both.second.result().question
        assert question.current_version == 3
        async with reading(engine) as reads:
            _, reworded, _ = (await reads.questions.versions(bank.question_id))[::-1]
        assert (question.version.text, question.version.tags) == (reworded.text, ["new"])

    async def test_of_a_passage_are_two_versions(self, engine: AsyncEngine, bank: Bank) -> None:
        both = await overlap(engine, bank.revise_passage, bank.revise_passage)
        assert (both.waited, both.second.result().current_version) == (True, 3)

    async def test_by_an_import_and_by_hand_are_two_versions(self, engine: AsyncEngine, bank: Bank) -> None:
        async with reading(engine) as reads:
            question = await reads.questions.get(AUTHOR.institute_id, bank.question_id)
        assert question is not None
        sheet = (
            f"external_id,type,subject,question,key\n{question.external_id},true_false,{{}},New words,true\n"
        )
        async with reading(engine) as reads:
            subject = await reads.subjects.get(AUTHOR.institute_id, bank.subject_id)
        assert subject is not None
        file = sheet.format(subject.slug).encode()

        async def bring_in(uow: UnitOfWork) -> Any:
            return await questions.import_questions(uow, AUTHOR, file)

        both = await overlap(engine, bank.reword, bring_in)
        assert both.waited
        assert (list(both.second.result().errors), both.second.result().updated) == ([], 1)
        async with reading(engine) as reads:
            numbers = [version.number for version in await reads.questions.versions(bank.question_id)]
        assert numbers == [3, 2, 1]


class TestOneName:
    async def test_of_two_new_subjects_of_one_slug_the_second_is_told(self, engine: AsyncEngine) -> None:
        draft = SubjectDraft(f"s-{uuid4().hex}", {"en": "S"})

        async def create(uow: UnitOfWork) -> Any:
            return await subjects.create(uow, AUTHOR, draft)

        both = await overlap(engine, create, create)
        assert both.waited
        with pytest.raises(AlreadyExists):
            both.second.result()

    async def test_of_two_new_passages_of_one_name_the_second_is_told(self, engine: AsyncEngine) -> None:
        draft = PassageDraft({"en": "P"}, external_id=uuid4().hex)

        async def create(uow: UnitOfWork) -> Any:
            return await passages.create(uow, AUTHOR, draft)

        both = await overlap(engine, create, create)
        assert (both.waited, both.second.code) == (True, "already_exists")
