"""Tests as lists and screens show them: filtered, ordered, with the viewer's own attempts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Row,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    column,
    exists,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import aliased

from app.core.errors import NotFound
from app.engine.scores import Score
from app.models import Attempt, AttemptStatus, Paper, Result, Subject, Test, TestPopularity, User
from app.repositories.base import KeyColumn, Page, PageRequest, Repository
from app.repositories.embargo import Reader, belongs_to_another, hides_test, withholds_attempt
from app.repositories.scores import score_of
from app.repositories.tests.popularity import ranked_candidates
from app.repositories.tests.tests import Viewer, is_offered, is_open

RUNNING = (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)


class TestSort(StrEnum):
    """The orders of the list of tests."""

    __test__ = False

    NEWEST = "newest"
    TITLE = "title"
    POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class TestFilter:
    """Which tests to list. None, and no statuses, do not filter."""

    __test__ = False

    subject_id: UUID | None = None
    kind: str | None = None
    query: str | None = None
    taken: bool | None = None
    """Whether the viewer has an attempt that is not void. Tests that one has taken are listed for good."""
    statuses: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class BestScore:
    """The highest score of the viewer's attempts, and the rounding policy of its paper."""

    score: Score
    rounding: str


@dataclass(frozen=True, slots=True)
class OwnAttempts:
    """The viewer's attempts at a test that are not void. No score is one that an exam withholds."""

    count: int = 0
    """Attempts at the test by itself. Those in exams are not limited by `attempts_allowed`."""
    best: BestScore | None = None
    latest_id: UUID | None = None
    running_id: UUID | None = None
    """The attempt that starting the test would resume."""


@dataclass(frozen=True, slots=True)
class ListedTest:
    """A test with its published paper, its subject, its candidates and the viewer's attempts."""

    test: Test
    paper: Paper | None
    subject: Subject | None = None
    sections: Sequence[Mapping[str, Any]] = ()
    """The sections of the paper: id, name, question_count, duration_seconds, choose."""
    participants: int = 0
    own: OwnAttempts = OwnAttempts()


class CatalogRepository(Repository):
    """Tests that a viewer may see."""

    async def page(
        self,
        viewer: Viewer,
        now: datetime,
        wanted: TestFilter,
        page: PageRequest,
        sort: TestSort = TestSort.NEWEST,
    ) -> Page[ListedTest]:
        """The tests that the viewer may take, or has taken if `wanted.taken` is true. Staff get all tests."""
        offered = select(Test).where(*_conditions(viewer, now, wanted))
        ordered, keys, descending = _ordered(offered, sort, viewer)
        shown = aliased(Test, ordered)
        statement = select(shown.id).where(~hides_test(viewer.reader, shown))
        found = await self._page(statement, keys, page, descending=descending)
        own = {} if wanted.taken is False else await self._own(viewer, found.items)
        return Page(await self._listed(found.items, own), found.next_cursor)

    async def find(self, viewer: Viewer, test_id: UUID, now: datetime) -> ListedTest:
        """A test that the viewer may take or has taken."""
        await self.published_version(viewer, test_id, now)
        [listed] = await self._listed([test_id], await self._own(viewer, [test_id]))
        return listed

    async def published_version(self, viewer: Viewer, test_id: UUID, now: datetime) -> int | None:
        """The published version of a test that the viewer may take or has taken; None without one.

        Raises NotFound for another test.
        """
        found = await self._session.execute(
            _readable_version(viewer.reader), readable_by(viewer, test_id, now)
        )
        if (row := found.one_or_none()) is None:
            raise NotFound("test")
        version: int | None = row.paper_version
        return version

    async def _listed(self, ids: Sequence[UUID], own: Mapping[UUID, OwnAttempts]) -> Sequence[ListedTest]:
        found = await self._session.execute(_listed_tests(), {"ids": list(ids)})
        rows = {row[0].id: row for row in found}
        return [_listed_test(rows[test_id], own.get(test_id, OwnAttempts())) for test_id in ids]

    async def _own(self, viewer: Viewer, test_ids: Sequence[UUID]) -> Mapping[UUID, OwnAttempts]:
        """The viewer's attempts at these tests, by test."""
        values = {"user_id": viewer.user_id, "test_ids": list(test_ids)}
        rows_of: dict[UUID, list[Row[Any]]] = {}
        for row in await self._session.execute(_own_attempts_at(viewer.reader), values):
            rows_of.setdefault(row.test_id, []).append(row)
        return {test_id: _own_attempts(rows) for test_id, rows in rows_of.items()}


def _ordered(offered: Select[Any], sort: TestSort, viewer: Viewer) -> tuple[Any, Sequence[KeyColumn], bool]:
    """Tests in their order as a subquery, the keys of the order, and whether it is descending.

    OFFSET 0 keeps PostgreSQL from checking the embargo before it has ordered the tests. It is checked for
    one after the other, until the page is full (docs/decisions/0060).
    """
    narrow = offered.with_only_columns(
        Test.id, Test.paper_version, Test.created_by, Test.is_personal, Test.owner_id
    )
    if sort is TestSort.NEWEST:
        ordered = narrow.order_by(Test.id.desc()).offset(0).subquery()
        return ordered, [ordered.c.id], True
    is_popular = sort is TestSort.POPULAR
    sort_value = (_popularity() if is_popular else _title(viewer)).label("sort_value")
    order = [sort_value.desc(), Test.id.desc()] if is_popular else [sort_value, Test.id]
    ordered = narrow.add_columns(sort_value).order_by(*order).offset(0).subquery()
    return ordered, [ordered.c.sort_value, ordered.c.id], is_popular


def _popularity() -> ColumnElement[int]:
    stored = select(TestPopularity.participants).where(TestPopularity.test_id == Test.id)
    return func.coalesce(stored.correlate(Test).scalar_subquery(), 0)


def _title(viewer: Viewer) -> ColumnElement[str]:
    """The title in the language of the viewer's profile, in English, or in the test's first language."""
    language = select(User.language).where(User.id == viewer.user_id).scalar_subquery()
    title = _shown_title()
    texts = [func.jsonb_extract_path_text(title, each) for each in (language, "en", Test.languages[1])]
    return type_coerce(func.lower(func.coalesce(*texts, "")), String)


def _shown_title() -> ColumnElement[Any]:
    """Candidates see the published title. A test that was never published has its draft's."""
    published = aliased(Paper)
    title = select(published.title).where(
        published.test_id == Test.id, published.version == Test.paper_version
    )
    return func.coalesce(title.correlate(Test).scalar_subquery(), Test.title)


def _conditions(viewer: Viewer, now: datetime, wanted: TestFilter) -> Iterable[ColumnElement[bool]]:
    """Everything that a listed test must satisfy, except the embargo."""
    taken = exists().where(
        Attempt.test_id == Test.id,
        Attempt.user_id == viewer.user_id,
        Attempt.status != AttemptStatus.VOID,
    )
    if wanted.taken:
        yield and_(Test.institute_id == viewer.institute_id, taken)
    else:
        yield is_offered(viewer, now)
    if wanted.taken is False:
        yield ~taken
    if wanted.subject_id is not None:
        yield Test.subject_id == wanted.subject_id
    if wanted.kind is not None:
        yield Test.kind == wanted.kind
    if wanted.statuses:
        yield Test.status.in_(wanted.statuses)
    if wanted.query:
        text = func.jsonb_each_text(_shown_title()).table_valued("key", "value")
        yield exists().where(text.c.value.icontains(wanted.query, autoescape=True))


@cache
def _listed_tests() -> Select[*tuple[Any, ...]]:
    """What `ListedTest` has of the tests `:ids`."""
    return (
        select(Test, Paper, Subject, _sections(), ranked_candidates())
        .outerjoin(Paper, _is_published_version())
        .outerjoin(Subject, Subject.id == Test.subject_id)
        .where(Test.id.in_(bindparam("ids", type_=Uuid, expanding=True)))
    )


@lru_cache(maxsize=32)
def _own_attempts_at(reader: Reader) -> Select[*tuple[Any, ...]]:
    """The attempts of `:user_id` at the tests `:test_ids`, the latest first, with the results shown."""
    shown = and_(
        Result.attempt_id == Attempt.id, Attempt.status == AttemptStatus.GRADED, ~withholds_attempt(reader)
    )
    return (
        select(
            Attempt.id,
            Attempt.test_id,
            Attempt.exam_paper_id,
            Attempt.status,
            Result.raw_numerator,
            Result.raw_denominator,
            Result.score_numerator,
            Result.score_denominator,
            Paper.max_marks,
            Paper.marking["rounding"].astext.label("rounding"),
        )
        .join(Paper, Paper.id == Attempt.paper_id)
        .outerjoin(Result, shown)
        .where(
            Attempt.user_id == bindparam("user_id", type_=Uuid),
            Attempt.test_id.in_(bindparam("test_ids", type_=Uuid, expanding=True)),
            Attempt.status != AttemptStatus.VOID,
        )
        .order_by(Attempt.id.desc())
    )


@lru_cache(maxsize=32)
def _readable_version(reader: Reader) -> Select[int | None]:
    return select(Test.paper_version).where(is_readable(reader))


def is_readable(reader: Reader) -> ColumnElement[bool]:
    """Whether a row of `tests` is the test of `readable_by`, and its viewer may take it or has taken it."""
    user_id = bindparam("user_id", type_=Uuid)
    offered = and_(Test.institute_id == bindparam("institute_id", type_=Uuid), ~belongs_to_another(user_id))
    if not reader.is_staff:
        now = bindparam("now", type_=Test.available_from.type)
        offered = and_(offered, is_open(now, bindparam("enrolled", type_=Boolean)))
    taken = exists().where(Attempt.test_id == Test.id, Attempt.user_id == user_id)
    return and_(Test.id == bindparam("test_id", type_=Uuid), or_(offered, taken), ~hides_test(reader))


def readable_by(viewer: Viewer, test_id: UUID, now: datetime) -> Mapping[str, Any]:
    """The parameters of `is_readable`."""
    return {
        "test_id": test_id,
        "user_id": viewer.user_id,
        "institute_id": viewer.institute_id,
        "enrolled": viewer.enrolled,
        "now": now,
    }


def _is_published_version() -> ColumnElement[bool]:
    return and_(Paper.test_id == Test.id, Paper.version == Test.paper_version)


def _sections() -> ColumnElement[Any]:
    """The sections of the joined paper, with the number of their questions instead of the ids."""
    elements = func.jsonb_array_elements(Paper.rules["sections"])
    sections = elements.table_valued(column("section", JSONB), with_ordinality="place").render_derived()
    section = sections.c.section
    shown = func.jsonb_build_object(
        *("id", section["id"], "name", section["name"], "choose", section["choose"]),
        *("duration_seconds", section["duration_seconds"]),
        *("question_count", func.jsonb_array_length(section["question_ids"])),
    )
    place = sections.c.place
    listed = select(func.jsonb_agg(aggregate_order_by(shown, place))).select_from(sections)
    return type_coerce(listed.scalar_subquery(), JSONB)


def _listed_test(row: Row[Any], own: OwnAttempts) -> ListedTest:
    test, paper, subject, sections, participants = tuple(row)
    return ListedTest(test, paper, subject, sections or (), int(participants), own)


def _own_attempts(rows: Sequence[Row[Any]]) -> OwnAttempts:
    """The attempts at one test, of which the latest is first."""
    alone = [row for row in rows if row.exam_paper_id is None]
    graded = [BestScore(score, row.rounding) for row in rows if (score := score_of(row)) is not None]
    return OwnAttempts(
        count=len(alone),
        best=max(graded, key=lambda each: each.score.exact, default=None),
        latest_id=rows[0].id,
        running_id=next((row.id for row in alone if row.status in RUNNING), None),
    )
