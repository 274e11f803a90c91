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
        "started": await succeeds(uow.tests.to_start(viewer, made.id, NOW)),
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
    async def test_state_and_viewer(self, uow: UnitOfWork) -> None:
        cases: list[tuple[dict[str, Any], Viewer, bool]] = [
            ({}, CANDIDATE, True),
            ({"access": "enrolled"}, CANDIDATE, False),
            ({"access": "enrolled"}, ENROLLED, True),
            ({"status": "draft"}, ENROLLED, False),
            ({"status": "archived"}, ENROLLED, False),
            ({"available_from": NOW + TICK}, CANDIDATE, False),
            ({"available_from": NOW}, CANDIDATE, True),
            ({"available_until": NOW}, CANDIDATE, False),
            ({"available_until": NOW + TICK}, CANDIDATE, True),
            ({"available_from": NOW - DAY, "available_until": NOW + DAY}, CANDIDATE, True),
            ({}, FOREIGN_CANDIDATE, False),
            ({}, FOREIGN_STAFF, False),
            ({"status": "draft"}, STAFF, True),
            ({"status": "archived"}, STAFF, True),
            ({"access": "enrolled"}, STAFF, True),
            ({"available_until": NOW - DAY}, STAFF, True),
        ]
        made = await publish_test(uow)
        usual = {"access": "free", "status": "published", "available_from": None, "available_until": None}
        for state, viewer, allowed in cases:
            await change(uow, made, **usual | state)
            assert await ways_in(uow, viewer, made) == all_ways(allowed), (state, viewer)

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

    async def test_one_published_exam_that_is_not_released_is_enough(self, uow: UnitOfWork) -> None:
        made = await publish_test(uow)
        await add_exam(uow, made.id, NOW, released_at=NOW)
        await add_exam(uow, made.id, NOW)
        assert await ways_in(uow, ENROLLED, made) == all_ways(True), "a draft withholds no released test"
        await add_exam(uow, made.id, NOW, published_at=NOW)
        assert await ways_in(uow, ENROLLED, made) == all_ways(False)

    async def test_another_institute_sees_its_own(self, uow: UnitOfWork) -> None:
        uow.session.add(Institute(id=FOREIGN_STAFF.institute_id, slug="other", name="Other"))
        made = await publish_test(uow)
        await change(uow, made, institute_id=FOREIGN_STAFF.institute_id)
        assert await ways_in(uow, FOREIGN_CANDIDATE, made) == all_ways(True)
        assert await ways_in(uow, STAFF, made) == all_ways(False)
        assert await ways_in(uow, CANDIDATE, made) == all_ways(False)

    async def test_who_has_taken_it_may_read_it_still(self, uow: UnitOfWork, parts: Components) -> None:
        made, candidate = await publish_test(uow), await add_candidate(uow)
        await start_attempt(uow, parts, made, NOW, candidate)
        viewer = Viewer(candidate.id, candidate.institute_id, is_staff=False, enrolled=False)
        usual = {"access": "free", "status": "published", "available_until": None}
        for state in ({"status": "archived"}, {"available_until": NOW - DAY}, {"access": "enrolled"}):
            await change(uow, made, **usual | state)
            seen = await ways_in(uow, viewer, made)
            assert seen == {"listed": False, "read": True, "started": False}, state

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

    async def test_a_query_is_a_part_of_the_title(self, uow: UnitOfWork) -> None:
        subject = await add_subject(uow)
        title = {"en": 'Polity 100% "basics"', "hi": "राजव्यवस्था"}
        await publish_test(uow)
        made = await publish_test(uow, subject_id=subject.id)
        await change(uow, made, title=title, paper_version=None)
        for query, found in (
            ("polity", True),
            ("POLITY 100%", True),
            ('"basics"', True),
            ("राजव्यवस्था", True),
            ("100_", False),
            ("%", True),
            ("economy", False),
            ("hi", False),
            ('": "', False),
        ):
            wanted = tests.TestFilter(subject.id, None, query)
            page = await uow.catalog.page(STAFF, NOW, wanted, PageRequest())
            assert len(page.items) == found, query

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
