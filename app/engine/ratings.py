"""What one graded attempt changes in ratings, counts and cards. Attempts are taken in one after the other."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from app.engine.attempt_figures import CONFIDENCE_LETTERS
from app.engine.grading import LETTERS
from app.engine.scoring import Outcome
from app.engine.statistics import elo
from app.engine.statistics.elo import Rating

HALF_LIFE_QUESTIONS = 1_000
"""The counts of habits halve with so many further questions."""

_CORRECT, _INCORRECT, _PARTIAL, _BLANK, _DROPPED = (
    LETTERS[outcome]
    for outcome in (
        Outcome.CORRECT,
        Outcome.INCORRECT,
        Outcome.PARTIAL,
        Outcome.UNATTEMPTED,
        Outcome.DROPPED,
    )
)
_SHARES = {_CORRECT: 1.0, _INCORRECT: 0.0, _PARTIAL: 0.5}
_SURE, _DOUBTFUL, _GUESS = (CONFIDENCE_LETTERS[name] for name in ("sure", "doubtful", "guess"))


class CardGround(StrEnum):
    """What became of the answer to a question, as far as revising it is concerned."""

    MISSED = "missed"
    """Wrong, or seen and left blank."""
    DOUBTFUL = "doubtful"
    """Right or partly right, and the candidate was not sure."""
    GUESSED = "guessed"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a paper, with its place in the syllabus."""

    id: UUID
    subject_id: UUID
    chapter_id: UUID | None
    guess: float
    """How often a blind guess is right: what a blank counts as."""
    is_optional: bool = False
    """Whether its section asks for fewer questions than it has."""


@dataclass(frozen=True, slots=True)
class TakenAttempt:
    """A graded attempt. The texts have a letter for each question of the paper."""

    user_id: UUID
    outcomes: str
    confidence: str
    spent_ms: Sequence[int] | None
    questions: Sequence[Asked]
    is_full_test: bool
    by_staff: bool
    """The candidate was staff, who may know keys: the questions' ratings stay as they are."""


@dataclass(slots=True)
class Candidate:
    """A candidate's rating, and the counts of habits (`models.CandidateRating`)."""

    rating: Rating = field(default_factory=Rating)
    full_tests: int = 0
    sure: float = 0.0
    sure_right: float = 0.0
    doubtful: float = 0.0
    doubtful_right: float = 0.0
    guesses: float = 0.0
    guesses_right: float = 0.0
    wrong: float = 0.0
    blanks: float = 0.0
    questions: float = 0.0


HABITS = (
    *("sure", "sure_right", "doubtful", "doubtful_right", "guesses", "guesses_right"),
    *("wrong", "blanks", "questions"),
)
_HABIT_OF = {_SURE: "sure", _DOUBTFUL: "doubtful", _GUESS: "guesses"}


@dataclass(frozen=True, slots=True)
class Answered:
    """Different questions that were seen, and how many of them were right."""

    seen: int = 0
    right: float = 0.0


@dataclass(slots=True)
class RatingState:
    """The ratings and counts that attempts change. What has no entry has its first value."""

    candidates: dict[UUID, Candidate] = field(default_factory=dict)
    subjects: dict[tuple[UUID, UUID], Rating] = field(default_factory=dict)
    chapters: dict[tuple[UUID, UUID], Answered] = field(default_factory=dict)
    questions: dict[UUID, Rating] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A question that the candidate saw, with its outcome and confidence as letters."""

    asked: Asked
    outcome: str
    confidence: str

    @property
    def share(self) -> float:
        return _SHARES.get(self.outcome, self.asked.guess)


def take_in(board: RatingState, attempt: TakenAttempt, known: Collection[UUID]) -> None:
    """Change the ratings and counts by an attempt.

    `known` are the questions that the candidate has seen in attempts before. An answer to one of them may
    come from memory, so it changes no rating.
    """
    candidate = board.candidates.setdefault(attempt.user_id, Candidate())
    candidate.full_tests += attempt.is_full_test
    seen = list(_seen(attempt))
    _count_habits(candidate, seen)
    for each in seen:
        if each.asked.id not in known:
            _rate(board, attempt, candidate, each)


def card_grounds(attempt: TakenAttempt) -> Iterator[tuple[UUID, CardGround]]:
    """What each answer of an attempt says for revision. Questions that were not seen are left out."""
    for each in _seen(attempt):
        if each.outcome in (_INCORRECT, _BLANK):
            yield each.asked.id, CardGround.MISSED
        elif each.confidence == _GUESS:
            yield each.asked.id, CardGround.GUESSED
        elif each.confidence == _DOUBTFUL or each.outcome == _PARTIAL:
            yield each.asked.id, CardGround.DOUBTFUL
        else:
            yield each.asked.id, CardGround.KNOWN


def _seen(attempt: TakenAttempt) -> Iterator[_Seen]:
    """The questions that the candidate saw: answered, or blank after some time, without dropped ones.

    Without times, as with answer sheets on paper, all blanks were seen. In a section with `choose` no blank
    was asked for, and an answer beyond the number has the outcome of a blank.
    """
    for place, asked in enumerate(attempt.questions):
        outcome = attempt.outcomes[place]
        was_skipped = outcome == _BLANK and attempt.spent_ms is not None and not attempt.spent_ms[place]
        was_not_asked = outcome == _BLANK and asked.is_optional
        if outcome != _DROPPED and not was_skipped and not was_not_asked:
            yield _Seen(asked, outcome, attempt.confidence[place])


def _rate(board: RatingState, attempt: TakenAttempt, candidate: Candidate, each: _Seen) -> None:
    asked = each.asked
    subject = attempt.user_id, asked.subject_id
    before = elo.Ratings(
        candidate=candidate.rating,
        in_subject=board.subjects.get(subject, Rating()),
        question=board.questions.get(asked.id, Rating()),
    )
    after = elo.updated(before, each.share)
    candidate.rating = after.candidate
    board.subjects[subject] = after.in_subject
    if not attempt.by_staff:
        board.questions[asked.id] = after.question
    if asked.chapter_id is not None:
        chapter = attempt.user_id, asked.chapter_id
        counts = board.chapters.get(chapter, Answered())
        board.chapters[chapter] = replace(counts, seen=counts.seen + 1, right=counts.right + each.share)


def _count_habits(candidate: Candidate, seen: Sequence[_Seen]) -> None:
    left = 0.5 ** (len(seen) / HALF_LIFE_QUESTIONS)
    for name in HABITS:
        setattr(candidate, name, getattr(candidate, name) * left)
    for each in seen:
        candidate.questions += 1
        candidate.wrong += each.outcome == _INCORRECT
        candidate.blanks += each.outcome == _BLANK
        if (habit := _HABIT_OF.get(each.confidence)) is not None:
            setattr(candidate, habit, getattr(candidate, habit) + 1)
            right = f"{habit}_right"
            setattr(candidate, right, getattr(candidate, right) + (each.outcome == _CORRECT))
