"""The embargo as use cases ask it: what may this person know, and may they touch this test?"""

from collections.abc import Collection
from uuid import UUID

from app.core.errors import NotFound
from app.models import Role
from app.repositories.embargo import Reader
from app.services.unit_of_work import Reading
from app.services.users import Principal


def reader(person: Principal) -> Reader:
    """The person as the embargo judges them."""
    return Reader(person.id, person.is_staff, person.role is Role.ADMIN)


async def withheld(reads: Reading, person: Principal, question_ids: Collection[UUID]) -> set[UUID]:
    """Of which of these questions the person may not know the key, nor anything derived from it."""
    return await reads.embargo.withheld(reader(person), question_ids)


async def check_visible(reads: Reading, person: Principal, test_id: UUID) -> None:
    """Raise NotFound where an exam hides the test from this person."""
    if await reads.embargo.hides_test(reader(person), test_id):
        raise NotFound("test")
