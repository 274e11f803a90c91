"""Questions in the database: whose they are, and by what they are found."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.core.errors import AlreadyExists, Invalid
from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID as OURS
from app.models import Institute, Question
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services.unit_of_work import UnitOfWork
from tests.content import add_subject


@pytest.fixture
async def subject_id(uow: UnitOfWork) -> UUID:
    return (await add_subject(uow)).id


async def add(uow: UnitOfWork, subject_id: UUID, **columns: Any) -> UUID:
    """A question of ours with one version."""
    question_id = uuid7()
    question = {
        "id": question_id,
        "institute_id": OURS,
        "subject_id": subject_id,
        "chapter_id": None,
        "external_id": None,
        "source": None,
        "source_number": None,
        "fingerprint": uuid4().hex,
        "status": "active",
        **columns,
    }
    version = {
        "id": uuid7(),
        "question_id": question_id,
        "number": 1,
        "type": "numeric",
        "text": {"en": "How many?"},
        "options": [],
        "key": {"value": "1", "tolerance": "0"},
    }
    await uow.questions.add([question], [version])
    return question_id


def ids(questions: Sequence[Question]) -> list[UUID]:
    return [question.id for question in questions]


class TestGet:
    async def test_another_institute_sees_nothing(self, uow: UnitOfWork, subject_id: UUID) -> None:
        question_id = await add(uow, subject_id, external_id="X")
        theirs = uuid4()
        assert await uow.questions.get(theirs, question_id) is None
        assert await uow.questions.by_external_id(theirs, ["X"]) == []
        page = await uow.questions.page(theirs, QuestionFilter(subject_id=subject_id), PageRequest())
        assert page.items == []

    async def test_it_is_read_anew(self, uow: UnitOfWork, subject_id: UUID) -> None:
        question_id = await add(uow, subject_id)
        first = await uow.questions.get(OURS, question_id, lock=True)
        await uow.questions.change([{"id": question_id, "status": "retired"}])
        again = await uow.questions.get(OURS, question_id)
        assert first is again
        assert again is not None
        assert again.status == "retired"
        assert again.version.text == {"en": "How many?"}


class TestIdentities:
    async def test_by_source_finds_the_nameless_alone(self, uow: UnitOfWork, subject_id: UUID) -> None:
        source = uuid4().hex
        found = await add(uow, subject_id, source=source, source_number=1)
        await add(uow, subject_id, source=source, source_number=1, external_id=uuid4().hex)
        await add(uow, subject_id, source=source, source_number=2)
        assert ids(await uow.questions.by_source(OURS, [(source, 1), ("elsewhere", 7)])) == [found]
        assert ids(await uow.questions.by_source(OURS, [])) == []

    async def test_by_fingerprint_finds_those_with_no_other_name(
        self, uow: UnitOfWork, subject_id: UUID
    ) -> None:
        columns = {"fingerprint": uuid4().hex}
        first = await add(uow, subject_id, **columns, source="Mock")
        second = await add(uow, subject_id, **columns, source_number=4)
        await add(uow, subject_id, **columns, external_id=uuid4().hex)
        await add(uow, subject_id, **columns, source=uuid4().hex, source_number=4)
        assert set(ids(await uow.questions.by_fingerprint(OURS, columns.values()))) == {first, second}


class TestAdd:
    async def test_names_are_unique(self, uow: UnitOfWork, subject_id: UUID) -> None:
        for name in ({"external_id": uuid4().hex}, {"source": uuid4().hex, "source_number": 1}):
            await add(uow, subject_id, **name)
            with pytest.raises(AlreadyExists):
                async with uow.session.begin_nested():
                    await add(uow, subject_id, **name)

    async def test_names_are_unique_within_an_institute(self, uow: UnitOfWork, subject_id: UUID) -> None:
        theirs = Institute(slug=uuid4().hex, name="Another")
        uow.session.add(theirs)
        await uow.session.flush()
        name = {"external_id": uuid4().hex}
        await add(uow, subject_id, **name)
        twin = await add(uow, subject_id, **name, institute_id=theirs.id)
        assert ids(await uow.questions.by_external_id(theirs.id, name.values())) == [twin]

    @pytest.mark.parametrize("field", ["subject_id", "chapter_id"])
    async def test_a_place_may_be_gone(self, uow: UnitOfWork, subject_id: UUID, field: str) -> None:
        with pytest.raises(Invalid) as refused:
            await add(uow, **({"subject_id": subject_id} | {field: uuid4()}))
        assert refused.value.errors[0].field == field


class TestLikeness:
    """Texts near and far, compared by the database's own sketches."""

    BASE = (
        "With reference to the Indian monsoon of the western coast, consider the statements about its onset, "
        "its retreat and the rainfall which the stations of the hills record in the months of June and July"
    )

    async def add_text(self, uow: UnitOfWork, subject_id: UUID, **texts: str) -> UUID:
        question_id = await add(uow, subject_id, current_version=2)
        version = {
            "id": uuid7(),
            "question_id": question_id,
            "number": 2,
            "type": "numeric",
            "text": texts,
            "options": [],
            "key": {"value": "1", "tolerance": "0"},
        }
        await uow.questions.add_versions([version])
        return question_id

    async def test_a_translation_does_not_count(self, uow: UnitOfWork, subject_id: UUID) -> None:
        first = await self.add_text(uow, subject_id, en=self.BASE)
        second = await self.add_text(uow, subject_id, en=self.BASE, hi="भारतीय मानसून के बारे में")
        (pair,) = await uow.likeness.nearest(OURS, [second], 0.8)
        assert (pair.question_id, pair.other_id, pair.similarity) == (second, first, 1)

    async def test_hindi_is_compared_too(self, uow: UnitOfWork, subject_id: UUID) -> None:
        text = "भारतीय मानसून के आगमन और वापसी के संबंध में निम्नलिखित कथनों पर विचार कीजिए और सही विकल्प चुनिए"
        first = await self.add_text(uow, subject_id, hi=text)
        second = await self.add_text(uow, subject_id, hi=f"{text} जी")
        assert [pair.other_id for pair in await uow.likeness.nearest(OURS, [second], 0.8)] == [first]

    async def test_only_the_current_version_counts(self, uow: UnitOfWork, subject_id: UUID) -> None:
        changed = await self.add_text(uow, subject_id, en=self.BASE)
        await uow.questions.change([{"id": changed, "current_version": 1}])
        second = await self.add_text(uow, subject_id, en=self.BASE)
        assert await uow.likeness.nearest(OURS, [second], 0.8) == []

    @pytest.mark.parametrize("changed_words", [1, 2, 3])
    async def test_near_ones_are_found_and_measured_as_trigrams_are(
        self, uow: UnitOfWork, subject_id: UUID, changed_words: int
    ) -> None:
        words = self.BASE.split()
        near = " ".join([*words[:-changed_words], *["Xylem"] * changed_words])
        first = await self.add_text(uow, subject_id, en=self.BASE)
        second = await self.add_text(uow, subject_id, en=near)
        (pair,) = await uow.likeness.nearest(OURS, [second], 0.7)
        assert pair.other_id == first
        assert 0.8 < pair.similarity < 1

    async def test_far_ones_are_not(self, uow: UnitOfWork, subject_id: UUID) -> None:
        await self.add_text(uow, subject_id, en=self.BASE)
        other = "Which one of the following is the correct sequence of the Mughal emperors of India?"
        second = await self.add_text(uow, subject_id, en=other)
        assert await uow.likeness.nearest(OURS, [second], 0.7) == []

    async def test_another_institute_is_not_looked_at(self, uow: UnitOfWork, subject_id: UUID) -> None:
        theirs = Institute(slug=uuid4().hex, name="Another")
        uow.session.add(theirs)
        await uow.session.flush()
        mine = await self.add_text(uow, subject_id, en=self.BASE)
        twin = await self.add_text(uow, subject_id, en=self.BASE)
        await uow.questions.change([{"id": twin, "institute_id": theirs.id}])
        assert await uow.likeness.nearest(OURS, [mine], 0.8) == []
        assert (await uow.likeness.page(theirs.id, None, 0.8, PageRequest())).items == []

    async def test_the_planner_is_itself_again(self, uow: UnitOfWork, subject_id: UUID) -> None:
        await uow.likeness.nearest(OURS, [await add(uow, subject_id)], 0.8)
        assert await uow.session.scalar(text("show enable_seqscan")) == "on"

    async def test_a_long_text_in_many_languages_is_stored(self, uow: UnitOfWork, subject_id: UUID) -> None:
        long = " ".join(uuid4().hex for _ in range(600))[:20_000]
        languages = {f"x{chr(97 + number)}": long for number in range(26)}
        question_id = await self.add_text(uow, subject_id, en=long, hi=long, **languages)
        assert await uow.questions.get(OURS, question_id) is not None


class TestUndone:
    async def test_what_was_written_was_never_there(self, uow: UnitOfWork, subject_id: UUID) -> None:
        before = await add(uow, subject_id)
        async with uow.questions.undone():
            within = await add(uow, subject_id)
            assert await uow.questions.get(OURS, within) is not None
        assert await uow.questions.get(OURS, within) is None
        assert await uow.questions.get(OURS, before) is not None

    async def test_an_error_goes_on(self, uow: UnitOfWork) -> None:
        with pytest.raises(AlreadyExists):
            async with uow.questions.undone():
                raise AlreadyExists("it is there")
