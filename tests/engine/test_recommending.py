"""Which actions are recommended, in which order, and on what ground."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.recommending import (
    FACTS,
    HORIZON_DAYS,
    MAX_ACTIONS,
    NOTHING_KNOWN,
    DueCard,
    Estimate,
    Ground,
    Kind,
    OfferedTest,
    Situation,
    SubjectOrChapter,
    chapter_share,
    rank,
    retention,
)
from app.engine.statistics.techniques import Habits, techniques

HISTORY, POLITY, ART, MODERN, MOCK = (UUID(int=number) for number in range(1, 6))


def share(value: float, n: int = 100, width: float = 0.08) -> Estimate:
    return Estimate(value, value - width, value + width, n)


def subject(id_: UUID, estimate: Estimate, questions: float = 20, offered: int = 50) -> SubjectOrChapter:
    return SubjectOrChapter(id_, id_, questions, estimate, offered)


def chapter(id_: UUID, estimate: Estimate, offered: int = 50) -> SubjectOrChapter:
    return SubjectOrChapter(id_, HISTORY, 5, estimate, offered)


def card(number: int, subject_id: UUID = HISTORY, days: float = 1.0) -> DueCard:
    return DueCard(UUID(int=1000 + number), subject_id, days, stability=0.212, if_right=2.3, if_wrong=0.2)


FULL = OfferedTest(MOCK, 1, 120, {HISTORY: 50, POLITY: 50}, is_full=True)
BOTH = (subject(HISTORY, share(0.5)), subject(POLITY, share(0.5)))


def test_memory_follows_the_published_curve() -> None:
    assert retention(10, 10) == pytest.approx(0.9)  # stability is the time until 90 %
    assert retention(10, 0) == 1
    assert retention(2, 60) < retention(20, 60)


def test_the_gain_of_practice_is_the_sum_of_its_parts() -> None:
    [action] = rank(Situation(subjects=[subject(HISTORY, share(0.4))], wrong_share=1.0))
    missed, marks = 20 * 0.6, 2 + 2 / 3
    assert action.gain.value == pytest.approx(missed * marks * 20 / FACTS * retention(0.212, HORIZON_DAYS))
    assert action.gain.low < action.gain.value < action.gain.high
    assert action.minutes == 36  # 20 answers of 1.2 minutes, 12 explanations of one minute


@pytest.mark.parametrize(
    ("weaker", "expected"),
    [
        (subject(HISTORY, share(0.2)), HISTORY),
        (subject(HISTORY, share(0.5), questions=40), HISTORY),
        (subject(HISTORY, share(0.9)), POLITY),
    ],
    ids=["more to learn", "more weight", "little to learn"],
)
def test_subjects_are_ranked_by_what_they_gain(weaker: SubjectOrChapter, expected: UUID) -> None:
    best, _ = rank(Situation(subjects=[weaker, subject(POLITY, share(0.5))]))
    assert (best.kind, best.target) == (Kind.PRACTICE, expected)


@pytest.mark.parametrize(
    ("estimate", "ground"),
    [
        (share(0.3), Ground.WEAK_SUBJECT),
        (share(0.46), Ground.HEAVY_SUBJECT),
        (Estimate(0.2, 0.0, 0.5, 9), Ground.NEW_SUBJECT),
        (NOTHING_KNOWN, Ground.NEW_SUBJECT),
    ],
    ids=["proven", "not proven", "few answers", "no answers"],
)
def test_a_weakness_is_named_only_if_it_is_proven(estimate: Estimate, ground: Ground) -> None:
    actions = rank(Situation(subjects=[subject(HISTORY, estimate), subject(POLITY, share(0.5))]))
    [action] = [action for action in actions if action.target == HISTORY]
    assert action.ground is ground
    assert action.is_stated == (estimate.n >= 10)


@pytest.mark.parametrize(
    ("estimate", "ground"),
    [
        (share(0.2, 40), Ground.WEAK_CHAPTER),
        (share(0.45, 12), Ground.LOW_CHAPTER),
        (share(0.6, 40), None),
        (share(0.2, 9), None),
        (share(0.5, 0), Ground.NEW_CHAPTER),
    ],
    ids=["proven", "may be chance", "better than the subject", "few answers", "never seen"],
)
def test_chapters(estimate: Estimate, ground: Ground | None) -> None:
    actions = rank(Situation(subjects=BOTH, chapters=[chapter(ART, estimate)]))
    assert [action.ground for action in actions if action.kind is Kind.CHAPTER] == [ground] * bool(ground)


def test_few_answers_leave_a_chapter_where_its_subject_is() -> None:
    subject_share = share(0.6)
    assert chapter_share(0, 2, subject_share).value == pytest.approx(0.5)
    assert chapter_share(0, 90, subject_share).value == pytest.approx(0.06)
    assert chapter_share(0, 0, subject_share).value == pytest.approx(0.6)


def test_what_is_due_comes_before_new_questions_of_the_same_subject() -> None:
    first, second = rank(
        Situation(subjects=[subject(HISTORY, share(0.5))], cards=[card(number) for number in range(30)])
    )
    assert (first.kind, second.kind) == (Kind.REVISE, Kind.PRACTICE)
    assert (len(first.questions), first.count, first.minutes) == (20, 30, 20)


def test_cards_of_heavy_subjects_are_revised_first() -> None:
    subjects = [subject(HISTORY, share(0.5), questions=5), subject(POLITY, share(0.5), questions=30)]
    cards = [card(number) for number in range(20)] + [card(99, POLITY)]
    revision = next(action for action in rank(Situation(subjects, cards=cards)) if action.questions)
    assert revision.questions[0] == UUID(int=1099)


def test_a_newcomer_begins_with_a_test() -> None:
    nothing = [subject(HISTORY, NOTHING_KNOWN), subject(POLITY, NOTHING_KNOWN)]
    actions = rank(Situation(subjects=nothing, tests=[FULL]))
    assert [action.kind for action in actions] == [Kind.TEST, Kind.PRACTICE, Kind.PRACTICE]
    assert actions[0].ground is Ground.FIRST_TEST
    assert not any(action.is_stated for action in actions)


def test_each_full_test_makes_the_next_one_worth_less() -> None:
    gains = [
        next(action for action in rank(Situation(BOTH, tests=[FULL], tests_taken=taken)) if not action.share)
        for taken in range(4)
    ]
    assert gains == sorted(gains, key=lambda action: -action.gain.value)


def test_nothing_on_offer_is_nothing_recommended() -> None:
    assert rank(Situation()) == []
    assert rank(Situation(subjects=[subject(HISTORY, share(0.2), offered=0)])) == []


@pytest.mark.parametrize(
    ("habits", "grounds"),
    [
        (Habits(guesses=60, guesses_right=6, questions=300), [Ground.BLIND_GUESSES]),
        (Habits(guesses=60, guesses_right=15, questions=300), []),
        (Habits(guesses=8, guesses_right=0, questions=300), []),
        (Habits(doubtful=60, doubtful_right=32, blanks=90, questions=300), [Ground.FIFTY_FIFTIES]),
        (Habits(doubtful=60, doubtful_right=32, blanks=9, questions=300), []),
        (Habits(doubtful=60, doubtful_right=17, blanks=90, questions=300), []),
        (Habits(), []),
    ],
    ids=["blind", "at the break-even", "too few", "fifty-fifties", "few blanks", "not proven", "nothing"],
)
def test_techniques_are_named_only_if_they_are_proven(habits: Habits, grounds: list[Ground]) -> None:
    assert [each.ground for each in techniques(habits, 100, 2, -2 / 3)] == grounds


def test_what_blind_guesses_cost_in_a_paper() -> None:
    [technique] = techniques(Habits(guesses=60, guesses_right=6, questions=300), 100, 2, -2 / 3)
    assert technique.marks.value == pytest.approx(20 * (0.9 * 2 / 3 - 0.1 * 2))
    assert 0 < technique.marks.low < technique.marks.value < technique.marks.high


def test_without_negative_marks_no_answer_costs_anything() -> None:
    assert techniques(Habits(guesses=60, guesses_right=6, questions=300), 100, 2, 0) == []


@settings(max_examples=30)
@given(
    values=st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0, 50), st.integers(0, 60)), max_size=9),
    cards=st.integers(0, 25),
)
def test_the_order_is_that_of_marks_by_minute(values: list[tuple[float, float, int]], cards: int) -> None:
    subjects = [
        subject(UUID(int=100 + number), share(value), questions, offered)
        for number, (value, questions, offered) in enumerate(values)
    ]
    situation = Situation(subjects, cards=[card(number, UUID(int=100)) for number in range(cards)])
    actions = rank(situation)
    assert len(actions) <= MAX_ACTIONS
    assert actions == sorted(actions, key=lambda action: -action.per_minute)
    assert actions == rank(replace(situation, subjects=subjects[::-1]))
    assert all(action.gain.low <= action.gain.value <= action.gain.high for action in actions)
