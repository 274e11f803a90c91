"""The lists that staff and candidates read, each with each of its filters."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.models import DEFAULT_INSTITUTE_ID
from app.repositories.analytics.candidates import CandidateFilter
from app.repositories.analytics.progress import AttemptFilter
from app.repositories.audit import AuditFilter
from app.repositories.base import Page, PageRequest
from app.repositories.exams.exams import ExamFilter, ExamViewer
from app.repositories.questions.passages import PassageFilter
from app.repositories.questions.questions import QuestionFilter
from app.repositories.tests import Viewer
from app.repositories.tests.catalog import TestFilter, TestSort
from app.services.unit_of_work import Reading
from tests.builders.large_tables import LargeTables

List = Callable[[Reading, LargeTables, PageRequest], Awaitable[Page[Any]]]

NOW = datetime.now(UTC)


def _viewer(made: LargeTables, *, is_staff: bool = False) -> Viewer:
    return Viewer(made.user_id, DEFAULT_INSTITUTE_ID, is_staff, enrolled=True, is_admin=is_staff)


def _users(query: str | None = None, role: str | None = None) -> List:
    return lambda reads, _, page: reads.users.page(query, role, page)


def _questions(**wanted: Any) -> List:
    def read(reads: Reading, made: LargeTables, page: PageRequest) -> Awaitable[Page[Any]]:
        place = {"subject_id": made.subject_id} if wanted.get("subject_id") else {}
        return reads.questions.page(DEFAULT_INSTITUTE_ID, QuestionFilter(**(wanted | place)), page)

    return read


def _tests(sort: TestSort = TestSort.NEWEST, **wanted: Any) -> List:
    return lambda reads, made, page: reads.catalog.page(_viewer(made), NOW, TestFilter(**wanted), page, sort)


def _history(*statuses: str, at_test: bool = False) -> List:
    def read(reads: Reading, made: LargeTables, page: PageRequest) -> Awaitable[Page[Any]]:
        wanted = AttemptFilter(made.test_id if at_test else None, statuses)
        return reads.progress.attempts(_viewer(made), wanted, page)

    return read


def _candidates(*statuses: str, query: str | None = None) -> List:
    wanted = CandidateFilter(statuses, query)
    return lambda reads, made, page: reads.candidates.page(
        _viewer(made, is_staff=True), made.test_id, wanted, page
    )


def _exams(*, is_staff: bool, **wanted: Any) -> List:
    return lambda reads, made, page: reads.exams.page(
        ExamViewer(made.user_id, DEFAULT_INSTITUTE_ID, is_staff), ExamFilter(**wanted), NOW, page
    )


def _registrations(query: str | None = None) -> List:
    return lambda reads, made, page: reads.registrations.page(made.exam_id, query, page)


def _no_shows(query: str | None = None) -> List:
    return lambda reads, made, page: reads.registrations.no_shows(made.exam_id, made.paper_id, query, page)


def _audit(**wanted: Any) -> List:
    return lambda reads, _, page: reads.audit.page(DEFAULT_INSTITUTE_ID, AuditFilter(**wanted), page)


def _notifications(*, unread: bool | None) -> List:
    return lambda reads, made, page: reads.notifications.page(made.user_id, page, unread=unread)


LISTS: dict[str, List] = {
    "users": _users(),
    "users by role": _users(role="author"),
    "candidates by role": _users(role="student"),
    "users by an address": _users("person777@"),
    "users by a name": _users("Meena Khan"),
    "users by a word that nobody has": _users("zzyzx"),
    "users by name and role": _users("Meena", "author"),
    "questions": _questions(),
    "questions of a subject": _questions(subject_id=True),
    "questions of a difficulty": _questions(difficulty="hard"),
    "questions with a tag": _questions(tags=["tag 7"]),
    "questions with two tags": _questions(tags=["tag 7", "tag 8"]),
    "questions in a status": _questions(statuses=["draft"]),
    "questions by words": _questions(query="constitution rivers"),
    "questions by a rare number": _questions(query="number 1777"),
    "questions by a word that none has": _questions(query="zzyzx"),
    "questions by words in a subject": _questions(query="rivers", subject_id=True),
    "passages": lambda reads, _, page: reads.passages.page(DEFAULT_INSTITUTE_ID, PassageFilter(), page),
    "tests": _tests(),
    "tests by popularity": _tests(TestSort.POPULAR),
    "tests by title": _tests(TestSort.TITLE),
    "tests that were taken": _tests(taken=True),
    "tests that were not taken": _tests(taken=False),
    "tests by title's words": _tests(query="mock"),
    "own attempts": _history(),
    "own attempts at a test": _history(at_test=True),
    "own graded attempts": _history("graded"),
    "attempts at a test": _candidates(),
    "submitted attempts at a test": _candidates("submitted"),
    "voided attempts at a test": _candidates("void"),
    "attempts at a test by a name": _candidates(query="Meena Khan"),
    "attempts at a test by a word that nobody has": _candidates(query="zzyzx"),
    "exams for staff": _exams(is_staff=True),
    "exams for a candidate": _exams(is_staff=False),
    "exams with a registration": _exams(is_staff=False, registered=True),
    "registrations": _registrations(),
    "registrations by number": _registrations("0000777"),
    "registrations by name": _registrations("Meena Khan"),
    "registrations by address": _registrations("person777@"),
    "registrations by a word that nobody has": _registrations("zzyzx"),
    "no-shows": _no_shows(),
    "no-shows by number": _no_shows("0000777"),
    "no-shows by a word that nobody has": _no_shows("zzyzx"),
    "audit": _audit(),
    "audit of a person": lambda reads, made, page: reads.audit.page(
        DEFAULT_INSTITUTE_ID, AuditFilter(actor_id=made.user_id), page
    ),
    "audit of an action": _audit(action="user_banned"),
    "audit of an action that nobody did": _audit(action="exam_released"),
    "audit of a kind that there is not": _audit(subject_kind="bank"),
    "audit of a subject": _audit(subject_id=DEFAULT_INSTITUTE_ID),
    "audit since yesterday": _audit(since=NOW - timedelta(days=1)),
    "audit of an exam": lambda reads, made, page: reads.audit.of_exam(made.exam_id, page),
    "notifications": _notifications(unread=None),
    "unread notifications": _notifications(unread=True),
    "read notifications": _notifications(unread=False),
}
