"""Publishing: a draft is frozen as the next paper version, or told all that stands in the way."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import NotFound, NotPublishable
from app.core.ids import uuid7
from app.database import create_engine
from app.models import (
    DEFAULT_INSTITUTE_ID,
    Media,
    Paper,
    PaperMedia,
    Passage,
    PassageVersion,
    Question,
    QuestionVersion,
    Role,
)
from app.services import tests
from app.services.components import Components
from app.services.questions import media
from app.services.tests import PaperStore, PublishedPaper, SectionDraft
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate, until_blocking
from tests.builders.content import UPSC, add_passage, add_questions, publish_test
from tests.builders.exams import add_exam
from tests.builders.images import new_image
from tests.builders.people import add_stranger

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
AUTHOR = operator()


async def draft(uow: UnitOfWork, sections: list[SectionDraft], **changes: Any) -> UUID:
    """A test that is not published yet."""
    fields: dict[str, Any] = {
        "title": {"en": "Mock"},
        "kind": "full",
        "duration_seconds": 600,
        "marking": UPSC,
    }
    test = await tests.create(uow, AUTHOR, tests.TestDraft(sections=sections, **(fields | changes)))
    return test.id


def section(*question_ids: UUID, **changes: Any) -> SectionDraft:
    return SectionDraft({"en": "Paper"}, list(question_ids), **changes)


async def publish(uow: UnitOfWork, test_id: UUID) -> PublishedPaper:
    return await tests.publish(uow, AUTHOR, test_id, NOW)


async def obstacles(uow: UnitOfWork, test_id: UUID) -> dict[str, str]:
    """What stands in the way, by field; nothing may have been published."""
    with pytest.raises(NotPublishable) as raised:
        await publish(uow, test_id)
    test = await uow.tests.draft(DEFAULT_INSTITUTE_ID, test_id)
    assert (test.status, test.paper_version) == ("draft", None)
    return {error.field: error.message for error in raised.value.errors}


async def change_question(uow: UnitOfWork, question_id: UUID, **values: Any) -> None:
    await uow.session.execute(
        update(QuestionVersion).where(QuestionVersion.question_id == question_id).values(**values)
    )


class TestPublish:
    async def test_versions_count_up_and_etags_change(self, uow: UnitOfWork) -> None:
        test_id = await draft(uow, [section(*await add_questions(uow, [["a"], ["b"]]))])
        first = await publish(uow, test_id)
        second = await publish(uow, test_id)
        assert [each.paper.version for each in (first, second)] == [1, 2]
        assert first.paper.etag != second.paper.etag
        assert (second.test.status, second.test.paper_version) == ("published", 2)
        assert (first.paper.question_count, first.paper.max_marks) == (2, "4")

    async def test_two_at_once_make_two_versions(self, engine: AsyncEngine) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)

        async def publish_apart() -> PublishedPaper:
            async with unit_of_work(engine) as uow:
                return await publish(uow, made.id)

        async with unit_of_work(engine) as uow:
            first = await publish(uow, made.id)
            publishing = asyncio.create_task(publish_apart())
            await until_blocking(engine, uow)
        assert (first.paper.version, (await publishing).paper.version) == (2, 3)

    async def test_an_archived_test_is_published_again(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        await tests.archive(uow, AUTHOR, made.id)
        assert (await publish(uow, made.id)).test.status == "published"

    async def test_another_institutes_test_is_not_there(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        fields = {name: getattr(AUTHOR, name) for name in Principal.__slots__}
        stranger = Principal(**(fields | {"institute_id": uuid7()}))
        with pytest.raises(NotFound):
            await tests.publish(uow, stranger, made.id, NOW)


class TestDocument:
    async def test_it_has_the_tests_languages_alone(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"]])
        for languages, shown in ((["en"], {"en"}), (["en", "hi"], {"en", "hi"}), (["hi"], {"hi"})):
            options = [{"id": "a", "text": {"en": "A", "hi": "अ"}}]
            await change_question(uow, ids[0], options=options)
            titles = {"title": {"en": "Mock", "hi": "मॉक"}, "languages": languages}
            bilingual = SectionDraft({"en": "Paper", "hi": "पत्र"}, ids)
            published = await publish(uow, await draft(uow, [bilingual], **titles))
            [question] = orjson.loads(published.paper.document)["questions"]
            assert set(question["text"]) == shown
            assert set(question["options"][0]["text"]) == shown

    async def test_nothing_that_tells_the_key(self, uow: UnitOfWork) -> None:
        keys: list[Any] = [["a"], ["b"], {"value": "3.14159"}, {"dropped": True}]
        made = await publish_test(uow, keys)
        paper = await current_paper(uow, made.id)
        for secret in (b"SECRET", b"accepted", b"3.14159", b"dropped", b"explanation", b"version_id"):
            assert secret not in paper.document
        assert b"SECRET" not in orjson.dumps(paper.rules)
        assert b"accepted" not in orjson.dumps(paper.rules)

    async def test_passages_stand_beside_their_questions(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"], ["b"]])
        passage = Passage(id=uuid7(), institute_id=DEFAULT_INSTITUTE_ID)
        uow.session.add(passage)
        await uow.session.flush()
        uow.session.add(PassageVersion(passage_id=passage.id, number=1, text={"en": "Read this."}))
        await change_question(uow, ids[0], passage_id=passage.id)
        paper = (await publish(uow, await draft(uow, [section(*ids)]))).paper
        document = orjson.loads(paper.document)
        assert document["passages"] == [{"id": str(passage.id), "text": {"en": "Read this."}, "media": []}]
        assert [each["passage_id"] for each in document["questions"]] == [str(passage.id), None]


class TestImages:
    async def test_the_paper_shows_and_remembers_them(self, uow: UnitOfWork, parts: Components) -> None:
        ids = await add_questions(uow, [["a"], ["b"]])
        first, second = [await add_image(uow, parts) for _ in range(2)]
        await change_question(uow, ids[0], media=[str(second.id), str(first.id)])
        passage = await add_passage(uow, media=[str(first.id)])
        await change_question(uow, ids[1], passage_id=passage.id)
        paper = (await publish(uow, await draft(uow, [section(*ids)]))).paper
        document = orjson.loads(paper.document)
        assert document["questions"][0]["media"] == [media_entry(second), media_entry(first)]
        assert document["passages"][0]["media"] == [media_entry(first)]
        remembered = select(PaperMedia.media_id).where(PaperMedia.paper_id == paper.id)
        assert set(await uow.session.scalars(remembered)) == {first.id, second.id}

    async def test_one_that_is_not_there_stands_in_the_way(self, uow: UnitOfWork, parts: Components) -> None:
        ids = await add_questions(uow, [["a"], ["b"]])
        theirs = await media.upload(uow, parts.media, await add_stranger(uow), new_image())
        await change_question(uow, ids[1], media=[str(theirs.media.id)])
        told = await obstacles(uow, await draft(uow, [section(*ids)]))
        assert told == {f"questions.{ids[1]}.media": "There is no such image."}


async def add_image(uow: UnitOfWork, parts: Components) -> Media:
    return (await media.upload(uow, parts.media, AUTHOR, new_image())).media


def media_entry(image: Media) -> dict[str, Any]:
    """An image as candidates see it named."""
    return {
        "id": str(image.id),
        "content_type": "image/png",
        "width": 40,
        "height": 20,
        "url": f"/v1/media/{image.id}",
    }


class TestGaps:
    async def test_what_another_language_lacks_is_told(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"], {"value": "1"}])
        published = await publish(uow, await draft(uow, [section(*ids)], languages=["en", "hi"]))
        assert [gap.field for gap in published.gaps] == [
            "title.hi",
            "sections.0.name.hi",
            *(f"sections.0.questions.0.options.{letter}.hi" for letter in "abcd"),
        ]

    async def test_the_prevailing_language_must_be_whole(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [{"value": "1"}])
        test_id = await draft(uow, [section(*ids)], languages=["hi", "en"])
        assert set(await obstacles(uow, test_id)) == {"title.hi", "sections.0.name.hi"}

    async def test_a_whole_test_has_none(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [["a"]])
        assert (await publish(uow, await draft(uow, [section(*ids)]))).gaps == []


class TestObstacles:
    async def test_no_question(self, uow: UnitOfWork) -> None:
        assert set(await obstacles(uow, await draft(uow, []))) == {"sections"}

    async def test_all_are_told_together(self, uow: UnitOfWork) -> None:
        unfit = await add_questions(uow, [["a"]] * 4)
        for question_id, status in zip(unfit, ("draft", "retired"), strict=False):
            statement = update(Question).where(Question.id == question_id).values(status=status)
            await uow.session.execute(statement)
        await change_question(uow, unfit[2], type="descriptive")
        sections = [
            section(*unfit, duration_seconds=400),
            section(),
            section(*await add_questions(uow, [["b"]]), duration_seconds=201),
        ]
        assert await obstacles(uow, await draft(uow, sections)) == {
            "sections.0.question_ids.0": "The question is a draft. Complete it first.",
            "sections.0.question_ids.1": "The question is retired.",
            "sections.0.question_ids.2": "A descriptive question cannot be marked yet.",
            "sections.1.question_ids": "The section has no question.",
            "duration_seconds": "The timed sections take longer than the test.",
        }

    async def test_a_question_that_an_unreleased_exam_holds(self, uow: UnitOfWork) -> None:
        """Or its key could be read in the results of one's own test, before the exam's release."""
        made = await publish_test(uow)
        await add_exam(uow, made.id, NOW)
        stranger = replace(operator(), id=(await add_candidate(uow)).id, role=Role.AUTHOR)
        composed = tests.TestDraft(
            title={"en": "Mine"},
            kind="full",
            duration_seconds=60,
            marking=UPSC,
            sections=[section(made.question_ids[0])],
        )
        mine = await tests.create(uow, stranger, composed)
        with pytest.raises(NotPublishable) as refusal:
            await tests.publish(uow, stranger, mine.id, NOW)
        assert [error.field for error in refusal.value.errors] == ["sections.0.question_ids.0"]

    async def test_a_key_that_drops_everything(self, uow: UnitOfWork) -> None:
        ids = await add_questions(uow, [{"dropped": True}] * 2)
        told = await obstacles(uow, await draft(uow, [section(*ids)]))
        assert "At least one question must remain" in told["sections"]

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"choose": 3}, "more questions than it has"),
            ({"choose": 1, "marks": {"correct": "3"}}, "equal marks"),
            ({"marks": {"unattempted": "5"}}, "cannot earn more"),
        ],
    )
    async def test_rules_that_contradict(
        self, uow: UnitOfWork, changes: dict[str, Any], sentence: str
    ) -> None:
        ids = await add_questions(uow, [["a"], ["b"]])
        marks = changes.get("marks")
        contradicting = section(
            *ids, choose=changes.get("choose"), question_marking={ids[0]: marks} if marks else {}
        )
        assert sentence in (await obstacles(uow, await draft(uow, [contradicting])))["sections"]


class TestPaperStore:
    async def test_a_paper_is_read_once(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        paper_id = (await current_paper(uow, made.id)).id
        store = PaperStore()
        assert await store.get(uow, paper_id) is await store.get(uow, paper_id)

    async def test_the_least_recently_used_is_dropped_first(self, uow: UnitOfWork) -> None:
        ids = [(await current_paper(uow, (await publish_test(uow)).id)).id for _ in range(3)]
        store = PaperStore(capacity=2)
        first, second = await store.get(uow, ids[0]), await store.get(uow, ids[1])
        assert await store.get(uow, ids[0]) is first
        await store.get(uow, ids[2])
        assert await store.get(uow, ids[0]) is first
        assert await store.get(uow, ids[1]) is not second

    async def test_who_waits_for_it_holds_no_connection_that_its_loader_needs(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        """As many starts at one minute as the pool has connections, and a save that came first."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            paper_id = (await current_paper(uow, made.id)).id
        small = create_engine(parts.settings, pool_size=1, pool_timeout=2)
        store = PaperStore()
        try:
            async with unit_of_work(small) as starting:
                await starting.tests.draft(DEFAULT_INSTITUTE_ID, made.id)  # has the only connection

                async def save() -> Any:
                    async with unit_of_work(small) as saving:
                        return await store.get(saving, paper_id)

                loading = asyncio.create_task(save())
                await asyncio.sleep(0)
                paper = await store.get(starting, paper_id)
            assert await loading is paper
        finally:
            await small.dispose()


async def current_paper(uow: UnitOfWork, test_id: UUID) -> Paper:
    test = await uow.tests.draft(DEFAULT_INSTITUTE_ID, test_id)
    paper_id = await uow.tests.current_paper_id(test)
    assert paper_id is not None
    return await uow.tests.paper(paper_id)
