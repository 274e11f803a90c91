"""Applies the file of a test: finds its questions, creates or changes the test, and publishes it."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from app.cli.authoring.yaml_file import BadFile, Location, Mistake, Source, name_of, read
from app.core.errors import DomainError
from app.repositories.questions import QuestionFilter
from app.schemas.authoring import MAX_QUESTIONS, ComposedTestFile, FilterFile, ImportFile, SectionFile
from app.services import questions, tests
from app.services.components import Components
from app.services.questions import EmptyKey, ImagesZip
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator

MAX_SHEET_BYTES = 25_000_000


class Composer:
    """Applies files of tests in one transaction, and collects what was done."""

    def __init__(self, uow: UnitOfWork, parts: Components, *, publish: bool) -> None:
        self._uow = uow
        self._parts = parts
        self._publish = publish
        self._author = operator()
        self._questions_changed = False
        self.report: list[str] = []

    async def compose(self, path: Path) -> None:
        """Apply one file. Raises BadFile with what is wrong in the file."""
        file, source = read(path, ComposedTestFile)
        await tests.lock_tests(self._uow, self._author, [file.reference])
        await self.apply(file, source)

    async def apply(self, file: ComposedTestFile, source: Source) -> UUID:
        """Apply a file whose test is locked. Returns the id of the test."""
        try:
            return await self._apply(file, source)
        except DomainError as error:
            raise mistakes_of(source, error) from None

    async def _apply(self, file: ComposedTestFile, source: Source) -> UUID:
        self._questions_changed = False
        sections = [
            section.draft(await self._question_ids(source, ("sections", number, "questions"), section))
            for number, section in enumerate(file.sections)
        ]
        subject_id = await self._subject(source, ("subject",), file.subject)
        applied = await tests.apply_draft(self._uow, self._author, file.draft(subject_id, sections))
        self.report.append(_sentence(file.reference, applied.changed))
        if self._publish:
            await self._publish_test(file.reference, applied.test_id)
        return applied.test_id

    async def _publish_test(self, reference: str, test_id: UUID) -> None:
        now = self._parts.clock.now()
        pending = await tests.is_unpublished(self._uow, self._author, test_id, now)
        if not (pending or self._questions_changed):
            self.report.append(f"test {reference}: published already")
            return
        published = await tests.publish(self._uow, self._author, test_id, now)
        paper = published.paper
        size = f"{paper.question_count} questions, {paper.max_marks} marks"
        self.report.append(f"test {reference}: published as version {paper.version} ({size})")
        for warning in published.warnings:
            self.report.append(f"test {reference}: look at the keys: {warning.message}")

    async def _question_ids(self, source: Source, place: Location, section: SectionFile) -> list[UUID]:
        wanted = section.questions
        if wanted.import_ is not None:
            return await self._import(source, (*place, "import"), wanted.import_)
        if wanted.external_ids is not None:
            return await self._by_external_id(source, (*place, "external_ids"), wanted.external_ids)
        return await self._by_filter(source, (*place, "filter"), wanted.filter or FilterFile(tags=[]))

    async def _import(self, source: Source, place: Location, sheet: ImportFile) -> list[UUID]:
        content = _bytes(source, (*place, "file"), sheet.file)
        images = _bytes(source, (*place, "images"), sheet.images) if sheet.images else None
        report = await questions.import_questions(
            self._uow,
            self._author,
            content,
            subject=sheet.subject,
            empty_key=EmptyKey(sheet.empty_key),
            images=ImagesZip(images, self._parts.media) if images is not None else None,
        )
        if report.errors:
            mistakes = [
                Mistake(source.path.parent / sheet.file, each.row or 1, f"{each.field}: {each.message}")
                for each in report.errors
            ]
            raise BadFile(mistakes)
        self._questions_changed |= bool(report.created or report.updated)
        self.report.append(
            f"{sheet.file}: {report.created} questions created, {report.updated} updated,"
            f" {report.unchanged} unchanged"
        )
        return list(report.item_ids)

    async def _by_external_id(self, source: Source, place: Location, wanted: list[str]) -> list[UUID]:
        found = await questions.with_external_ids(self._uow, self._author, wanted)
        mistakes = [
            Mistake(
                source.path,
                source.line_of((*place, number)),
                f"no question has the external_id `{each}`; import it first",
            )
            for number, each in enumerate(wanted)
            if each not in found
        ]
        if mistakes:
            raise BadFile(mistakes)
        return [found[each] for each in wanted]

    async def _by_filter(self, source: Source, place: Location, wanted: FilterFile) -> list[UUID]:
        chosen = QuestionFilter(
            subject_id=await self._subject(source, (*place, "subject"), wanted.subject),
            tags=wanted.tags,
            difficulty=wanted.difficulty,
            statuses=["active"],
        )
        limit = wanted.count or MAX_QUESTIONS
        found = await questions.select(self._uow, self._author, chosen, limit)
        if len(found) < (wanted.count or 1):
            raise source.mistake(place, f"only {len(found)} active questions match; widen the filter")
        return found

    async def _subject(self, source: Source, place: Location, name: str | None) -> UUID | None:
        if name is None:
            return None
        found = await questions.subject_named(self._uow, self._author, name)
        if found is None:
            raise source.mistake(place, f"there is no subject `{name}`; import its questions first")
        return found


def mistakes_of(source: Source, error: DomainError) -> BadFile:
    """The error of a service, at the lines of the fields that it names."""
    if not error.errors:
        return source.mistake((), error.detail)
    mistakes = []
    for each in error.errors:
        place = tuple(int(part) if part.isdecimal() else part for part in each.field.split("."))
        mistakes.append(Mistake(source.path, source.line_of(place), f"{name_of(place)}: {each.message}"))
    return BadFile(mistakes)


def _sentence(reference: str, changed: Sequence[str] | None) -> str:
    if changed is None:
        return f"test {reference}: created"
    return f"test {reference}: {'changed ' + ', '.join(changed) if changed else 'unchanged'}"


def _bytes(source: Source, place: Location, path: str) -> bytes:
    """The content of a file that the source names. The path is relative to the folder of the source."""
    try:
        content = (source.path.parent / path).read_bytes()
    except OSError as error:
        raise source.mistake(place, f"`{path}` cannot be read: {error.strerror}") from None
    if len(content) > MAX_SHEET_BYTES:
        raise source.mistake(place, f"`{path}` is larger than 25 MB; split it")
    return content
