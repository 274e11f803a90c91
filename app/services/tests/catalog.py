"""Lists of tests, and one test."""

from datetime import datetime
from uuid import UUID

from app.models import Role
from app.repositories.base import Page, PageRequest
from app.repositories.tests import ListedTest, TestFilter, Viewer
from app.services.unit_of_work import Reading
from app.services.users import Principal


def viewer(user: Principal) -> Viewer:
    """The viewer of a user, as repositories need it."""
    is_admin = user.role is Role.ADMIN
    return Viewer(user.id, user.institute_id, user.is_staff, user.enrolled, is_admin)


async def page(
    reads: Reading, user: Principal, now: datetime, wanted: TestFilter, request: PageRequest
) -> Page[ListedTest]:
    """The tests that a user may take, newest first. Staff see drafts and archived tests too."""
    return await reads.tests.page(viewer(user), now, wanted, request)


async def find(reads: Reading, user: Principal, test_id: UUID, now: datetime) -> ListedTest:
    """One test that the user may take or has taken."""
    return await reads.tests.find(viewer(user), test_id, now)
