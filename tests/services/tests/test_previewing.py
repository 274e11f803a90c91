"""Previewing: what publishing would freeze, before it does."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import update

from app.core.errors import Invalid
from app.models import DEFAULT_INSTITUTE_ID, Question, QuestionVersion
from app.repositories.tests import ListedTest
from app.services import tests
from app.services.components import Components
from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.content import UPSC, add_passage, add_questions, publish_test

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
AUTHOR = operator()


async def draft(uow: UnitOfWork, question_ids: list[UUID], **changes: Any) -> UUID:
    fields: dict[str, Any] = {
        "title": {"en": "Mock"},
        "kind": "full",
        "duration_seconds": 600,
        "marking": UPSC,
        "sections": [SectionDraft({"en": "Paper"}, question_ids)],
    }
    return (await tests.create(uow, AUTHOR, tests.TestDraft(**(fields | changes)))).id


async def set_status(uow: UnitOfWork, question_id: UUID, status: str) -> None:
    await uow.session.execute(update(Question).where(Question.id == question_id).values(status=status))


class TestPreview:
    async def test_it_is_what_publishing_then_freezes(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"], ["b"], {"value": "7"}])
        passage = await add_passage(uow)
        statement = update(QuestionVersion).where(QuestionVersion.question_id == ids[1])
        await uow.session.execute(statement.values(passage_id=passage.id))
        test_id = await draft(uow, ids, languages=["en", "hi"])
        for _ in range(2):  # the first version, and the next
            preview = await tests.preview(uow, AUTHOR, test_id)
            published = await tests.publish(uow, AUTHOR, test_id, NOW)
            assert preview.document == orjson.loads(published.paper.document)
            assert (preview.obstacles, preview.gaps) == ([], published.gaps)

    async def test_characters_that_no_font_has_are_named_and_prevent_only_the_print(
        self, uow: UnitOfWork
    ) -> None:
        ids = await add_questions(uow, [["a"], ["b"]])
        test_id = await draft(uow, ids)
        statement = update(QuestionVersion).where(QuestionVersion.question_id == ids[1])
        await uow.session.execute(statement.values(text={"en": "Which is 中ก, 😀 or \ue000? x ≠ y, ½, स्‍थान"}))
        uow.session.expire_all()
        preview = await tests.preview(uow, AUTHOR, test_id)
        assert preview.obstacles == []
        found = [(each.field, str(each.message)) for each in preview.print_obstacles]
        assert {field for field, _ in found} == {"questions.2"}
        codes = [message.partition("(")[2].partition(")")[0] for _, message in found]
        assert codes == ["U+4E2D", "U+0E01", "U+1F600", "U+E000"]
        await tests.publish(uow, AUTHOR, test_id, NOW)
        with pytest.raises(Invalid) as refused:
            await tests.printout(uow, AUTHOR, test_id, "paper", "en", None)
        assert [*refused.value.errors] == preview.print_obstacles

    async def test_a_language_in_which_it_cannot_be_printed_is_not_checked(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"]])
        statement = update(QuestionVersion).where(QuestionVersion.question_id == ids[0])
        await uow.session.execute(statement.values(text={"ur": "کیوں؟", "en": "Why?"}))
        uow.session.expire_all()
        preview = await tests.preview(uow, AUTHOR, await draft(uow, ids, languages=["ur", "en"]))
        assert preview.print_obstacles == []

    async def test_formulas_that_cannot_be_typeset_are_named_and_prevent_only_the_print(
        self, uow: UnitOfWork, parts: Components
    ) -> None:
        ids = await add_questions(uow, [["a"], ["b"]])
        test_id = await draft(uow, ids)
        text = {"en": r"What is $\frac12$, $\foo{x}$, $\frac{1}{$, $5 or $6?"}
        statement = update(QuestionVersion).where(QuestionVersion.question_id == ids[1])
        await uow.session.execute(statement.values(text=text))
        uow.session.expire_all()
        preview = await tests.preview(uow, AUTHOR, test_id)
        assert preview.print_obstacles == []
        preview = await tests.with_formulas(preview, parts.files, AUTHOR)
        sentences = [str(each.message).partition(". ")[0] for each in preview.print_obstacles]
        assert sentences == [
            r'Question 2: the formula $\foo{x}$ cannot be typeset because of "\foo"',
            r"Question 2: the formula $\frac{1}{$ cannot be typeset",
        ]
        assert {each.field for each in preview.print_obstacles} == {"questions.2"}
        await tests.publish(uow, AUTHOR, test_id, NOW)
        printout = await tests.printout(uow, AUTHOR, test_id, "paper", "en", None)
        with pytest.raises(Invalid) as refused:
            await tests.pdf(printout, parts.media, parts.files, AUTHOR, NOW)
        assert [*refused.value.errors] == preview.print_obstacles

    async def test_it_holds_no_key(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"], {"value": "3.14159"}])
        preview = await tests.preview(uow, AUTHOR, await draft(uow, ids))
        shown = orjson.dumps(preview.document)
        for secret in (b"SECRET", b"accepted", b"3.14159", b"explanation"):
            assert secret not in shown

    async def test_what_cannot_be_published_is_shown_with_the_reasons(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"], ["b"]])
        await set_status(uow, ids[1], "draft")
        preview = await tests.preview(uow, AUTHOR, await draft(uow, ids))
        assert [each.field for each in preview.obstacles] == ["sections.0.question_ids.1"]
        assert [question["number"] for question in preview.document["questions"]] == [1, 2]

    async def test_a_question_without_key_is_shown_too(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [{}])
        await set_status(uow, ids[0], "draft")
        preview = await tests.preview(uow, AUTHOR, await draft(uow, ids))
        assert [each.message for each in preview.obstacles] == ["The question is a draft. Complete it first."]

    async def test_nothing_is_shown_as_nothing(self, uow: UnitOfWork) -> None:
        preview = await tests.preview(uow, AUTHOR, await draft(uow, [], sections=[]))
        assert [each.message for each in preview.obstacles] == ["A test needs at least one question."]
        assert preview.document["questions"] == []

    async def test_a_key_that_drops_everything_stands_in_the_way(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [{"dropped": True}])
        preview = await tests.preview(uow, AUTHOR, await draft(uow, ids))
        assert "At least one question must remain" in preview.obstacles[0].message

    async def test_gaps_in_the_prevailing_language_stand_in_the_way(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [{"value": "1"}])
        preview = await tests.preview(uow, AUTHOR, await draft(uow, ids, languages=["hi", "en"]))
        assert [each.field for each in preview.obstacles] == ["title.hi", "sections.0.name.hi"]
        assert preview.gaps == preview.obstacles


class TestPendingDraft:
    async def shown(self, uow: UnitOfWork, test_id: UUID) -> bool:
        """Whether the draft is shown, read anew as a request would."""
        await uow.session.flush()
        uow.session.expunge_all()
        listed = await tests.find(uow, AUTHOR, test_id, NOW)
        return await tests.pending_draft(uow, AUTHOR, listed) is not None

    async def test_none_once_it_is_published(self, uow: UnitOfWork) -> None:
        test_id = await draft(uow, await add_questions(uow, [["a"], ["b"]]))
        assert await self.shown(uow, test_id)
        await tests.publish(uow, AUTHOR, test_id, NOW)
        assert not await self.shown(uow, test_id)

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": {"en": "Another"}},
            {"description": {"en": "Now with one"}},
            {"duration_seconds": 601},
            {"languages": ["en", "hi"]},
            {"marking": UPSC | {"incorrect": "0"}},
            {"shuffle": {"questions": True, "options": False}},
            {"sections": []},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    async def test_what_waits_for_publication(self, uow: UnitOfWork, changes: dict[str, Any]) -> None:
        made = await publish_test(uow)
        await tests.change(uow, AUTHOR, made.id, tests.TestUpdate(**changes))
        assert await self.shown(uow, made.id)
        if changes != {"sections": []}:
            await tests.publish(uow, AUTHOR, made.id, NOW)
            assert not await self.shown(uow, made.id)

    async def test_marks_of_one_question(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        same = SectionDraft({"en": "Paper"}, made.question_ids)
        await tests.change(uow, AUTHOR, made.id, tests.TestUpdate(sections=[same]))
        assert not await self.shown(uow, made.id)
        other = SectionDraft(
            {"en": "Paper"}, made.question_ids, question_marking={made.question_ids[0]: {"correct": "3"}}
        )
        await tests.change(uow, AUTHOR, made.id, tests.TestUpdate(sections=[other]))
        assert await self.shown(uow, made.id)

    async def test_what_holds_at_once_is_no_draft(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        await tests.change(uow, AUTHOR, made.id, tests.TestUpdate(access="enrolled", attempts_allowed=1))
        assert not await self.shown(uow, made.id)

    async def test_in_one_session_with_the_list(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        test = await uow.tests.draft(DEFAULT_INSTITUTE_ID, made.id)
        paper = await uow.tests.paper_version(test, 1)
        assert await tests.pending_draft(uow, AUTHOR, ListedTest(test, paper)) is None
