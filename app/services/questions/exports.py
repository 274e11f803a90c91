"""The bank as a sheet: importing it again changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO
from uuid import UUID

from app.engine.question_types import LETTER_COLUMNS, QUESTION_TYPES
from app.models import LocalizedText, Question
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services import audit, embargo
from app.services.audit import Subject
from app.services.questions.bank import Shown, page
from app.services.questions.columns import OPTION_COLUMNS, SHEET
from app.services.questions.content import Content, content_of, reading
from app.services.questions.syllabus import Labels
from app.services.questions.tags import write_tags
from app.services.unit_of_work import Reading
from app.services.users import Principal
from app.sheets.writers import SheetFormat, SheetWriter, open_writer

_AT_ONCE = 500
_IN_MEMORY = 5_000_000


@dataclass(frozen=True, slots=True)
class Export:
    """A sheet, ready to be read and then closed, and how many questions it has and has not."""

    file: IO[bytes]
    questions: int
    left_out: int
    """Under embargo, or such that no sheet can hold them: with other options than a to f."""


async def export(
    reads: Reading, reader: Principal, wanted: QuestionFilter, sheet_format: SheetFormat
) -> Export:
    """The questions that pass the filter, in the order of the list."""
    languages = await reads.questions.languages(reader.institute_id, wanted, embargo.reader(reader))
    types = await reads.questions.types(reader.institute_id, wanted, embargo.reader(reader))
    header = header_of(languages, types)
    labels = await Labels.load(reads, reader.institute_id)
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 -- closed by whoever reads it
    writer = open_writer(sheet_format, file, header, SHEET)
    written = left_out = 0
    async for some in _chunks(reads, reader, wanted):
        passages = await _passages(reads, some)
        rows = [cells_of(one.question, labels, passages) for one in some if fits(one)]
        await asyncio.to_thread(_add_all, writer, header, rows)
        written, left_out = written + len(rows), left_out + len(some) - len(rows)
    await asyncio.to_thread(writer.finish)
    audit.record(reads, reader, "export", Subject("bank"), format=sheet_format, questions=written)
    file.seek(0)
    return Export(file, written, left_out)


def header_of(languages: Iterable[str], types: Collection[str] = ()) -> list[str]:
    """The columns of a sheet in these languages, English first and always.

    The lists of options that few types have are there where `types` has one of these.
    """
    others = sorted(set(languages) - {"en"})

    def each(name: str) -> list[str]:
        return [name, *(f"{name}_{language}" for language in others)]

    known = (QUESTION_TYPES[name] for name in types if name in QUESTION_TYPES)
    needed = {*LETTER_COLUMNS}.union(*(kind.option_columns for kind in known))
    options = (column for name in OPTION_COLUMNS if name in needed for column in each(name))
    return [
        *("number", "external_id", "type", "subject", "chapter", "passage_id"),
        *each("question"),
        *options,
        *("key", "status"),
        *each("explanation"),
        *("difficulty", "tags", "source", "image"),
    ]


def fits(shown: Shown) -> bool:
    """Whether the reader may have it, and a sheet can hold it."""
    if shown.withheld:
        return False
    content = content_of(shown.question.version)
    with reading(shown.question.id):
        content.check_readable()
        return _fits(content)


def _fits(content: Content) -> bool:
    """Whether the options are the first ones of each list of columns that their type has."""
    ids = [option["id"] for option in content.options]
    fitting: list[str] = []
    for columns in content.kind.option_lists:
        count = len(set(columns.values()) & set(ids))
        fitting += list(columns.values())[:count]
    return ids == fitting


def cells_of(question: Question, labels: Labels, passages: Mapping[UUID, str]) -> dict[str, str]:
    """A question by column; what is empty has none."""
    said = content_of(question.version)
    cells = {
        "number": "" if question.source_number is None else str(question.source_number),
        "external_id": question.external_id or "",
        "type": said.type,
        "subject": labels.subject(question.subject_id),
        "chapter": labels.chapter(question.chapter_id) if question.chapter_id else "",
        "passage_id": passages[said.passage_id] if said.passage_id else "",
        "key": written_key(said),
        "status": question.status,
        "difficulty": said.difficulty or "",
        "tags": write_tags(said.tags),
        "source": question.source or "",
        "image": "; ".join(said.media),
        **_texts("question", said.text),
        **_texts("explanation", said.explanation or {}),
    }
    column_of = said.kind.column_of
    for option in said.options:
        cells |= _texts(column_of[option["id"]], option["text"])
    return cells


def written_key(content: Content) -> str:
    """`b`, `bd`, `b|d`, `3.14±0.01` or `dropped`; nothing where the key is still to come."""
    if content.is_dropped:
        return "dropped"
    return content.kind.key_to_cell(content.key) if content.has_key else ""


async def _chunks(
    reads: Reading, reader: Principal, wanted: QuestionFilter
) -> AsyncIterator[Sequence[Shown]]:
    request: PageRequest | None = PageRequest(_AT_ONCE)
    while request is not None:
        found = await page(reads, reader, wanted, request)
        yield found.items
        request = PageRequest(_AT_ONCE, found.next_cursor) if found.next_cursor else None


async def _passages(reads: Reading, some: Sequence[Shown]) -> Mapping[UUID, str]:
    ids = {passage_id for one in some if (passage_id := one.question.version.passage_id)}
    return await reads.questions.passage_names(ids) if ids else {}


def _add_all(writer: SheetWriter, header: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    for cells in rows:
        writer.add(cells.get(column, "") for column in header)


def _texts(name: str, text: LocalizedText) -> dict[str, str]:
    return {name if language == "en" else f"{name}_{language}": words for language, words in text.items()}
