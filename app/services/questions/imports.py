"""Importing a sheet of questions: all of it or nothing, and a second time changes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

from app.models import Chapter, Question, Subject
from app.services.questions.bank import bank_reader
from app.services.questions.columns import Columns
from app.services.questions.images import ImagesZip, SheetImages
from app.services.questions.plans import Entry, Identity, Plan, planned, repeated
from app.services.questions.rows import EmptyKey, RowError, SheetRow
from app.services.questions.sheets import read_sheet
from app.services.questions.syllabus import Syllabus
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

MOST_ERRORS = 1_000
VERY_SIMILAR = 0.8
_CHECKED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RowWarning:
    """Something to look at in one row; `question_id` is the question of the bank that is meant, if any."""

    row: int
    field: str
    message: str
    question_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or with `dry_run` would do. Where there are errors it did nothing."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: Sequence[RowError] = ()
    warnings: Sequence[RowWarning] = ()
    """Files that no row names, and rows very similar to other questions: imported all the same."""
    question_ids: Sequence[UUID] = ()
    """In the order of the sheet; empty after a dry run."""


async def import_questions(
    uow: UnitOfWork,
    author: Principal,
    file: bytes,
    *,
    dry_run: bool = False,
    subject: str | None = None,
    empty_key: EmptyKey = EmptyKey.ERROR,
    images: ImagesZip | None = None,
) -> ImportReport:
    """Bring a sheet into the bank. With `subject`, the subject of a row becomes its chapter.

    A question is known by `external_id`, else by `source` and `number`, else by its subject and text, and a
    row finds only a question that is known the same way.
    """
    pictures = SheetImages(images)
    sheet = await asyncio.to_thread(read_sheet, file, empty_key=empty_key, needs_subject=subject is None)
    if sheet.errors:
        return _refused(sheet.errors)
    # Before the lock: to look at many images takes a while.
    unusable = await pictures.check(uow, author.institute_id, sheet.rows)
    await uow.questions.lock_bank(author.institute_id)
    rows, errors = await _with_passages(uow, author.institute_id, sheet.rows)
    syllabus = await Syllabus.load(uow, author.institute_id)
    entries = _placed(rows, syllabus, sheet.columns, subject)
    errors += [*unusable, *repeated(entries)]
    if errors:
        return _refused(errors)
    known = await _known(uow, author.institute_id, entries)
    if withheld := await _withheld(uow, author, entries, known):
        return _refused(withheld)
    if not dry_run:
        await pictures.store(uow, author)
    entries = [_illustrated(entry, pictures) for entry in entries]
    plan = planned(entries, known, sheet.columns, Plan(author.institute_id, author.author_id))
    if dry_run:
        async with uow.questions.undone():
            return replace(await _written(uow, syllabus, plan, pictures), question_ids=())
    return await _written(uow, syllabus, plan, pictures)


async def _written(uow: UnitOfWork, syllabus: Syllabus, plan: Plan, pictures: SheetImages) -> ImportReport:
    await syllabus.save(uow)
    await uow.questions.add(plan.questions, plan.first_versions)
    await uow.questions.add_versions(plan.next_versions)
    await uow.questions.change(plan.changes)
    return ImportReport(
        created=len(plan.questions),
        updated=len(plan.changes),
        unchanged=len(plan.question_ids) - len(plan.questions) - len(plan.changes),
        warnings=[*_unused(pictures), *await _warnings(uow, plan)],
        question_ids=plan.question_ids,
    )


def _illustrated(entry: Entry, pictures: SheetImages) -> Entry:
    content = replace(entry.row.content, media=pictures.of(entry.row))
    return replace(entry, row=replace(entry.row, content=content))


def _unused(pictures: SheetImages) -> list[RowWarning]:
    return [RowWarning(1, "images", pictures.unused)] if pictures.unused else []


async def _warnings(uow: UnitOfWork, plan: Plan) -> list[RowWarning]:
    """What an author should look at, in the order of the rows."""
    if not plan.question_ids:
        return [RowWarning(1, "file", "the sheet has a header and no questions")]
    warnings = []
    reworded = plan.reworded
    for start in range(0, len(reworded), _CHECKED_AT_ONCE):
        some = reworded[start : start + _CHECKED_AT_ONCE]
        for pair in await uow.likeness.nearest(plan.institute_id, some, VERY_SIMILAR):
            row = plan.row_of.get(pair.other_id)
            other = "another question of the bank" if row is None else f"the question in row {row}"
            message = f"very similar to {other} ({pair.similarity:.0%})"
            known = None if row is not None else pair.other_id
            warnings.append(RowWarning(plan.row_of[pair.question_id], "question", message, known))
    return sorted(warnings, key=lambda warning: warning.row)


async def _withheld(
    uow: UnitOfWork, author: Principal, entries: Sequence[Entry], known: dict[Identity, Question]
) -> list[RowError]:
    """Rows of questions under embargo: whether one would change them tells what is right."""
    ids = {question.id for question in known.values()}
    withheld = await uow.questions.withheld(bank_reader(author), ids)
    message = "the question is in an exam that is not released; its test's author or an admin can change it"
    return [
        RowError(entry.row.row, "file", message)
        for entry in entries
        if (question := known.get(entry.identity)) is not None and question.id in withheld
    ]


def _refused(errors: list[RowError]) -> ImportReport:
    """Nothing was done."""
    return ImportReport(errors=first_errors(errors))


def first_errors(errors: Sequence[RowError]) -> list[RowError]:
    """Of very many errors the first ones will do."""
    shown = sorted(errors, key=lambda error: error.row)[:MOST_ERRORS]
    if len(errors) > len(shown):
        more = len(errors) - len(shown)
        shown.append(RowError(shown[-1].row, "file", f"there are {more:,} more errors after these"))
    return shown


async def _with_passages(
    uow: UnitOfWork, institute_id: UUID, rows: Sequence[SheetRow]
) -> tuple[list[SheetRow], list[RowError]]:
    """The rows with the passages that they name."""
    names = {row.passage for row in rows if row.passage is not None}
    known = await uow.questions.passages_named(institute_id, names) if names else {}
    found = [
        replace(row, content=replace(row.content, passage_id=known.get(row.passage))) if row.passage else row
        for row in rows
    ]
    missing = [row for row in rows if row.passage and row.passage not in known]
    return found, [RowError(row.row, "passage_id", f'there is no passage "{row.passage}"') for row in missing]


def _placed(rows: Sequence[SheetRow], syllabus: Syllabus, columns: Columns, whole: str | None) -> list[Entry]:
    """Each row in its subject and chapter; with a subject for the whole sheet, a row's own is a chapter."""
    says_chapter = "chapter" in columns or (whole is not None and "subject" in columns)

    @cache
    def place(own: str | None, chapter_name: str | None) -> tuple[Subject, Chapter | None]:
        subject = syllabus.subject(whole or own or "")
        chapter = syllabus.chapter(subject, own) if whole is not None and own is not None else None
        if chapter_name is not None:
            chapter = syllabus.chapter(subject, chapter_name, parent=chapter)
        return subject, chapter

    entries = []
    for row in rows:
        subject, chapter = place(row.subject, row.chapter)
        entries.append(Entry(row, subject.id, chapter.id if chapter else None, says_chapter))
    return entries


async def _known(uow: UnitOfWork, institute_id: UUID, entries: Sequence[Entry]) -> dict[Identity, Question]:
    """The questions that are there, by what they are known by: a statement for each kind of identity."""
    wanted: dict[str, list[Identity]] = {"external_id": [], "source": [], "text": []}
    for entry in entries:
        wanted[entry.identity[0]].append(entry.identity)
    named = await uow.questions.by_external_id(institute_id, [name for _, name in wanted["external_id"]])
    sourced = await uow.questions.by_source(institute_id, [place[1:] for place in wanted["source"]])
    others = await uow.questions.by_fingerprint(institute_id, [print_ for _, print_ in wanted["text"]])
    return {
        **{("external_id", question.external_id): question for question in named},
        **{("source", question.source, question.source_number): question for question in sourced},
        **{("text", question.fingerprint): question for question in others},
    }
