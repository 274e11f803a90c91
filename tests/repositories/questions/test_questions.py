"""Questions in the database: whose they are, and by what they are found."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.errors import AlreadyExists, Invalid
from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID as OURS
from app.models import Institute, Question
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services.unit_of_work import UnitOfWork
from tests.builders.content import add_subject


@pytest.fixture
async def subject_id(uow: UnitOfWork) -> UUID:
    return (await add_subject(uow)).id


async def add(uow: UnitOfWork, subject_id: UUID, **columns: Any) -> UUID:
    """A question of ours with one version."""
    text = columns.pop("text", {"en": "How many?"})
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
        "text": text,
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


class TestSketches:
    async def test_a_long_text_in_many_languages_is_stored(self, uow: UnitOfWork, subject_id: UUID) -> None:
        long = " ".join(uuid4().hex for _ in range(600))[:20_000]
        languages = {f"x{chr(97 + number)}": long for number in range(26)}
        texts = {"en": long, "hi": long, **languages}
        question_id = await add(uow, subject_id, text=texts)
        found = await uow.questions.get(OURS, question_id)
        assert found is not None
        assert found.version.text == texts


class TestUndone:
    async def test_what_was_written_was_never_there(self, uow: UnitOfWork, subject_id: UUID) -> None:
        before = await add(uow, subject_id)
        async with uow.questions.rolled_back():
            within = await add(uow, subject_id)
            assert await uow.questions.get(OURS, within) is not None
        assert await uow.questions.get(OURS, within) is None
        assert await uow.questions.get(OURS, before) is not None

    async def test_an_error_goes_on(self, uow: UnitOfWork) -> None:
        with pytest.raises(AlreadyExists):
            async with uow.questions.rolled_back():
                raise AlreadyExists("it is there")
