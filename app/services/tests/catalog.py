"""Lists of tests, and one test."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.models import Role
from app.repositories.base import Page, PageRequest
from app.repositories.tests import ListedTest, TestFilter, TestSort, Viewer
from app.services.unit_of_work import Reading
from app.services.users import Principal


def viewer(user: Principal) -> Viewer:
    """The viewer of a user, as repositories need it."""
    is_admin = user.role is Role.ADMIN
    return Viewer(user.id, user.institute_id, user.is_staff, user.enrolled, is_admin)


async def page(
    reads: Reading,
    user: Principal,
    now: datetime,
    wanted: TestFilter,
    request: PageRequest,
    sort: TestSort = TestSort.NEWEST,
) -> Page[ListedTest]:
    """The tests that a user may take, or has taken. Staff see drafts and archived tests too."""
    return await reads.catalog.page(viewer(user), now, wanted, request, sort)


async def suggestions(reads: Reading, user: Principal, now: datetime, limit: int) -> Sequence[ListedTest]:
    """Tests that the user may take and has not taken: those with most candidates first, then the newest."""
    untaken = TestFilter(taken=False, statuses=("published",))
    return (await page(reads, user, now, untaken, PageRequest(limit), TestSort.POPULAR)).items


async def find(reads: Reading, user: Principal, test_id: UUID, now: datetime) -> ListedTest:
    """One test that the user may take or has taken."""
    return await reads.catalog.find(viewer(user), test_id, now)
