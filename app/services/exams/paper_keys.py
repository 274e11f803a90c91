"""The keys of an exam's paper as its candidates see them, beside their own answers and without marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import NotFound, NotRegistered
from app.core.objection_errors import KeyNotShown
from app.engine.objections import ObjectionRules
from app.models import Attempt, AttemptStatus, Exam, ExamPaper, ObjectionCluster
from app.repositories.embargo import CANDIDATE
from app.services.attempts import response_sheets
from app.services.components import Components
from app.services.exams.catalog import exam_viewer
from app.services.exams.key_stages import objection_rules
from app.services.tests.papers import CompiledKey
from app.services.unit_of_work import Reading
from app.services.users import Principal

Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeyOfQuestion:
    """One question with the own answer and the keys. A key that is not published is None."""

    question_id: UUID
    number: int
    section_id: UUID
    answer: Any
    provisional_key: Key | None
    final_key: Key | None


@dataclass(frozen=True, slots=True)
class KeyOfPaper:
    """What a candidate sees from the stage `provisional_key` on: keys and answers, and nothing of a score.

    `decisions` are those on objections to the paper; they are shown with the final key.
    """

    exam: Exam
    paper: ExamPaper
    attempt: Attempt
    rules: ObjectionRules | None
    questions: Sequence[KeyOfQuestion]
    decisions: Sequence[ObjectionCluster]


async def paper_key(
    reads: Reading, parts: Components, user: Principal, exam_id: UUID, paper_id: UUID
) -> KeyOfPaper:
    """The keys of a paper for a registered candidate with an official attempt that is over and not void.

    Raises KeyNotShown before the stage `provisional_key`, and while another exam withholds a question.
    """
    exam, paper = await reads.exams.paper(exam_viewer(user), exam_id, paper_id)
    registration = await reads.registrations.of(exam.id, user.id)
    if registration is None:
        raise NotRegistered
    shown_ids = await shown_key_ids(reads, exam, paper)
    attempts = await reads.exam_attempts.of_registration(exam.id, registration.id)
    attempt = next((each for each in attempts if each.exam_paper_id == paper.id and _has_ended(each)), None)
    if attempt is None:
        raise NotFound("attempt")
    provisional, final = [
        await parts.papers.key(reads, key_id) if key_id is not None else None for key_id in shown_ids
    ]
    sheet = await response_sheets.compose(reads, parts, attempt)
    questions = [
        KeyOfQuestion(
            question_id=entry.question_id,
            number=entry.number,
            section_id=entry.section_id,
            answer=entry.answer,
            provisional_key=_key(provisional, entry.question_id),
            final_key=_key(final, entry.question_id),
        )
        for entry in sheet.entries
    ]
    decisions = await reads.objections.decided(paper.test_id) if final is not None else []
    return KeyOfPaper(exam, paper, attempt, objection_rules(exam), questions, decisions)


async def shown_key_ids(reads: Reading, exam: Exam, paper: ExamPaper) -> tuple[UUID | None, UUID | None]:
    """The ids of the provisional and the final key of a paper that candidates see now.

    Raises KeyNotShown if they see neither. This is the one place before the release where candidates of an
    exam get its keys. While another exam withholds a question of this one, they get none.
    """
    if exam.key_stage is None or exam.cancelled_at is not None:
        raise KeyNotShown
    if await reads.embargo.withholds_exam(CANDIDATE, exam.id):
        raise KeyNotShown
    return paper.provisional_key_id, paper.final_key_id


def _has_ended(attempt: Attempt) -> bool:
    return attempt.status in (AttemptStatus.SUBMITTED, AttemptStatus.GRADED)


def _key(version: CompiledKey | None, question_id: UUID) -> Key | None:
    found: Key | None = version.answer_key[str(question_id)]["key"] if version is not None else None
    return found
