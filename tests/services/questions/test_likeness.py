"""Questions that say nearly the same: the nearest of new ones, and the pairs of a bank."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.ids import uuid7
from app.models import Institute, Subject
from app.repositories.base import PageRequest
from app.repositories.questions.similarity import Sketch
from app.services import questions
from app.services.questions import Content, Place, QuestionUpdate
from app.services.questions.links import OLDEST, Links
from app.services.questions.similarity import Similar, nearest
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator

BASE = (
    "With reference to the Indian monsoon of the western coast, consider the statements about its onset, "
    "its retreat and the rainfall which the stations of the hills record in the months of June and July"
)
NUMERIC: dict[str, Any] = {"type": "numeric", "options": [], "key": {"value": "1", "tolerance": "0"}}


class Bank:
    """An institute's bank with one subject, in which questions are written."""

    def __init__(self, uow: UnitOfWork, author: Principal, subject_id: UUID) -> None:
        self.uow, self.author, self.subject_id = uow, author, subject_id

    @classmethod
    async def of(cls, uow: UnitOfWork) -> "Bank":
        institute = Institute(slug=uuid4().hex, name="Empty")
        uow.session.add(institute)
        await uow.session.flush()
        subject = Subject(id=uuid7(), institute_id=institute.id, slug="s", name={"en": "S"})
        uow.session.add(subject)
        await uow.session.flush()
        return cls(uow, replace(operator(), institute_id=institute.id), subject.id)

    async def add(self, **texts: str) -> UUID:
        content = Content(text=texts, **NUMERIC)
        shown = await questions.create(self.uow, self.author, Place(self.subject_id), content)
        return shown.question.id

    async def nearest(self, *question_ids: UUID, threshold: float = 0.8) -> Sequence[Similar]:
        found = nearest(self.uow, self.author.institute_id, question_ids, threshold)
        return [pair async for compared in found for pair in compared.found]

    async def pairs(self, limit: int = 100, threshold: float = 0.8) -> list[tuple[UUID, UUID]]:
        """All pairs, page by page."""
        pairs, cursor, more = [], None, True
        while more:
            request = PageRequest(limit, cursor)
            page = await questions.duplicates(self.uow, self.author, None, threshold, request)
            assert len(page.items) <= limit
            pairs += [(pair.question.id, pair.other.id) for pair in page.items]
            cursor, more = page.next_cursor, page.next_cursor is not None
        return pairs


@pytest.fixture
async def bank(uow: UnitOfWork) -> Bank:
    return await Bank.of(uow)


class TestNearest:
    async def test_a_translation_does_not_count(self, bank: Bank) -> None:
        first = await bank.add(en=BASE)
        second = await bank.add(en=BASE, hi="भारतीय मानसून के बारे में")
        assert await bank.nearest(second) == [Similar(second, first, 1)]

    async def test_hindi_is_compared_too(self, bank: Bank) -> None:
        text = "भारतीय मानसून के आगमन और वापसी के संबंध में निम्नलिखित कथनों पर विचार कीजिए और सही विकल्प चुनिए"
        first = await bank.add(hi=text)
        second = await bank.add(hi=f"{text} जी")
        assert [pair.other_id for pair in await bank.nearest(second)] == [first]

    async def test_only_the_current_version_counts(self, bank: Bank) -> None:
        changed = await bank.add(en=BASE)
        await questions.revise(bank.uow, bank.author, changed, QuestionUpdate(text={"en": "How many?"}))
        second = await bank.add(en=BASE)
        assert await bank.nearest(second) == []

    async def test_a_retired_question_is_left_alone(self, bank: Bank) -> None:
        await questions.retire(bank.uow, bank.author, await bank.add(en=BASE))
        assert await bank.nearest(await bank.add(en=BASE)) == []

    @pytest.mark.parametrize("changed_words", [1, 2, 3])
    async def test_near_ones_are_measured_as_trigrams_are(self, bank: Bank, changed_words: int) -> None:
        words = BASE.split()
        near = " ".join([*words[:-changed_words], *["Xylem"] * changed_words])
        first, second = await bank.add(en=BASE), await bank.add(en=near)
        (pair,) = await bank.nearest(second, threshold=0.7)
        assert pair.other_id == first
        assert 0.8 < pair.similarity < 1

    async def test_far_ones_are_not_told(self, bank: Bank) -> None:
        await bank.add(en=BASE)
        second = await bank.add(en="Which one is the correct sequence of the Mughal emperors of India?")
        assert await bank.nearest(second, threshold=0.7) == []

    async def test_the_most_alike_is_the_nearest(self, bank: Bank) -> None:
        await bank.add(en=f"{BASE} and August")
        twin = await bank.add(en=f"{BASE} of each year")
        await bank.add(en=f"{BASE} and September")
        last = await bank.add(en=f"{BASE} of each year")
        assert await bank.nearest(last) == [Similar(last, twin, 1)]

    async def test_of_two_of_these_the_later_has_the_pair(self, bank: Bank) -> None:
        first, second = await bank.add(en=BASE), await bank.add(en=BASE)
        assert await bank.nearest(first, second) == [Similar(second, first, 1)]

    async def test_an_old_question_that_was_reworded_finds_a_newer_one(self, bank: Bank) -> None:
        old = await bank.add(en="How many?")
        newer = await bank.add(en=BASE)
        await questions.revise(bank.uow, bank.author, old, QuestionUpdate(text={"en": BASE}))
        assert await bank.nearest(old) == [Similar(old, newer, 1)]

    async def test_another_institute_is_not_looked_at(self, bank: Bank, uow: UnitOfWork) -> None:
        theirs = await Bank.of(uow)
        await theirs.add(en=BASE)
        assert await bank.nearest(await bank.add(en=BASE)) == []
        assert await bank.pairs() == []


class TestPairs:
    async def test_of_very_many_equal_ones_each_is_paired_with_the_oldest(self, bank: Bank) -> None:
        ids = [await bank.add(en=BASE) for _ in range(OLDEST + 5)]
        wanted = [(one, other) for position, one in enumerate(ids[:OLDEST]) for other in ids[position + 1 :]]
        assert await bank.pairs() == wanted
        assert await bank.pairs(limit=7) == wanted

    async def test_pairs_that_many_questions_are_nearly_like_are_found(self, bank: Bank) -> None:
        """A frame that all share links nearly all of them, and must not hide those that are really alike."""
        words = [uuid4().hex for _ in range(60)]
        ids = [await bank.add(en=f"{BASE} {word} {word[::-1]}") for word in words]
        twin = await bank.add(en=f"{BASE} {words[40]} {words[40][::-1]}")
        assert await bank.pairs(threshold=1) == [(ids[40], twin)]


class TestLinks:
    def test_one_band_in_common_is_chance(self) -> None:
        one, two, three = (
            Sketch(UUID(int=number), bands) for number, bands in ((1, [7, 8]), (2, [8, 9]), (3, [9, 8]))
        )
        links = Links([one, two, three])
        assert links.later(0, 3, (UUID(int=0), UUID(int=0))) == [(UUID(int=2), UUID(int=3))]

    def test_an_empty_bank(self) -> None:
        links = Links([])
        assert links.later(0, 10, (UUID(int=0), UUID(int=0))) == []
        assert links.closest([UUID(int=1)], frozenset(), 2) == []
