"""Practice tests of one's own: which questions they have, and their creation (docs/decisions/0069)."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any
from uuid import UUID

from app.core.errors import Invalid, NotPossible, SessionRevoked
from app.engine.question_types import UnreadableQuestion, question_type
from app.engine.recommending import MIN_ANSWERS, Kind
from app.engine.statistics.difficulty_priors import difficulty_prior
from app.models import ItemParameters, LocalizedText, Test
from app.repositories.analytics.practice import PracticeFilter, PracticeQuestion
from app.sentences import Sentence
from app.services import tests
from app.services.analytics import recommendations
from app.services.analytics.recommendation_wording import in_language
from app.services.tests import SectionDraft, TestDraft
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

MAX_OPEN_TESTS = 20
"""Practice tests of a person that were not started."""
LIFE = timedelta(days=30)
"""After this time a practice test cannot be started any more."""
SECONDS_A_QUESTION = 72
USUAL_COUNT = 10
MAX_CARDS = 60
MARKING: Mapping[str, Any] = {
    "correct": "2",
    "incorrect": "-2/3",
    "unattempted": "0",
    "partial": "none",
    "dropped": "prorate",
    "rounding": "upsc",
}
_PRACTICE = {"en": "Practice: {name}", "hi": "अभ्यास: {name}"}
_REVISION = {"en": "Revision", "hi": "पुनरावृत्ति"}


@dataclass(frozen=True, slots=True)
class PracticeRequest:
    """What somebody wants to practise: a recommendation, or a subject or chapter."""

    recommendation_id: UUID | None = None
    subject_id: UUID | None = None
    chapter_id: UUID | None = None
    count: int | None = None
    """None takes the usual number, or fewer if there are fewer."""
    adaptive: bool = False


@dataclass(frozen=True, slots=True)
class _Session:
    """The questions to choose from, and how many."""

    wanted: PracticeFilter
    count: int
    is_exact: bool
    adaptive: bool


async def create(uow: UnitOfWork, user: Principal, request: PracticeRequest, now: datetime) -> Test:
    """Create and publish a practice test that the user alone may see.

    Raises NotPossible if the user has too many open ones, or if there is no question to practise; Invalid if
    there are fewer than asked for; NotFound for a recommendation that the user does not have; NotPublishable
    if an exam with one of the questions is published at this moment.
    """
    session = await _session(uow, user, request, now)
    chosen = await _chosen(uow, user, session, now)
    draft = await _draft(uow, user, session.wanted, chosen, now)
    test = await tests.create(uow, user, draft)
    await _check_room(uow, user, now)
    await tests.freeze(uow, user, test, now)
    return test


async def _check_room(uow: UnitOfWork, user: Principal, now: datetime) -> None:
    """Raise NotPossible if the new test is one too many. The person is locked after the questions."""
    if not await uow.users.lock(user.id):
        raise SessionRevoked
    if await uow.practice.count_open(user.id, now) > MAX_OPEN_TESTS:
        raise NotPossible(
            Sentence(
                "You have {count} practice tests that you have not started. Start one.", count=MAX_OPEN_TESTS
            )
        )


async def _session(reads: Reading, user: Principal, request: PracticeRequest, now: datetime) -> _Session:
    count = request.count or USUAL_COUNT
    is_exact = request.count is not None
    if request.recommendation_id is None:
        wanted = PracticeFilter(request.subject_id, request.chapter_id)
        await _check_subject(reads, user, request.subject_id)
        return _Session(wanted, count, is_exact, request.adaptive)
    found = await recommendations.find(reads, user, request.recommendation_id, now)
    action = found.action
    count = request.count or action.count
    if action.kind is Kind.REVISE:
        due = PracticeFilter(question_ids=action.questions)
        return _Session(due, min(count, len(action.questions)), is_exact=False, adaptive=False)
    if action.kind not in (Kind.PRACTICE, Kind.CHAPTER):
        raise Invalid.field("recommendation_id", "This recommendation is not a practice session.")
    is_subject = action.kind is Kind.PRACTICE
    wanted = PracticeFilter(action.target if is_subject else None, None if is_subject else action.target)
    return _Session(wanted, count, is_exact, request.adaptive)


async def _check_subject(reads: Reading, user: Principal, subject_id: UUID | None) -> None:
    if subject_id not in {subject.id for subject in await reads.subjects.every(user.institute_id)}:
        raise Invalid.field("subject_id", "There is no such subject.")


async def _chosen(
    reads: Reading, user: Principal, session: _Session, now: datetime
) -> Sequence[PracticeQuestion]:
    found = await reads.practice.questions(tests.viewer(user), session.wanted, now)
    usable = _of_one_language([question for question in found if _is_marked(question)])
    if not usable:
        raise NotPossible("There are no questions here that you may practise now.")
    if session.is_exact and len(usable) < session.count:
        sentence = "There are {number} questions here that you may practise now. Ask for at most as many."
        raise Invalid.field("count", Sentence(sentence, number=len(usable)))
    if session.adaptive:
        return await _stage(reads, user, usable, session.count)
    return (await _most_useful_first(reads, user, usable, now))[: session.count]


def _is_marked(question: PracticeQuestion) -> bool:
    try:
        return question_type(question.type).is_marked
    except UnreadableQuestion:
        return False


def _of_one_language(questions: Sequence[PracticeQuestion]) -> list[PracticeQuestion]:
    """Those that have the language that most of them have; English where it is equal."""
    counts = Counter(language for question in questions for language in question.text)
    if not counts:
        return []
    prevailing = max(sorted(counts), key=lambda language: (counts[language], language == "en"))
    return [question for question in questions if prevailing in question.text]


async def _most_useful_first(
    reads: Reading, user: Principal, questions: Sequence[PracticeQuestion], now: datetime
) -> list[PracticeQuestion]:
    """Questions that are due for revision, those of weak chapters, then the others in their order."""
    cards = await reads.cards.due(tests.viewer(user), now, MAX_CARDS)
    due = {card.question_id: place for place, card in enumerate(cards)}
    ratings = await reads.advice.ratings(user.id)
    weak = {
        chapter_id
        for chapter_id, answers in ratings.chapters.items()
        if answers.seen >= MIN_ANSWERS and answers.right < answers.seen / 2
    }
    return sorted(
        questions, key=lambda question: (due.get(question.id, len(due)), question.chapter_id not in weak)
    )


async def _stage(
    reads: Reading, user: Principal, questions: Sequence[PracticeQuestion], count: int
) -> Sequence[PracticeQuestion]:
    """The questions of one adaptive stage, by the ability in the subject. It needs numpy, in a thread."""
    abilities = await reads.shown.abilities(tests.viewer(user))
    ability = abilities.get(questions[0].subject_id)
    known = await reads.test_statistics.parameters([question.id for question in questions])
    ids = await asyncio.to_thread(_next_stage, questions, known, ability.estimate if ability else 0.0, count)
    by_id = {question.id: question for question in questions}
    return [by_id[question_id] for question_id in ids]


def _next_stage(
    questions: Iterable[PracticeQuestion],
    known: Mapping[UUID, ItemParameters],
    ability: float,
    count: int,
) -> list[UUID]:
    from app.engine.statistics.adaptive import StageQuestion, next_stage  # noqa: PLC0415 -- it needs numpy

    def with_parameters(question: PracticeQuestion) -> StageQuestion:
        found = known.get(question.id)
        if found is None:
            return StageQuestion(question.id, question.chapter_id, difficulty_prior(question.label).mean)
        return StageQuestion(
            question.id, question.chapter_id, found.difficulty, found.discrimination, found.guessing
        )

    return next_stage([with_parameters(question) for question in questions], ability, count, SystemRandom())


async def _draft(
    reads: Reading,
    user: Principal,
    wanted: PracticeFilter,
    chosen: Sequence[PracticeQuestion],
    now: datetime,
) -> TestDraft:
    shared = set.intersection(*(set(question.text) for question in chosen))
    languages = sorted(shared, key=lambda language: (language != "en", language))
    is_revision = wanted.question_ids is not None
    subject_id = None if is_revision else chosen[0].subject_id
    title = await _title(reads, user, subject_id, languages)
    return TestDraft(
        title=title,
        kind="practice",
        subject_id=subject_id,
        duration_seconds=SECONDS_A_QUESTION * len(chosen),
        marking=dict(MARKING),
        languages=languages,
        sections=[SectionDraft(title, [question.id for question in chosen])],
        available_until=now + LIFE,
        owner_id=user.id,
    )


async def _title(
    reads: Reading, user: Principal, subject_id: UUID | None, languages: Sequence[str]
) -> LocalizedText:
    """In English, Hindi and the languages of the test."""
    wanted = dict.fromkeys([*_PRACTICE, *languages])
    if subject_id is None:
        return {language: _REVISION.get(language, _REVISION["en"]) for language in wanted}
    names = {subject.id: subject.name for subject in await reads.subjects.every(user.institute_id)}
    name = names[subject_id]
    return {
        language: _PRACTICE.get(language, _PRACTICE["en"]).format(name=in_language(name, language))
        for language in wanted
    }
