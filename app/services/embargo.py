"""The embargo for use cases: which keys are withheld from a user, and which tests are hidden."""

from collections.abc import Collection
from uuid import UUID

from app.core.errors import NotFound
from app.models import Role
from app.repositories.embargo import Reader
from app.services.unit_of_work import Reading
from app.services.users import Principal


def reader(person: Principal) -> Reader:
    """The user as the embargo's conditions need it."""
    return Reader(person.id, person.is_staff, person.role is Role.ADMIN)


async def withheld(reads: Reading, person: Principal, question_ids: Collection[UUID]) -> set[UUID]:
    """Those of these questions whose keys, and data derived from them, are withheld from the user."""
    return await reads.embargo.withheld(reader(person), question_ids)


async def check_visible(reads: Reading, person: Principal, test_id: UUID) -> None:
    """Raise NotFound if the embargo hides the test from the user."""
    if await reads.embargo.hides_test(reader(person), test_id):
        raise NotFound("test")
