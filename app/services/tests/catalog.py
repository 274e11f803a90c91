"""Tests as people find them."""

from datetime import datetime
from uuid import UUID

from app.models import Role
from app.repositories.base import Page, PageRequest
from app.repositories.tests import Listed, TestFilter, Viewer
from app.services.unit_of_work import Reading
from app.services.users import Principal


def viewer(user: Principal) -> Viewer:
    """What the statements need to know of the person who looks."""
    is_admin = user.role is Role.ADMIN
    return Viewer(user.id, user.institute_id, user.is_staff, user.enrolled, is_admin)


async def page(
    reads: Reading, user: Principal, now: datetime, wanted: TestFilter, request: PageRequest
) -> Page[Listed]:
    """The tests that a person may take, newest first; staff see drafts and archived ones too."""
    return await reads.tests.page(viewer(user), now, wanted, request)


async def find(reads: Reading, user: Principal, test_id: UUID, now: datetime) -> Listed:
    """One test that the person may take or has taken."""
    return await reads.tests.find(viewer(user), test_id, now)
