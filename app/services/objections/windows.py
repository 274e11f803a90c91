"""In which window a candidate objects: that of an exam, or that of an attempt at a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Forbidden, NotFound
from app.core.objection_errors import KeyNotShown, ObjectionsClosed
from app.engine.objections import ObjectionRules, ObjectionWindow, attempt_window, exam_window
from app.models import Attempt, Exam, ExamPaper, Test
from app.repositories.objections import PlaceOfAttempt
from app.services import attempts, tests
from app.services.attempts.starting import lock_candidate
from app.services.components import Components
from app.services.exams.key_stages import KeyStage, objection_rules
from app.services.exams.paper_keys import shown_key_ids
from app.services.tests.papers import CompiledKey
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

Refusal = KeyNotShown | ObjectionsClosed


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that is open for a candidate, with the key that the candidate sees in it."""

    attempt: Attempt
    exam: Exam | None
    exam_paper: ExamPaper | None
    rules: ObjectionRules
    key: CompiledKey

    @property
    def exam_paper_id(self) -> UUID | None:
        return self.exam_paper.id if self.exam_paper is not None else None


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a candidate's attempts at one test, by exam paper. None stands for the test itself."""

    found: Mapping[UUID | None, OpenWindow | Refusal]

    def first(self) -> OpenWindow:
        """The open window of the latest attempt. Raises why the latest attempt has none."""
        is_open = [each for each in self.found.values() if isinstance(each, OpenWindow)]
        return is_open[0] if is_open else self.of(next(iter(self.found)))

    def of(self, exam_paper_id: UUID | None) -> OpenWindow:
        """The window of an exam paper, or of the test. Raises why it is not open."""
        found = self.found.get(exam_paper_id, KeyNotShown())
        if not isinstance(found, OpenWindow):
            raise found
        return found


async def lock_windows(
    uow: UnitOfWork, parts: Components, candidate: Principal, test_id: UUID, now: datetime
) -> Windows:
    """Lock the windows of the candidate's attempts at a test.

    Staff who change a window wait, and those who decide.
    """
    await uow.objections.lock_to_object(test_id, await uow.objections.exams_taken(candidate.id, test_id))
    await lock_candidate(uow, candidate.id)
    places = await uow.objections.places(candidate.id, test_id)
    if not places:
        return Windows({})
    test = await uow.objections.test(test_id)
    found: dict[UUID | None, OpenWindow | Refusal] = {}
    for place in places:
        exam_paper_id = place.attempt.exam_paper_id
        if isinstance(found.get(exam_paper_id), OpenWindow):
            continue
        try:
            found[exam_paper_id] = await _open_window(uow, parts, candidate, test, place, now)
        except (KeyNotShown, ObjectionsClosed) as refusal:
            found.setdefault(exam_paper_id, refusal)
    return Windows(found)


async def check_participant(
    uow: UnitOfWork, candidate: Principal, test_id: UUID, windows: Windows, now: datetime
) -> None:
    """Raise NotFound or Forbidden for those who have no attempt at the test that has ended."""
    if not windows.found:
        await uow.tests.accessible(tests.viewer(candidate), test_id, now)
        raise Forbidden("Only candidates whose attempt at the test has ended may object to its key.")


async def _open_window(
    uow: UnitOfWork, parts: Components, candidate: Principal, test: Test, place: PlaceOfAttempt, now: datetime
) -> OpenWindow:
    if place.exam is not None and place.exam_paper is not None:
        rules = objection_rules(place.exam)
        key = await _key_at_exam(uow, parts, candidate, place.attempt, place.exam, place.exam_paper)
        window = exam_window(rules) if rules is not None else None
        is_final = place.exam.key_stage == KeyStage.FINAL
    else:
        rules = ObjectionRules.of(test.objections) if test.objections is not None else None
        key = await attempts.reviewed_key(uow, parts, candidate, place.attempt)
        window = _window_of_attempt(rules, place.attempt)
        is_final = False
    if key is None:
        raise KeyNotShown
    if rules is None or window is None:
        raise ObjectionsClosed(None, None, now)
    if is_final or not window.is_open(now):
        raise ObjectionsClosed(window.opens_at, window.closes_at, now)
    return OpenWindow(place.attempt, place.exam, place.exam_paper, rules, key)


def _window_of_attempt(rules: ObjectionRules | None, attempt: Attempt) -> ObjectionWindow | None:
    if rules is None or attempt.submitted_at is None:
        return None
    return attempt_window(rules, attempt.submitted_at)


async def _key_at_exam(
    reads: Reading, parts: Components, candidate: Principal, attempt: Attempt, exam: Exam, paper: ExamPaper
) -> CompiledKey | None:
    """The key that a candidate of an exam sees: of the stage before the release, of the review after it."""
    reviewed = await attempts.reviewed_key(reads, parts, candidate, attempt)
    if reviewed is not None:
        return reviewed
    provisional, final = await shown_key_ids(reads, exam, paper)
    key_id = final or provisional
    return await parts.papers.key(reads, key_id) if key_id is not None else None


def check_question(key: CompiledKey, question_id: UUID) -> None:
    """Raise NotFound unless the key has the question."""
    if str(question_id) not in key.answer_key:
        raise NotFound("question")
