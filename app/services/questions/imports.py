"""Import of a sheet of questions, completely or not at all. A second import changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from uuid import UUID

from app.core import full_collections
from app.core.errors import Invalid
from app.core.names import MAX_TITLE_LENGTH, checked_field
from app.core.process_pool import ProcessPool
from app.models import Chapter, MappedSheet, Question, Subject
from app.sentences import Sentence
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.column_mappings import MappedHeader, MappingMemory
from app.services.imports import read_in_child, sheet_errors_as_invalid
from app.services.questions.columns import IGNORED, IN_A_TEST, UnknownColumn, checked_mapping
from app.services.questions.content import content_of, fingerprint, older_fingerprint
from app.services.questions.images import ImagesZip, SheetImages
from app.services.questions.item_files import BY_CONTENT, FileKind, FileOptions, read_items
from app.services.questions.plans import Entry, Identity, QuestionImportPlan, planned, repeated, status_of
from app.services.questions.reading import ImportStage, QuestionSheet, QuestionSheetOptions, read_questions
from app.services.questions.rows import EmptyKey
from app.services.questions.sheet_passages import SheetPassages
from app.services.questions.syllabus import Syllabus
from app.services.questions.writing import written
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from app.sheets.grouping import completed
from app.sheets.progress import ReportProgress, no_progress
from app.sheets.reports import ImportReport, RowError, RowWarning

# The ORM creates its objects on the event loop. In parts, so that other requests are served in between.
_FOUND_AT_ONCE = 500


@full_collections.disabled_in
async def import_questions(
    uow: UnitOfWork,
    author: Principal,
    file: bytes,
    *,
    dry_run: bool = False,
    subject: str | None = None,
    empty_key: EmptyKey = EmptyKey.ERROR,
    images: ImagesZip | None = None,
    mapping: Mapping[str, str] | None = None,
    files: ProcessPool | None = None,
    progress: ReportProgress = no_progress,
    for_test: bool = False,
    options: FileOptions = BY_CONTENT,
) -> ImportReport:
    """Import a sheet into the bank. With `subject`, the subject of a row becomes its chapter.

    The file may also be in a format of another program (`options`), which may have images within it.

    `mapping` gives the column of each header that has another name, or `ignore`. It is saved; without one,
    that of an earlier sheet with the same headers is used. `for_test`: the caller makes a test with the
    sections and marks of the sheet (`items_in_test`); otherwise a warning names them.

    A question is identified by `external_id`, else by `source` and `number`, else by its subject, passage,
    text and options. A row matches only a question with the same kind of identity. Long computations run in
    threads, because the event loop of the API serves other requests. With `files`, the sheet is read in a
    child process that has limits of time and memory; without, in this process, as the command line does.
    """
    subject = checked_field("subject", subject, MAX_TITLE_LENGTH) if subject is not None else None
    memory = await MappingMemory.load(uow, author, MappedSheet.QUESTIONS, is_given=mapping is not None)
    own_names = _checked_mapping(mapping or {})
    how = QuestionSheetOptions(
        empty_key,
        subject is None,
        own_names,
        options.legacy_font,
        options.storage is not None,
        memory.columns,
    )
    source = options.format_of(file)
    if source is None:
        sheet = await _read(files, author, file, how, progress)
    elif options.legacy_font is not None:
        raise Invalid.field("legacy_font", "Only the columns of a sheet can be converted.")
    else:
        sheet, own = await read_items(
            files, author.id, file, options, source, empty_key=empty_key, needs_subject=subject is None
        )
        images = _one_zip(images, own)
    taken = source.name if source is not None else FileKind.SHEET
    sheet_images = await asyncio.to_thread(SheetImages, images, files, sheet.images, options.storage)
    used = _of_sheets(memory.used(sheet.headers))
    passages = SheetPassages.of_sheet(sheet, sheet_images)
    if errors := [*sheet.errors, *passages.errors]:
        return completed(ImportReport(errors=errors, warnings=used, format=taken), sheet)
    sheet.warnings += used
    if not for_test:
        sheet.warnings += _only_in_a_test(sheet)
    # Before the lock, because checking many images takes long.
    unusable = await sheet_images.check(uow, author, sheet.rows)
    await uow.questions.lock_bank(author.institute_id)
    await passages.find(uow, author.institute_id, sheet.rows)
    syllabus = await Syllabus.load(uow, author.institute_id)
    entries, errors = await asyncio.to_thread(_placed, sheet, passages, syllabus, subject)
    if errors := [*errors, *unusable]:
        return completed(ImportReport(errors=errors, warnings=used, format=taken), sheet)
    known = await _known(uow, author.institute_id, entries, progress)
    if not await uow.questions.lock_unchanged(known.values()):  # One was changed after it was read.
        known = await _known(uow, author.institute_id, entries, progress)
    errors = await _with_retired_passages(uow, author, entries, known)
    errors += await passages.compare(uow, [question.id for question in known.values()])
    if errors := [*errors, *await _withheld(uow, author, entries, known)]:
        return completed(ImportReport(errors=errors, warnings=used, format=taken), sheet)
    if not dry_run:
        await sheet_images.store(uow, author)
    plan = QuestionImportPlan(author.institute_id, author.author_id, warnings=sheet.warnings)
    await asyncio.to_thread(planned, plan, entries, known, sheet.layouts, sheet_images)
    plan.take(passages, sheet_images)
    names = QuestionSheet(sheet.layout, header=sheet.header, further=sheet.further)
    mapped = _mapped(sheet)
    del sheet, entries, known  # Frees memory: the plan has what is needed, and writing takes long.
    if not dry_run:
        report = await written(uow, syllabus, plan, sheet_images, progress)
        _record(uow, author, plan, report)
        warnings = [*report.warnings, *_of_sheets(await memory.save(uow, author, mapped))]
        return completed(replace(report, warnings=warnings, format=taken), names)
    async with uow.questions.rolled_back():
        report = await written(uow, syllabus, plan, sheet_images, progress)
    return completed(replace(report.of_dry_run(), format=taken), names)


def _one_zip(sent: ImagesZip | None, own: ImagesZip | None) -> ImagesZip | None:
    """The images of the file itself. A ZIP beside such a file has nothing that it could name."""
    if sent is not None:
        raise Invalid.field("images", "Files of this format have their images within them. Send no ZIP.")
    return own


def _only_in_a_test(sheet: QuestionSheet) -> list[RowWarning]:
    used_by = "used only by `ias import questions --publish-as-test`; the bank does not keep"
    warnings = [
        RowWarning(layout.row, name, f"this column is {used_by} it", sheet=number)
        for number, layout in enumerate(sheet.layouts, start=1)
        for name in IN_A_TEST
        if name in layout.plain
    ]
    if sheet.further:
        titles = " and ".join(dict.fromkeys(f'"{row.title}"' for row in sheet.rows))
        message = f"the sheets {titles} are read; sections by sheet are {used_by} them"
        warnings.append(RowWarning(sheet.header_row, "file", message))
    return warnings


def _record(uow: UnitOfWork, author: Principal, plan: QuestionImportPlan, report: ImportReport) -> None:
    audit.record(
        uow,
        author,
        "import",
        AuditSubject("bank"),
        created=report.created,
        updated=report.updated,
        keys_changed=len(plan.new_keys),
    )
    for question_id, version in plan.new_keys.items():
        audit.record(uow, author, "change_key", AuditSubject("question", question_id), version=version)


async def _read(
    files: ProcessPool | None,
    author: Principal,
    file: bytes,
    how: QuestionSheetOptions,
    progress: ReportProgress,
) -> QuestionSheet:
    if files is not None:
        return await read_in_child(files, author.id, read_questions, file, how)
    with sheet_errors_as_invalid():
        return await asyncio.to_thread(read_questions, file, how, progress)


def _of_sheets(warnings: Sequence[RowWarning]) -> list[RowWarning]:
    """The warnings about headers, which are numbered: here they are those of the sheets of one file."""
    return [replace(warning, file=1, sheet=warning.file) for warning in warnings]


def _mapped(sheet: QuestionSheet) -> list[MappedHeader]:
    """The columns that the mapping names, by the headers as the sheets have them."""
    found = []
    for header, columns in zip(sheet.headers, sheet.layouts, strict=False):
        named = {header.cells[at].strip(): columns.fields.get(at, IGNORED) for at in columns.mapped}
        found.append(MappedHeader(header, named))
    return found


def _checked_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    try:
        return checked_mapping(mapping)
    except UnknownColumn as error:
        raise Invalid.field(
            "mapping",
            Sentence(
                'There is no column "{column}" to which "{header}" could be mapped. Name a column such as'
                ' option_a_hi, or "ignore".',
                column=error.column[:50],
                header=error.header[:50],
            ),
        ) from None


def _placed(
    sheet: QuestionSheet, passages: SheetPassages, syllabus: Syllabus, whole: str | None
) -> tuple[list[Entry], list[RowError]]:
    """Find the subject and chapter of each row. With `whole`, a row's subject is a chapter of `whole`."""
    says_chapter = [
        "chapter" in layout or (whole is not None and "subject" in layout) for layout in sheet.layouts
    ]

    @cache
    def place(own: str | None, chapter_name: str | None) -> tuple[Subject, Chapter | None]:
        subject = syllabus.subject(whole or own or "")
        chapter = syllabus.chapter(subject, own) if whole is not None and own is not None else None
        if chapter_name is not None:
            chapter = syllabus.chapter(subject, chapter_name, parent=chapter)
        return subject, chapter

    entries = []
    for row in sheet.rows:
        subject, chapter = place(row.subject, row.chapter)
        in_chapter = chapter.id if chapter else None
        passage = passages.id_of(row)
        says = says_chapter[row.sheet - 1]
        entries.append(Entry.of(row, subject.id, in_chapter, passage, says_chapter=says))
    return entries, [*passages.errors, *repeated(entries)]


async def _known(
    uow: UnitOfWork, institute_id: UUID, entries: Sequence[Entry], progress: ReportProgress
) -> dict[Identity, Question]:
    """The questions of the bank that the entries match, by identity. One statement for each kind."""
    known: dict[Identity, Question] = {}
    for start in range(0, len(entries), _FOUND_AT_ONCE):
        some = entries[start : start + _FOUND_AT_ONCE]
        wanted: dict[str, list[Identity]] = {"external_id": [], "source": [], "text": []}
        for entry in some:
            wanted[entry.identity[0]].append(entry.identity)
        for question in await uow.questions.by_external_id(
            institute_id, [name for _, name in wanted["external_id"]]
        ):
            known["external_id", question.external_id] = question
        for question in await uow.questions.by_source(
            institute_id, [place[1:] for place in wanted["source"]]
        ):
            known["source", question.source, question.source_number] = question
        known |= await _known_by_text(uow, institute_id, some)
        progress(ImportStage.FINDING, start + len(some), len(entries))
    return known


async def _known_by_text(
    uow: UnitOfWork, institute_id: UUID, entries: Sequence[Entry]
) -> dict[Identity, Question]:
    """The questions whose subject, passage, text and options are those of an entry."""
    by_text = [entry for entry in entries if entry.identity[0] == "text"]
    hashes = {entry.identity[1] for entry in by_text}
    older = {older_fingerprint(entry.subject_id, entry.row.content.text) for entry in by_text}
    known: dict[Identity, Question] = {}
    for question in await uow.questions.by_fingerprint(institute_id, hashes | older):
        found = question.fingerprint
        if found not in hashes:
            found = fingerprint(question.subject_id, content_of(question.version))
        known["text", found] = question
    return known


async def _with_retired_passages(
    uow: UnitOfWork, author: Principal, entries: Sequence[Entry], known: Mapping[Identity, Question]
) -> list[RowError]:
    """Errors of active or draft rows whose passage is retired.

    A retired question may have a retired passage: otherwise an export could not be imported again.
    """
    in_use = [
        (entry.row.place, entry.passage_id or (question.version.passage_id if question else None))
        for entry in entries
        for question in [known.get(entry.identity)]
        if status_of(entry.row, question) != "retired"
    ]
    named = {passage_id for _, passage_id in in_use if passage_id}
    if named:
        await uow.questions.lock_passages_shared(author.institute_id, named)
    passages = await uow.questions.passages(author.institute_id, named) if named else {}
    retired = {passage.id: passage.name for passage in passages.values() if passage.is_retired}
    return [
        row.error(
            "passage_id",
            f'the passage "{retired[passage_id]}" is retired; bring it back, or name another',
        )
        for row, passage_id in in_use
        if passage_id in retired
    ]


async def _withheld(
    uow: UnitOfWork, author: Principal, entries: Sequence[Entry], known: Mapping[Identity, Question]
) -> list[RowError]:
    """Errors of rows whose question is under embargo: whether the row would change it tells its key."""
    ids = {question.id for question in known.values()}
    withheld = await embargo.withheld(uow, author, ids)
    message = "the question is in an exam that is not released; its test's author or an admin can change it"
    return [
        entry.row.place.error("file", message)
        for entry in entries
        if (question := known.get(entry.identity)) is not None and question.id in withheld
    ]
