"""An exam that was sat on paper alone: questions known by number and key, a test, an exam and its paper."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.errors import AlreadyExists, Invalid
from app.core.ids import uuid7
from app.core.names import MAX_TITLE_LENGTH, checked_field
from app.engine.question_types import OPTION_LETTERS, choice_for
from app.models import ExamPaper, MappedSheet
from app.sentences import Sentence
from app.services import tests
from app.services.column_mappings import MappingMemory
from app.services.exams.answer_sheets.keys import KeyFile, read_key
from app.services.exams.answer_sheets.options import FileOptions, Order
from app.services.exams.answer_sheets.orders import orders_of_keys
from app.services.exams.answer_sheets.reading import letters_used
from app.services.exams.answer_sheets.series import series_name
from app.services.exams.editing import ExamDraft, ExamPaperDraft, add_paper, create, publish
from app.services.imports import sheet_errors_as_invalid
from app.services.questions.bank import version_values
from app.services.questions.content import Content, Key, fingerprint
from app.services.questions.syllabus import Syllabus
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

CODE = "PAPER"
DEFAULT_OPTIONS = "abcd"
# An exam that is published ends in the future; this one ends as soon as it may.
STILL_OPEN = timedelta(minutes=1)
PAIRED = (
    "The order of the questions in booklet series {series} was not given: questions with equal keys were"
    " paired. Marks and ranks are right; figures of single questions are not."
)


@dataclass(frozen=True, slots=True)
class PaperDraft:
    """What is known of a paper that was sat elsewhere: what is right, and how it is marked."""

    title: str
    keys: Mapping[str, bytes]
    """By booklet series, the first one in the order of the paper; the series is "" if there are none."""
    sheets: Sequence[bytes]
    """The files of answer sheets."""
    options: FileOptions
    subject: str
    marking: dict[str, Any]
    duration_seconds: int


@dataclass(frozen=True, slots=True)
class HeldPaper:
    """The paper that was made, and the order of its questions in each booklet series."""

    paper: ExamPaper
    orders: Mapping[str, Order]
    assumed: Sequence[str]
    """The series whose order is not known: questions with equal keys were paired."""


async def hold_on_paper(uow: UnitOfWork, author: Principal, draft: PaperDraft, now: datetime) -> HeldPaper:
    """Make a published exam with one paper, which nobody can enter and whose answer sheets can be imported.

    The options are as many as the key and the marks on the sheets ask for, at least a to d. Raises
    AlreadyExists for a title that an exam has: its sheets are imported into that.
    """
    title = checked_field("title", draft.title, MAX_TITLE_LENGTH)
    subject = checked_field("subject", draft.subject, MAX_TITLE_LENGTH)
    draft = replace(draft, title=title, subject=subject)
    # Of two such orders at the same time, the second finds the exam of the first.
    await uow.questions.lock_bank(author.institute_id)
    if (other := await uow.answer_sheets.exam_by_title(author.institute_id, draft.title)) is not None:
        papers = ", ".join(f"{paper.code} {paper.id}" for paper in await uow.exams.papers(other.id))
        template = (
            'There is an exam "{title}" already. Import into its paper ({papers}), or choose another title.'
        )
        raise AlreadyExists(Sentence(template, title=draft.title, papers=papers))
    with sheet_errors_as_invalid("key"):
        files = await _read_keys(draft)
    orders, assumed = orders_of_keys(files) if set(files) != {""} else ({}, [])
    keys = next(iter(files.values())).keys
    memory = await MappingMemory.load(
        uow, author, MappedSheet.ANSWER_SHEETS, is_given=draft.options.is_mapped
    )
    draft = replace(draft, options=replace(draft.options, saved=memory.columns))
    with sheet_errors_as_invalid():
        letters = await _letters(draft, len(keys))
    test_id = await _publish_test(uow, author, draft, keys, letters, now)
    paper = await _publish_exam(uow, author, draft, test_id, assumed, now)
    await tests.archive(uow, author, test_id)  # after the release it would stand in everybody's list
    return HeldPaper(paper, orders, assumed)


async def _read_keys(draft: PaperDraft) -> Mapping[str, KeyFile]:
    """The keys by booklet series; the only key has the series ""."""
    files = {series_name(name): content for name, content in draft.keys.items()}
    if len(files) < len(draft.keys):
        raise Invalid.field("key", "Name each booklet series once.")
    numbers_from = draft.options.numbers_from
    return {name: await asyncio.to_thread(read_key, content, numbers_from) for name, content in files.items()}


async def _letters(draft: PaperDraft, questions: int) -> set[str]:
    letters: set[str] = set()
    for sheets in draft.sheets:
        is_part = len(draft.sheets) > 1
        letters |= await asyncio.to_thread(letters_used, sheets, questions, draft.options, is_part=is_part)
    return letters


async def _publish_test(
    uow: UnitOfWork,
    author: Principal,
    draft: PaperDraft,
    keys: Sequence[Key],
    letters: Collection[str],
    now: datetime,
) -> UUID:
    answers = [answer for key in keys for answer in key.get("accepted", ())]
    last = max({*DEFAULT_OPTIONS, *(letter for answer in answers for letter in answer), *letters})
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
            "fingerprint": fingerprint(subject.id, content),
        }
        questions.append(question)
        versions.append(version_values(question_id, 1, content, author.author_id))
    await uow.questions.add(questions, versions)
    return new_ids


async def _publish_exam(
    uow: UnitOfWork,
    author: Principal,
    draft: PaperDraft,
    test_id: UUID,
    assumed: Sequence[str],
    now: datetime,
) -> ExamPaper:
    """The window lies behind us, as far as publishing allows it: entry has closed."""
    title = {"en": draft.title}
    starts_at, ends_at = now - timedelta(seconds=draft.duration_seconds), now + STILL_OPEN
    description = {"en": PAIRED.format(series=", ".join(assumed))} if assumed else None
    event = ExamDraft(title=title, description=description, opens_at=starts_at, closes_at=ends_at)
    exam = await create(uow, author, event)
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
