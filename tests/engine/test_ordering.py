"""The order of questions and options of an attempt."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.engine.ordering import option_order, question_order

seeds = st.integers(-(2**63), 2**63 - 1)
# Each section is a list of passages (0 is none) that its questions refer to, in the paper's order.
sections_of_passages = st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=4)


def ids(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


def paper(passages_by_section: list[list[int]]) -> tuple[list[list[UUID]], dict[UUID, UUID]]:
    sections = [
        ids(*(100 * position + number for number in range(1, len(passages) + 1)))
        for position, passages in enumerate(passages_by_section)
    ]
    passages = {
        question_id: UUID(int=2**64 + passage)
        for section, numbers in zip(sections, passages_by_section, strict=True)
        for question_id, passage in zip(section, numbers, strict=True)
        if passage
    }
    return sections, passages


class TestQuestionOrder:
    def test_is_the_same_for_ever(self) -> None:
        # A golden order: if this changes, running attempts would show their questions in another order.
        order = question_order(20180603, [ids(1, 2, 3, 4, 5), ids(6, 7, 8)], {})
        assert order == ids(3, 2, 1, 5, 4, 8, 6, 7)

    @given(seeds, sections_of_passages)
    def test_shuffles_within_sections_only(self, seed: int, passages_by_section: list[list[int]]) -> None:
        sections, passages = paper(passages_by_section)
        order = question_order(seed, sections, passages)
        for section in sections:
            assert set(order[: len(section)]) == set(section)
            del order[: len(section)]
        assert not order

    @given(seeds, sections_of_passages)
    def test_a_passage_stays_together_in_its_order(
        self, seed: int, passages_by_section: list[list[int]]
    ) -> None:
        sections, passages = paper(passages_by_section)
        order = question_order(seed, sections, passages)
        for section in sections:
            for passage_id in {passages[question_id] for question_id in section if question_id in passages}:
                block = [question_id for question_id in section if passages.get(question_id) == passage_id]
                place = order.index(block[0])
                assert order[place : place + len(block)] == block

    def test_every_order_is_about_equally_likely(self) -> None:
        orders = [tuple(question_order(seed, [ids(1, 2, 3)], {})) for seed in range(6_000)]
        assert all(850 < orders.count(order) < 1_150 for order in set(orders))
        assert len(set(orders)) == 6


class TestOptionOrder:
    def test_is_the_same_for_ever(self) -> None:
        assert option_order(20180603, UUID(int=1), "abcd") == ["c", "d", "b", "a"]

    @given(seeds, st.lists(st.sampled_from("abcdef"), unique=True))
    def test_loses_no_option_and_ignores_the_given_order(self, seed: int, options: list[str]) -> None:
        order = option_order(seed, UUID(int=1), options)
        assert sorted(order) == sorted(options)
        assert order == option_order(seed, UUID(int=1), options[::-1])

    def test_differs_between_questions_and_between_seeds(self) -> None:
        assert len({tuple(option_order(1, UUID(int=n), "abcd")) for n in range(200)}) == 24
        assert len({tuple(option_order(seed, UUID(int=1), "abcd")) for seed in range(-100, 100)}) == 24


class TestKeptOptions:
    @given(seeds, st.lists(st.sampled_from("abcdefgh"), unique=True), st.sets(st.sampled_from("abcdefgh")))
    def test_they_stay_and_the_others_take_their_usual_order(
        self, seed: int, options: list[str], kept: set[str]
    ) -> None:
        order = option_order(seed, UUID(int=1), options, kept)
        assert sorted(order) == sorted(options)
        assert [each if each in kept else None for each in order] == [
            each if each in kept else None for each in options
        ]
        movable = [each for each in options if each not in kept]
        assert [each for each in order if each not in kept] == option_order(seed, UUID(int=1), movable)
