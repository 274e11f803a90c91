"""Questions for a test by their `external_id`, or by a selection of the bank."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services.unit_of_work import Reading
from app.services.users import Principal

ROWS_AT_ONCE = 100


async def with_external_ids(
    reads: Reading, author: Principal, external_ids: Sequence[str]
) -> Mapping[str, UUID]:
    """The ids of the questions that have these external ids."""
    found = await reads.questions.by_external_id(author.institute_id, external_ids)
    return {question.external_id: question.id for question in found if question.external_id is not None}


async def select(reads: Reading, author: Principal, wanted: QuestionFilter, limit: int) -> list[UUID]:
    """The ids of the questions of a selection, oldest first, at most `limit`."""
    ids: list[UUID] = []
    request = PageRequest(ROWS_AT_ONCE)
    while True:
        page = await reads.questions.page(author.institute_id, wanted, request)
        ids += [question.id for question in page.items]
        if page.next_cursor is None:
            return sorted(ids)[:limit]
        request = PageRequest(ROWS_AT_ONCE, page.next_cursor)
