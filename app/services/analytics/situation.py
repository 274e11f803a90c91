"""What is known of a candidate and on offer, in the form in which actions are ranked."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import exp, sqrt
from typing import Any
from uuid import UUID

from app.engine.recommending import (
    NOTHING_KNOWN,
    Estimate,
    OfferedTest,
    Situation,
    SubjectOrChapter,
    Technique,
    chapter_share,
)
from app.models import CandidateRating, Chapter, ChapterAnswers, LocalizedText, Subject, SubjectAbility
from app.repositories.analytics.advice import KnownRatings, PlaceCount, TestOnOffer
from app.repositories.analytics.practice import MOCK_KINDS
from app.services import tests
from app.services.analytics.review_cards import due_card
from app.services.unit_of_work import Reading
from app.services.users import Principal

MAX_CARDS = 60
MAX_TESTS = 10
USUAL_PAPER = 100.0
"""The questions of a full paper, where none is published."""
UPSC_MARKS = Fraction(2), Fraction(-2, 3)
INFORMATION = 0.2
"""What an answer says of an ability in logits: p (1 - p) where p is neither small nor large."""
_Z_90 = 1.6448536269514722
_NOBODY = KnownRatings(None, {}, {})


@dataclass(frozen=True, slots=True)
class KnownSituation:
    """A situation, and the names of what it is about."""

    situation: Situation
    names: Mapping[UUID, LocalizedText]
    """Of subjects, chapters and tests."""
    subject_of: Mapping[UUID, UUID]
    """The subject of each chapter."""
    subjects: Sequence[Subject]
    abilities: Mapping[UUID, SubjectAbility]
    """By subject, as far as the user may see them."""


async def gather(reads: Reading, user: Principal, now: datetime) -> KnownSituation:
    """Everything that the recommendations of a user rest on.

    Attempts of staff are not taken into ratings. Those from before a person became staff are left aside,
    because staff may not know what candidates may (docs/decisions/0021).
    """
    viewer = tests.viewer(user)
    ratings = _NOBODY if user.is_staff else await reads.advice.ratings(user.id)
    abilities = await reads.shown.abilities(viewer)
    used = {} if user.is_staff else abilities
    offered = await reads.advice.tests(viewer, now)
    counts = await reads.advice.places({test.paper_id for test in offered})
    subjects = await reads.subjects.every(user.institute_id)
    chapters = await reads.subjects.every_chapter(user.institute_id)
    cards = await reads.cards.due(viewer, now, MAX_CARDS)
    syllabus = _Syllabus(offered, counts, [subject.id for subject in subjects])
    found = [_subject(subject, syllabus, ratings, used.get(subject.id)) for subject in subjects]
    by_id = {each.id: each for each in found}
    situation = Situation(
        subjects=found,
        chapters=[
            _chapter(chapter, syllabus, by_id[chapter.subject_id], ratings.chapters.get(chapter.id))
            for chapter in chapters
        ],
        cards=[due_card(card, now) for card in cards],
        tests=_tests(offered, counts),
        techniques=await _techniques(ratings.candidate, syllabus),
        tests_taken=ratings.candidate.full_tests if ratings.candidate else 0,
        right=syllabus.right,
        wrong=syllabus.wrong,
        wrong_share=_wrong_share(ratings.candidate),
        answers=ratings.candidate.answers if ratings.candidate else 0,
    )
    named: Sequence[Subject | Chapter] = [*subjects, *chapters]
    names = {each.id: each.name for each in named} | {test.id: test.title for test in offered}
    subject_of = {chapter.id: chapter.subject_id for chapter in chapters}
    return KnownSituation(situation, names, subject_of, subjects, abilities)


class _Syllabus:
    """The weight of subjects and chapters in full papers, and how many questions of them can be practised."""

    def __init__(
        self, offered: Sequence[TestOnOffer], counts: Sequence[PlaceCount], subject_ids: Sequence[UUID]
    ) -> None:
        full = [test for test in offered if test.kind == "full"] or list(offered)
        papers = {test.paper_id for test in full}
        self._questions: Counter[UUID] = Counter()
        practised = {test.paper_id for test in offered if test.was_taken or test.kind not in MOCK_KINDS}
        self.offered: Counter[UUID] = Counter()
        for count in counts:
            for named_id in {count.subject_id, count.chapter_id} - {None}:
                assert named_id is not None  # noqa: S101 -- for the type
                if count.paper_id in practised:
                    self.offered[named_id] += count.questions
                if count.paper_id in papers:
                    self._questions[named_id] += count.questions
        self._total = sum(self._questions[subject_id] for subject_id in subject_ids)
        self._size = USUAL_PAPER
        if any(test.kind == "full" for test in offered):
            self._size = self._total / len(papers)
        self.right, self.wrong = _marks(full[0].marking if full else None)

    @property
    def size(self) -> float:
        """The questions of a full paper."""
        return self._size

    def weight(self, id_: UUID) -> float:
        """The questions of a subject or chapter in a full paper, on average."""
        return self._size * self._questions[id_] / self._total if self._total else 0.0


def _marks(marking: Mapping[str, Any] | None) -> tuple[float, float]:
    if marking is None:
        right, wrong = UPSC_MARKS
    else:
        right, wrong = Fraction(marking["correct"]), Fraction(marking["incorrect"])
    return float(right), float(wrong)


def _subject(
    subject: Subject, syllabus: _Syllabus, ratings: KnownRatings, ability: SubjectAbility | None
) -> SubjectOrChapter:
    return SubjectOrChapter(
        id=subject.id,
        subject_id=subject.id,
        questions=syllabus.weight(subject.id),
        share=_share(subject.id, ratings, ability),
        offered=syllabus.offered[subject.id],
    )


def _share(subject_id: UUID, ratings: KnownRatings, ability: SubjectAbility | None) -> Estimate:
    """The share of right answers at questions of average difficulty: by ability, else by Elo rating."""
    rating = ratings.subjects.get(subject_id)
    answers = rating.answers if rating else 0
    if ability is not None and ability.answers >= answers / 2:
        return _of_logit(ability.estimate, ability.standard_error, max(ability.answers, answers))
    if ratings.candidate is None:
        return NOTHING_KNOWN
    value = ratings.candidate.rating + (rating.rating if rating else 0.0)
    return _of_logit(value, 1 / sqrt(1 + INFORMATION * answers), answers)


def _of_logit(value: float, error: float, answers: int) -> Estimate:
    half = _Z_90 * error
    return Estimate(_logistic(value), _logistic(value - half), _logistic(value + half), answers)


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, value))))


def _chapter(
    chapter: Chapter, syllabus: _Syllabus, subject: SubjectOrChapter, answers: ChapterAnswers | None
) -> SubjectOrChapter:
    seen, right = (answers.seen, answers.right) if answers else (0, 0.0)
    return SubjectOrChapter(
        id=chapter.id,
        subject_id=chapter.subject_id,
        questions=syllabus.weight(chapter.id),
        share=chapter_share(right, seen, subject.share),
        offered=syllabus.offered[chapter.id],
    )


def _tests(offered: Sequence[TestOnOffer], counts: Sequence[PlaceCount]) -> list[OfferedTest]:
    """The newest tests that were not taken."""
    untaken = [test for test in offered if not test.was_taken][:MAX_TESTS]
    questions: dict[UUID, Counter[UUID]] = {test.paper_id: Counter() for test in untaken}
    for count in counts:
        if count.paper_id in questions:
            questions[count.paper_id][count.subject_id] += count.questions
    return [
        OfferedTest(
            id=test.id,
            version=test.version,
            minutes=max(test.duration_seconds // 60, 1),
            questions=questions[test.paper_id],
            is_full=test.kind == "full",
        )
        for test in untaken
    ]


def _wrong_share(candidate: CandidateRating | None) -> float:
    missed = candidate.wrong + candidate.blanks if candidate else 0.0
    return candidate.wrong / missed if candidate and missed >= 1 else Situation().wrong_share


async def _techniques(candidate: CandidateRating | None, syllabus: _Syllabus) -> list[Technique]:
    """Habits to change. The interval of an accuracy needs scipy, which is imported where it is used."""
    if candidate is None or not (candidate.guesses or candidate.doubtful):
        return []
    return await asyncio.to_thread(_find_techniques, candidate, syllabus)


def _find_techniques(candidate: CandidateRating, syllabus: _Syllabus) -> list[Technique]:
    from app.engine.statistics.techniques import Habits, techniques  # noqa: PLC0415 -- it needs scipy

    habits = Habits(
        guesses=candidate.guesses,
        guesses_right=candidate.guesses_right,
        doubtful=candidate.doubtful,
        doubtful_right=candidate.doubtful_right,
        blanks=candidate.blanks,
        questions=candidate.questions,
    )
    return techniques(habits, syllabus.size, syllabus.right, syllabus.wrong)
