"""Questions of the bank that say nearly the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.models import Question
from app.repositories.base import Page, PageRequest
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two questions, the older one first, and how alike they are, from 0 to 1."""

    similarity: float
    question: Question
    other: Question


async def duplicates(
    reads: Reading, reader: Principal, subject_id: UUID | None, threshold: float, request: PageRequest
) -> Page[Duplicate]:
    """Pairs that are alike at least to `threshold`; a page may be short or empty, and not be the last."""
    found = await reads.likeness.page(reader.institute_id, subject_id, threshold, request)
    ids = {id_ for pair in found.items for id_ in (pair.question_id, pair.other_id)}
    questions: Mapping[UUID, Question] = await reads.questions.named(reader.institute_id, ids)
    pairs = [
        Duplicate(pair.similarity, questions[pair.question_id], questions[pair.other_id])
        for pair in found.items
    ]
    return Page(pairs, found.next_cursor)
