"""Applies the file of an exam: its tests, the exam with its papers, extra time, and publication."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from app.cli.authoring.compose import Composer, mistakes_of
from app.cli.authoring.yaml_file import Source, read
from app.core.errors import DomainError
from app.schemas.authoring import ComposedTestFile, ExamFile, PaperFile
from app.services import exams, tests
from app.services.components import Components
from app.services.exams import Grant
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator


async def create_exam(uow: UnitOfWork, parts: Components, path: Path, *, publish: bool) -> list[str]:
    """Apply one file. Returns what was done. Raises BadFile with what is wrong in the file."""
    file, source = read(path, ExamFile)
    composed = [_read_test(source, number, paper) for number, paper in enumerate(file.papers)]
    references = [each[0].reference for each in composed if each is not None]
    await exams.lock_exam(uow, operator(), file.reference, references)
    composer = Composer(uow, parts, publish=publish)
    test_ids = [
        await composer.apply(*each) if each is not None else await _existing(uow, source, number, paper)
        for number, (each, paper) in enumerate(zip(composed, file.papers, strict=True))
    ]
    try:
        return composer.report + await _apply(uow, parts, file, test_ids, publish=publish)
    except DomainError as error:
        raise mistakes_of(source, error) from None


def _read_test(source: Source, number: int, paper: PaperFile) -> tuple[ComposedTestFile, Source] | None:
    """The file of a paper's test, if the paper names one."""
    if paper.test.file is None:
        return None
    path = source.path.parent / paper.test.file
    if not path.is_file():
        raise source.mistake(("papers", number, "test", "file"), f"there is no file `{paper.test.file}`")
    return read(path, ComposedTestFile)


async def _existing(uow: UnitOfWork, source: Source, number: int, paper: PaperFile) -> UUID:
    """The test that a paper names by its reference."""
    place, reference = ("papers", number, "test", "reference"), paper.test.reference or ""
    found = await tests.with_reference(uow, operator(), reference)
    if found is None:
        sentence = f"no test has the reference `{reference}`; compose it first, or name its `file`"
        raise source.mistake(place, sentence)
    return found


async def _apply(
    uow: UnitOfWork, parts: Components, file: ExamFile, test_ids: list[UUID], *, publish: bool
) -> list[str]:
    staff, now = operator(), parts.clock.now()
    drafts = [paper.draft(test_id) for paper, test_id in zip(file.papers, test_ids, strict=True)]
    applied = await exams.apply_exam(uow, staff, file.draft(), drafts, now)
    name = f"exam {file.reference}"
    report = [f"{name}: created"] if applied.is_new else []
    report += [f"{name}: {sentence}" for sentence in applied.changes]
    if file.accommodations:
        grants = [Grant(each.target(), each.extra_seconds, each.reason) for each in file.accommodations]
        granted = await exams.accommodate(uow, parts, staff, applied.exam_id, grants, now)
        if given := len(grants) - len(granted.unchanged):
            report.append(f"{name}: changed grants of extra time: {given}")
    if publish and await exams.is_unpublished(uow, staff, applied.exam_id):
        with _numbered_as_in(file):
            published = await exams.publish(uow, staff, applied.exam_id, now)
        report.append(f"{name}: {published.unchanged.detail if published.unchanged else 'published'}")
    return report or [f"{name}: unchanged"]


@contextmanager
def _numbered_as_in(file: ExamFile) -> Iterator[None]:
    """Number the papers in errors as the file does. The publication numbers them by their start and code."""
    by_start = sorted(range(len(file.papers)), key=lambda n: (file.papers[n].starts_at, file.papers[n].code))

    def in_file(field: str) -> str:
        parts = field.split(".")
        if parts[0] == "papers" and len(parts) > 1:
            parts[1] = str(by_start[int(parts[1])])
        return ".".join(parts)

    try:
        yield
    except DomainError as error:
        error.errors = tuple(replace(each, field=in_file(each.field)) for each in error.errors)
        raise
