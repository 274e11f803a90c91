"""Taking graded attempts into ratings and review cards, one after the other (docs/decisions/0068)."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from app.engine import ratings
from app.engine.ratings import Asked, TakenAttempt
from app.repositories.analytics.ratings import QuestionPlace, WaitingAttempt
from app.services.analytics.review_cards import Deck, Reviewed
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork

BATCH = 100
MAX_LEFT_OUT = 5_000
REPLAY = "replay_ratings"


async def take_in(uow: UnitOfWork, parts: Components, attempt_ids: Collection[UUID]) -> int:
    """Take in those of the attempts that are graded, shown to candidates, and not taken in yet.

    Returns how many these were. Running it again changes nothing.
    """
    await uow.ratings.lock(attempt_ids)
    waiting = await uow.ratings.waiting(attempt_ids)
    if not waiting:
        return 0
    numbers = await uow.ratings.next_numbers(len(waiting))
    await _apply(uow, parts, waiting, first=numbers[0])
    await uow.ratings.mark_applied(
        {attempt.id: number for attempt, number in zip(waiting, numbers, strict=True)}
    )
    return len(waiting)


async def request_left_out(uow: UnitOfWork) -> int:
    """Add jobs for attempts that were withheld when they were graded and are shown now; how many they are."""
    left = await uow.ratings.left_out(MAX_LEFT_OUT)
    for first in range(0, len(left), BATCH):
        some = left[first : first + BATCH]
        uow.jobs.add("take_in_attempts", attempt_ids=[str(attempt_id) for attempt_id in some])
    return len(left)


async def request_replay(uow: UnitOfWork) -> bool:
    """Add a job that replays the ratings if they are stale and none waits; whether one was added."""
    is_stale = await uow.ratings.are_stale() and not await uow.jobs.is_waiting(REPLAY)
    if is_stale:
        uow.jobs.add(REPLAY)
    return is_stale


async def replay(uow: UnitOfWork, parts: Components) -> int:
    """Delete ratings and cards, and take the same attempts in again in their sequence; how many they were.

    Nobody else takes an attempt in before the transaction ends.
    """
    await uow.ratings.lock_all()
    await uow.ratings.clear()
    count, last = 0, 0
    while some := await uow.ratings.taken_in(last, BATCH):
        first = some[0].applied or 0
        await _apply(uow, parts, some, first=first)
        count, last = count + len(some), some[-1].applied or last
    return count


async def _apply(
    uow: UnitOfWork, parts: Components, attempts: Sequence[WaitingAttempt], *, first: int
) -> None:
    """Take in attempts that follow one another. `first` is the number of the first one."""
    papers = {attempt.paper_id for attempt in attempts}
    places = await uow.ratings.places(papers)
    questions = {paper_id: await _asked(uow, parts, paper_id, places) for paper_id in papers}
    user_ids = sorted({attempt.user_id for attempt in attempts})
    question_ids = sorted(places)
    board = await uow.ratings.board(user_ids, places)
    seen = {**await uow.ratings.seen(user_ids, question_ids, first)}
    deck = Deck(await uow.cards.load(user_ids, question_ids))
    for attempt in attempts:
        taken = _taken(attempt, questions[attempt.paper_id])
        known = seen.setdefault(attempt.user_id, set())
        ratings.take_in(board, taken, known)
        known.update(asked.id for asked in taken.questions)
        deck.review(
            Reviewed(attempt.id, attempt.user_id, attempt.ended_at, list(ratings.card_grounds(taken)))
        )
    await uow.ratings.store(board, {attempt.user_id: attempt.ended_at for attempt in attempts})
    await uow.cards.store(list(deck.changed))


async def _asked(
    uow: UnitOfWork, parts: Components, paper_id: UUID, places: Mapping[UUID, QuestionPlace]
) -> Sequence[Asked]:
    paper = await parts.papers.get(uow, paper_id)
    return [
        Asked(
            id=question.id,
            subject_id=places[question.id].subject_id,
            chapter_id=places[question.id].chapter_id,
            guess=guess,
            is_optional=question.id in paper.optional_ids,
        )
        for question, guess in zip(paper.questions.values(), paper.guess_shares, strict=True)
    ]


def _taken(attempt: WaitingAttempt, questions: Sequence[Asked]) -> TakenAttempt:
    return TakenAttempt(
        user_id=attempt.user_id,
        outcomes=attempt.outcomes,
        confidence=attempt.confidence,
        spent_ms=attempt.spent_ms,
        questions=questions,
        is_full_test=attempt.is_full_test,
        by_staff=attempt.was_staff,
    )
