"""An exam that was sat on paper alone: questions known by number and key, a test, an exam and its paper."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.errors import AlreadyExists, FieldError, Invalid
from app.core.ids import uuid7
from app.core.names import LONGEST_TITLE, checked_field
from app.engine.dropped_keys import dropped_from_cell
from app.engine.question_types import OPTION_LETTERS, choice_for, key_answers
from app.models import ExamPaper
from app.sentences import Sentence
from app.services import tests
from app.services.exams.answer_sheets.reading import letters_marked
from app.services.exams.editing import ExamDraft, ExamPaperDraft, add_paper, create, publish
from app.services.imports import sheet_errors_as_invalid
from app.services.questions.bank import version_values
from app.services.questions.content import Content, Key, fingerprint
from app.services.questions.syllabus import Syllabus
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from app.sheets.cells import unescape_formula
from app.sheets.files import read_records
from app.sheets.records import non_empty

SHEET = "key"
CODE = "PAPER"
FEWEST_OPTIONS = "abcd"
MOST_QUESTIONS = 500
# An exam that is published ends in the future; this one ends as soon as it may.
STILL_OPEN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PaperDraft:
    """What is known of a paper that was sat elsewhere: what is right, and how it is marked."""

    title: str
    key: bytes
    sheets: bytes
    """The answer sheets, and where the answers stand in them."""
    roll_number: str | None
    columns: str | None
    subject: str
    marking: dict[str, Any]
    duration_seconds: int


async def hold_on_paper(uow: UnitOfWork, author: Principal, draft: PaperDraft, now: datetime) -> ExamPaper:
    """Make a published exam with one paper, which nobody can enter and whose answer sheets can be imported.

    The options are as many as the key and the marks on the sheets ask for, at least a to d. Raises
    AlreadyExists for a title that an exam has: its sheets are imported into that.
    """
    title = checked_field("title", draft.title, LONGEST_TITLE)
    subject = checked_field("subject", draft.subject, LONGEST_TITLE)
    draft = replace(draft, title=title, subject=subject)
    # Of two such orders at the same time, the second finds the exam of the first.
    await uow.questions.lock_bank(author.institute_id)
    if (other := await uow.answer_sheets.exam_by_title(author.institute_id, draft.title)) is not None:
        papers = ", ".join(f"{paper.code} {paper.id}" for paper in await uow.exams.papers(other.id))
        template = (
            'There is an exam "{title}" already. Import into its paper ({papers}), or choose another title.'
        )
        raise AlreadyExists(Sentence(template, title=draft.title, papers=papers))
    with sheet_errors_as_invalid():
        keys = await asyncio.to_thread(read_key, draft.key)
        letters = await asyncio.to_thread(
            letters_marked, draft.sheets, len(keys), draft.roll_number, draft.columns
        )
    test_id = await _publish_test(uow, author, draft, keys, letters, now)
    paper = await _publish_exam(uow, author, draft, test_id, now)
    await tests.archive(uow, author, test_id)  # after the release it would stand in everybody's list
    return paper


def read_key(file: bytes) -> list[Key]:
    """The keys of a file with a column `key`, in its order: `b`, `bd`, `b|d` or `dropped`."""
    records = read_records(file, SHEET)
    header = [cell.strip().casefold() for cell in next(records).cells]
    if header.count("key") != 1:
        raise Invalid.field("key", 'The file of the key has one column "key", with a row for each question.')
    place, keys, errors = header.index("key"), [], []
    for record in non_empty(records):
        cell = unescape_formula(record.cell(place).strip())
        answers = key_answers(cell)
        if (dropped_key := dropped_from_cell(cell)) is not None:
            keys.append(dropped_key)
        elif record.unreadable or record.cell_errors:
            problem = record.unreadable or next(iter(record.cell_errors.values()))
            errors.append(_row_error(record.row, problem))
        elif not answers or not {letter for answer in answers for letter in answer} <= {*OPTION_LETTERS}:
            template = 'Write "b", "bd" for exactly both, "b|d" for either, of {letters}, or "dropped".'
            errors.append(_row_error(record.row, Sentence(template, letters=OPTION_LETTERS)))
        else:
            keys.append(choice_for(answers).normalized_key({"accepted": answers}))
    if errors:
        raise Invalid("The key cannot be used.", errors=errors[:50])
    if not 1 <= len(keys) <= MOST_QUESTIONS:
        raise Invalid.field(
            "key",
            Sentence(
                "A paper has 1 to {most} questions. These are {count}.", most=MOST_QUESTIONS, count=len(keys)
            ),
        )
    return keys


def _row_error(row: int, problem: str) -> FieldError:
    return FieldError("key", Sentence("Row {row}: {problem}", row=row, problem=Sentence(problem)))


async def _publish_test(
    uow: UnitOfWork,
    author: Principal,
    draft: PaperDraft,
    keys: Sequence[Key],
    letters: Collection[str],
    now: datetime,
) -> UUID:
    answers = [answer for key in keys for answer in key.get("accepted", ())]
    last = max({*FEWEST_OPTIONS, *(letter for answer in answers for letter in answer), *letters})
    options = [letter for letter in OPTION_LETTERS if letter <= last]
    question_ids = await _add_questions(uow, author, draft, keys, options)
    title = {"en": draft.title}
    test = await tests.create(
        uow,
        author,
        tests.TestDraft(
            title=title,
            kind="full",
            duration_seconds=draft.duration_seconds,
            marking=draft.marking,
            sections=[tests.SectionDraft(name=title, question_ids=question_ids)],
            review="after_release",
        ),
    )
    await tests.publish(uow, author, test.id, now)
    return test.id


async def _add_questions(
    uow: UnitOfWork, author: Principal, draft: PaperDraft, keys: Sequence[Key], options: Sequence[str]
) -> list[UUID]:
    """Questions that say no more than their number; what was asked stays on the paper."""
    kind = choice_for([answer for key in keys for answer in key.get("accepted", ())])
    syllabus = await Syllabus.load(uow, author.institute_id)
    subject = syllabus.subject(draft.subject)
    await syllabus.save(uow)
    questions, versions = [], []
    new_ids = sorted(uuid7() for _ in keys)
    for number, (question_id, key) in enumerate(zip(new_ids, keys, strict=True), start=1):
        content = Content(
            type=kind.name,
            text={"en": f"Question {number} of {draft.title}"},
            options=[{"id": letter, "text": {"en": letter.upper()}} for letter in options],
            key=key,
        )
        question = {
            "id": question_id,
            "institute_id": author.institute_id,
            "created_by": author.author_id,
            "subject_id": subject.id,
            "external_id": f"paper-{new_ids[0]}-{number}",  # no sheet of questions takes it for its own
            "source": draft.title,
            "status": "active",
            "fingerprint": fingerprint(subject.id, content.text),
        }
        questions.append(question)
        versions.append(version_values(question_id, 1, content, author.author_id))
    await uow.questions.add(questions, versions)
    return new_ids


async def _publish_exam(
    uow: UnitOfWork, author: Principal, draft: PaperDraft, test_id: UUID, now: datetime
) -> ExamPaper:
    """The window lies behind us, as far as publishing allows it: entry has closed."""
    title = {"en": draft.title}
    starts_at, ends_at = now - timedelta(seconds=draft.duration_seconds), now + STILL_OPEN
    exam = await create(uow, author, ExamDraft(title=title, opens_at=starts_at, closes_at=ends_at))
    placed = ExamPaperDraft(
        code=CODE,
        title=title,
        test_id=test_id,
        starts_at=starts_at,
        entry_closes_at=now,
        ends_at=ends_at,
    )
    paper = await add_paper(uow, author, exam.id, placed)
    await publish(uow, author, exam.id, now)
    return paper
