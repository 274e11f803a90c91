"""Exports questions of the bank as a sheet. An import of this sheet changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO
from uuid import UUID

from app.engine.dropped_keys import dropped_to_cell
from app.engine.question_types import LETTER_COLUMNS, QUESTION_TYPES
from app.models import LocalizedText, Question
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.questions.bank import Shown, page
from app.services.questions.columns import OPTION_COLUMNS, SHEET
from app.services.questions.content import Content, content_of, reading_question
from app.services.questions.syllabus import Labels
from app.services.questions.tags import write_tags
from app.services.unit_of_work import Reading
from app.services.users import Principal
from app.sheets.writers import SheetFormat, SheetWriter, open_writer

_BATCH_SIZE = 500
_MAX_MEMORY_BYTES = 5_000_000
"""A larger sheet is written to a temporary file."""


@dataclass(frozen=True, slots=True)
class Export:
    """A sheet of questions. The caller reads and closes the file."""

    file: IO[bytes]
    questions: int
    """How many questions are in the sheet."""
    left_out: int
    """How many are not: their key is withheld from the reader, or their options do not fit the columns."""


@dataclass(slots=True)
class PassageCells:
    """The cells of passages: each has its name in every row, and its text in the first one."""

    names: dict[UUID, str] = field(default_factory=dict)
    texts: dict[UUID, LocalizedText] = field(default_factory=dict)
    """Those that no row has yet."""

    async def load(self, reads: Reading, batch: Sequence[Shown]) -> None:
        """Read the passages of these questions."""
        ids = {passage_id for one in batch if (passage_id := one.question.version.passage_id)}
        if new := ids - self.names.keys():
            self.names |= await reads.questions.passage_names(new)
            found = await reads.passages.texts(new)
            self.texts |= {passage.id: passage.text for passage in found.values()}

    def of(self, passage_id: UUID | None) -> dict[str, str]:
        """Return the cells of a row."""
        if passage_id is None:
            return {}
        return {"passage_id": self.names[passage_id], **_texts("passage", self.texts.pop(passage_id, {}))}


def _texts(name: str, text: LocalizedText) -> dict[str, str]:
    return {name if language == "en" else f"{name}_{language}": words for language, words in text.items()}


async def export(
    reads: Reading, reader: Principal, wanted: QuestionFilter, sheet_format: SheetFormat
) -> Export:
    """Write the questions that match the filter to a sheet, in the same order as the list of the API."""
    languages = await reads.questions.languages(reader.institute_id, wanted, embargo.reader(reader))
    types = await reads.questions.types(reader.institute_id, wanted, embargo.reader(reader))
    header = header_of(languages, types)
    labels = await Labels.load(reads, reader.institute_id)
    passages = PassageCells()
    written = left_out = 0
    with ExitStack() as on_error:
        file = on_error.enter_context(SpooledTemporaryFile(_MAX_MEMORY_BYTES))
        writer = open_writer(sheet_format, file, header, SHEET)
        async for batch in batches(reads, reader, wanted):
            await passages.load(reads, batch)
            rows = [cells_of(one.question, labels, passages) for one in batch if fits(one)]
            await asyncio.to_thread(_write_rows, writer, header, rows)
            written, left_out = written + len(rows), left_out + len(batch) - len(rows)
        await asyncio.to_thread(writer.finish)
        audit.record(reads, reader, "export", AuditSubject("bank"), format=sheet_format, questions=written)
        file.seek(0)
        on_error.pop_all()  # From here on the caller closes the file.
        return Export(file, written, left_out)


def header_of(languages: Iterable[str], types: Collection[str] = ()) -> list[str]:
    """The columns of a sheet in these languages. English is always included and comes first.

    Option columns that only some question types have are included if `types` contains such a type.
    """
    others = sorted(set(languages) - {"en"})

    def each(name: str) -> list[str]:
        return [name, *(f"{name}_{language}" for language in others)]

    known = (QUESTION_TYPES[name] for name in types if name in QUESTION_TYPES)
    needed = {*LETTER_COLUMNS}.union(*(kind.option_columns for kind in known))
    options = (column for name in OPTION_COLUMNS if name in needed for column in each(name))
    return [
        *("number", "external_id", "type", "subject", "chapter", "passage_id"),
        *each("passage"),
        *each("question"),
        *options,
        *("key", "fixed_options", "status"),
        *each("explanation"),
        *("difficulty", "tags", "source", "image"),
    ]


def fits(shown: Shown) -> bool:
    """Whether the reader may see the key, and the options fit the columns of a sheet.

    Raises QuestionUnreadable if the stored question is not valid.
    """
    if shown.withheld:
        return False
    content = content_of(shown.question.version)
    with reading_question(shown.question.id):
        content.check_readable()
        return options_fit(content)


def options_fit(content: Content) -> bool:
    """Whether the options fill the columns of their type from the first one, without gaps."""
    ids = [option["id"] for option in content.options]
    expected: list[str] = []
    for columns in content.kind.option_lists:
        count = len(set(columns.values()) & set(ids))
        expected += list(columns.values())[:count]
    return ids == expected


def cells_of(question: Question, labels: Labels, passages: PassageCells) -> dict[str, str]:
    """The cells of a question by column. A column may be missing if its cell is empty."""
    content = content_of(question.version)
    cells = {
        "number": "" if question.source_number is None else str(question.source_number),
        "external_id": question.external_id or "",
        "type": content.type,
        "subject": labels.subject(question.subject_id),
        "chapter": labels.chapter(question.chapter_id) if question.chapter_id else "",
        **passages.of(content.passage_id),
        "key": key_cell(content),
        "fixed_options": ",".join(option["id"] for option in content.options if option.get("fixed")),
        "status": question.status,
        "difficulty": content.difficulty or "",
        "tags": write_tags(content.tags),
        "source": question.source or "",
        "image": "; ".join(content.media),
        **_texts("question", content.text),
        **_texts("explanation", content.explanation or {}),
    }
    column_of = content.kind.column_of
    for option in content.options:
        cells |= _texts(column_of[option["id"]], option["text"])
    return cells


def key_cell(content: Content) -> str:
    """The cell of the key, such as `bd`, `b|d`, `3.14±0.01` or `dropped`. Empty if there is no key yet."""
    if content.is_dropped:
        return dropped_to_cell(content.key)
    return content.kind.key_to_cell(content.key) if content.has_key else ""


async def batches(
    reads: Reading, reader: Principal, wanted: QuestionFilter
) -> AsyncIterator[Sequence[Shown]]:
    """The questions that match a filter, some hundreds at once."""
    request: PageRequest | None = PageRequest(_BATCH_SIZE)
    while request is not None:
        found = await page(reads, reader, wanted, request)
        yield found.items
        request = PageRequest(_BATCH_SIZE, found.next_cursor) if found.next_cursor else None


def _write_rows(writer: SheetWriter, header: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    for cells in rows:
        writer.add(cells.get(column, "") for column in header)
