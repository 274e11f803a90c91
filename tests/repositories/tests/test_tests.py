"""Who may see and start which test: the one predicate, over lists, reading and starting."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import models
from app.core.errors import NotFound
from app.models import DEFAULT_INSTITUTE_ID, Attempt, Institute
from app.repositories import tests
from app.repositories.base import PageRequest
from app.repositories.tests import Viewer
from app.services.components import Components
from app.services.tests import publish
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.attempts import add_candidate, start_attempt
from tests.builders.content import PublishedTest, add_subject, publish_test
from tests.builders.exams import add_exam

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)

NOBODY = UUID(int=7)
CANDIDATE = Viewer(NOBODY, DEFAULT_INSTITUTE_ID, is_staff=False, enrolled=False)
ENROLLED = Viewer(NOBODY, DEFAULT_INSTITUTE_ID, is_staff=False, enrolled=True)
STAFF = Viewer(NOBODY, DEFAULT_INSTITUTE_ID, is_staff=True, enrolled=False)
ADMIN = Viewer(NOBODY, DEFAULT_INSTITUTE_ID, is_staff=True, enrolled=False, is_admin=True)
FOREIGN_STAFF = Viewer(NOBODY, UUID(int=8), is_staff=True, enrolled=False)
FOREIGN_CANDIDATE = Viewer(NOBODY, UUID(int=8), is_staff=False, enrolled=True)


async def change(uow: UnitOfWork, made: PublishedTest, **values: Any) -> models.Test:
    test = await uow.tests.draft(DEFAULT_INSTITUTE_ID, made.id)
    for name, value in values.items():
        setattr(test, name, value)
    await uow.tests.flush()
    return test


async def ways_in(uow: UnitOfWork, viewer: Viewer, made: PublishedTest) -> dict[str, bool]:
    """Whether the test is in the list, can be read, and can be started."""
    listed = await uow.catalog.page(viewer, NOW, tests.TestFilter(), PageRequest(limit=1))
    return {
        "listed": made.id in [each.test.id for each in listed.items],
        "read": await succeeds(uow.catalog.find(viewer, made.id, NOW)),
        "started": await succeeds(uow.tests.offered(viewer, made.id, NOW)),
    }


async def succeeds(lookup: Any) -> bool:
    try:
        await lookup
    except NotFound:
        return False
    return True


def all_ways(allowed: bool) -> dict[str, bool]:
    return dict.fromkeys(("listed", "read", "started"), allowed)


class TestMayAccess:
    @pytest.mark.parametrize(
        ("state", "viewer", "allowed"),
        [
            pytest.param({}, CANDIDATE, True, id="free"),
            pytest.param({"access": "enrolled"}, CANDIDATE, False, id="enrolled alone"),
            pytest.param({"access": "enrolled"}, ENROLLED, True, id="enrolled"),
            pytest.param({"status": "draft"}, ENROLLED, False, id="draft"),
            pytest.param({"status": "archived"}, ENROLLED, False, id="archived"),
            pytest.param({"available_from": NOW + TICK}, CANDIDATE, False, id="in a moment"),
            pytest.param({"available_from": NOW}, CANDIDATE, True, id="from now"),
            pytest.param({"available_until": NOW}, CANDIDATE, False, id="until now"),
            pytest.param({"available_until": NOW + TICK}, CANDIDATE, True, id="for a moment"),
            pytest.param(
                {"available_from": NOW - DAY, "available_until": NOW + DAY}, CANDIDATE, True, id="in between"
            ),
            pytest.param({}, FOREIGN_CANDIDATE, False, id="another institute's candidate"),
            pytest.param({}, FOREIGN_STAFF, False, id="another institute's staff"),
            pytest.param({"status": "draft"}, STAFF, True, id="staff: draft"),
            pytest.param({"status": "archived"}, STAFF, True, id="staff: archived"),
            pytest.param({"access": "enrolled"}, STAFF, True, id="staff: enrolled"),
            pytest.param({"available_until": NOW - DAY}, STAFF, True, id="staff: over"),
        ],
    )
    async def test_state_and_viewer(
        self, uow: UnitOfWork, state: dict[str, Any], viewer: Viewer, allowed: bool
    ) -> None:
        made = await publish_test(uow)
        await change(uow, made, **state)
        assert await ways_in(uow, viewer, made) == all_ways(allowed)

    @pytest.mark.parametrize(
        ("times", "allowed"),
        [
            pytest.param({}, False, id="scheduled"),
            pytest.param({"published_at": NOW}, False, id="published"),
            pytest.param({"released_at": NOW}, True, id="released"),
            pytest.param({"cancelled_at": NOW}, True, id="cancelled"),
        ],
    )
    async def test_embargo(self, uow: UnitOfWork, times: dict[str, Any], allowed: bool) -> None:
        made = await publish_test(uow)
        await add_exam(uow, made.id, NOW, **times)
        assert await ways_in(uow, ENROLLED, made) == all_ways(allowed)
        assert await ways_in(uow, STAFF, made) == all_ways(allowed)
        assert await ways_in(uow, ADMIN, made) == all_ways(True)

    async def test_one_exam_that_is_not_released_is_enough(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        await add_exam(uow, made.id, NOW, released_at=NOW)
        await add_exam(uow, made.id, NOW)
        assert await ways_in(uow, ENROLLED, made) == all_ways(False)

    async def test_another_institute_sees_its_own(self, uow: UnitOfWork) -> None:
        uow.session.add(Institute(id=FOREIGN_STAFF.institute_id, slug="other", name="Other"))
        made = await publish_test(uow)
        await change(uow, made, institute_id=FOREIGN_STAFF.institute_id)
        assert await ways_in(uow, FOREIGN_CANDIDATE, made) == all_ways(True)
        assert await ways_in(uow, STAFF, made) == all_ways(False)
        assert await ways_in(uow, CANDIDATE, made) == all_ways(False)

    @pytest.mark.parametrize(
        ("state", "readable"),
        [
            ({"status": "archived"}, True),
            ({"available_until": NOW - DAY}, True),
            ({"access": "enrolled"}, True),
        ],
    )
    async def test_who_has_taken_it_may_read_it_still(
        self, uow: UnitOfWork, parts: Components, state: dict[str, Any], readable: bool
    ) -> None:
        made, candidate = await publish_test(uow), await add_candidate(uow)
        await start_attempt(uow, parts, made, NOW, candidate)
        await change(uow, made, **state)
        viewer = Viewer(candidate.id, candidate.institute_id, is_staff=False, enrolled=False)
        assert await ways_in(uow, viewer, made) == {"listed": False, "read": readable, "started": False}

    async def test_but_not_under_embargo(self, uow: UnitOfWork, parts: Components) -> None:
        made, candidate = await publish_test(uow), await add_candidate(uow)
        await start_attempt(uow, parts, made, NOW, candidate)
        await add_exam(uow, made.id, NOW)
        viewer = Viewer(candidate.id, candidate.institute_id, is_staff=False, enrolled=True)
        assert await ways_in(uow, viewer, made) == all_ways(False)


class TestFind:
    async def test_void_attempts_are_not_counted_as_mine(self, uow: UnitOfWork, parts: Components) -> None:
        """So `attempts_allowed - my_attempts` are left, as for starting."""
        made, candidate = await publish_test(uow), await add_candidate(uow)
        for status in ("void", "graded"):
            attempt: Attempt = await start_attempt(uow, parts, made, NOW, candidate)
            attempt.status = status
            await uow.attempts.flush()
        viewer = Viewer(candidate.id, candidate.institute_id, is_staff=False, enrolled=False)
        assert (await uow.catalog.find(viewer, made.id, NOW)).own.count == 1
        assert (await uow.catalog.find(CANDIDATE, made.id, NOW)).own.count == 0


class TestPage:
    async def test_newest_first_page_by_page(self, uow: UnitOfWork) -> None:
        subject = await add_subject(uow)
        made = [await publish_test(uow, subject_id=subject.id) for _ in range(5)]
        seen: list[UUID] = []
        request, pages = PageRequest(limit=2), 0
        while True:
            page = await uow.catalog.page(CANDIDATE, NOW, tests.TestFilter(subject_id=subject.id), request)
            seen += [listed.test.id for listed in page.items]
            pages += 1
            if page.next_cursor is None:
                break
            request = PageRequest(limit=2, cursor=page.next_cursor)
        assert seen == [each.id for each in reversed(made)]
        assert pages == 3

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("polity", True),
            ("POLITY 100%", True),
            ('"basics"', True),
            ("राजव्यवस्था", True),
            ("100_", False),
            ("%", True),
            ("economy", False),
            ("hi", False),
            ('": "', False),
        ],
    )
    async def test_a_query_is_a_part_of_the_title(self, uow: UnitOfWork, query: str, found: bool) -> None:
        subject = await add_subject(uow)
        title = {"en": 'Polity 100% "basics"', "hi": "राजव्यवस्था"}
        await publish_test(uow)
        made = await publish_test(uow, subject_id=subject.id)
        await change(uow, made, title=title, paper_version=None)
        page = await uow.catalog.page(STAFF, NOW, tests.TestFilter(subject.id, None, query), PageRequest())
        assert len(page.items) == found

    async def test_candidates_find_what_was_published(self, uow: UnitOfWork) -> None:
        old, new = uuid4().hex, uuid4().hex
        made = await publish_test(uow)
        await change(uow, made, title={"en": old})
        await publish(uow, operator(), made.id, NOW)
        await change(uow, made, title={"en": new})
        for name, found in ((old, [made.id]), (new, [])):
            page = await uow.catalog.page(CANDIDATE, NOW, tests.TestFilter(query=name), PageRequest())
            assert [listed.test.id for listed in page.items] == found

    @pytest.mark.parametrize(("kind", "found"), [("pyq", 1), ("full", 0)])
    async def test_kind(self, uow: UnitOfWork, kind: str, found: int) -> None:
        subject = await add_subject(uow)
        await publish_test(uow, subject_id=subject.id, kind="pyq")
        page = await uow.catalog.page(CANDIDATE, NOW, tests.TestFilter(subject.id, kind), PageRequest())
        assert len(page.items) == found
