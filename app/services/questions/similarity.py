"""Questions that say nearly the same: pairs within the bank, and the one that is most like a new question."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.models import Question
from app.repositories.base import Page, PageRequest, decode_cursor, encode_cursor
from app.services.questions.links import Links, Pair
from app.services.unit_of_work import Reading
from app.services.users import Principal

# A page looks at so many questions and measures so many pairs at most: it may be short, and the list goes on
# all the same.
MAX_EXAMINED_QUESTIONS = 2_000
MAX_MEASURED_PAIRS = 2_000
_MEASURED_AT_ONCE = 250
_AT_ONCE = 1_000
# Of each new question so many pairs are measured.
_CLOSEST = 2


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two questions, the older one first, and how alike they are, from 0 to 1."""

    similarity: float
    question: Question
    other: Question


@dataclass(frozen=True, slots=True)
class Similar:
    """Two questions and how alike they are, from 0 to 1."""

    question_id: UUID
    other_id: UUID
    similarity: float


@dataclass(frozen=True, slots=True)
class Compared:
    """So many questions were compared with the bank, and these are very similar to others."""

    questions: int
    found: Sequence[Similar]


async def duplicates(
    reads: Reading, reader: Principal, subject_id: UUID | None, threshold: float, request: PageRequest
) -> Page[Duplicate]:
    """Pairs that are alike at least to `threshold`; a page may be short or empty, and not be the last."""
    after = _after(request.cursor)
    links = await Links.load(reads.similarity.sketches(reader.institute_id, subject_id))
    found: list[Similar] = []
    measured = 0
    begin = links.place_of(after[0])
    for start, end in _growing(begin, begin + MAX_EXAMINED_QUESTIONS):
        for some in _slices(await asyncio.to_thread(links.later, start, end, after)):
            found += await _alike(reads, some, threshold)
            measured += len(some)
            if len(found) > request.limit:
                shown = found[: request.limit]
                return await _page(reads, reader, shown, (shown[-1].question_id, shown[-1].other_id))
            if measured >= MAX_MEASURED_PAIRS:
                return await _page(reads, reader, found, some[-1])
        if end >= len(links.ids):
            return await _page(reads, reader, found, None)
    return await _page(reads, reader, found, (links.ids[end - 1], links.ids[-1]))


async def nearest(
    reads: Reading, institute_id: UUID, question_ids: Sequence[UUID], threshold: float
) -> AsyncIterator[Compared]:
    """For each of these questions the one that is most like it, if any is: a thousand of them at a time.

    Of two of them it is the later one that has the pair.
    """
    if not question_ids:  # The sketches of a large bank take long to read.
        return
    links = await Links.load(reads.similarity.sketches(institute_id, None))
    given = frozenset(question_ids)
    for start in range(0, len(question_ids), _AT_ONCE):
        mine = question_ids[start : start + _AT_ONCE]
        best: dict[UUID, Similar] = {}
        for some in _slices(await asyncio.to_thread(links.closest, mine, given, _CLOSEST)):
            for pair in await _alike(reads, some, threshold):
                known = best.setdefault(pair.question_id, pair)
                if pair.similarity > known.similarity:
                    best[pair.question_id] = pair
        yield Compared(len(mine), list(best.values()))


async def _alike(reads: Reading, pairs: Sequence[Pair], threshold: float) -> list[Similar]:
    measured = await reads.similarity.measure(pairs)
    return [
        Similar(*pair, similarity)
        for pair, similarity in zip(pairs, measured, strict=True)
        if similarity >= threshold
    ]


async def _page(
    reads: Reading, reader: Principal, found: Sequence[Similar], last: Pair | None
) -> Page[Duplicate]:
    """The pairs with their questions; the list goes on after the last pair that was looked at."""
    ids = {id_ for pair in found for id_ in (pair.question_id, pair.other_id)}
    named: Mapping[UUID, Question] = await reads.questions.by_id(reader.institute_id, ids)
    pairs = [Duplicate(pair.similarity, named[pair.question_id], named[pair.other_id]) for pair in found]
    return Page(pairs, encode_cursor(last) if last is not None else None)


def _after(cursor: str | None) -> Pair:
    if cursor is None:
        return UUID(int=0), UUID(int=0)
    question_id, other_id = decode_cursor(cursor, (Question.id, Question.id))
    return question_id, other_id


def _growing(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Places in steps of 1, 2, 4 …: where very many are alike, the first ones fill a page."""
    size = 1
    while start < end:
        yield start, min(start + size, end)
        start, size = start + size, min(2 * size, _AT_ONCE)


def _slices(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    return (pairs[start : start + _MEASURED_AT_ONCE] for start in range(0, len(pairs), _MEASURED_AT_ONCE))
