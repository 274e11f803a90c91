"""The bank as a sheet: importing it again changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO
from uuid import UUID

from app.models import LocalizedText, Question
from app.repositories.base import PageRequest
from app.repositories.questions import QuestionFilter
from app.services import audit, embargo
from app.services.audit import Subject
from app.services.questions.bank import Shown, page
from app.services.questions.columns import OPTION_LETTERS, SHEET
from app.services.questions.content import DROPPED, Key
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
    header = header_of(languages)
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


def header_of(languages: Iterable[str]) -> list[str]:
    """All columns of a sheet in these languages, English first and always."""
    others = sorted(set(languages) - {"en"})

    def each(name: str) -> list[str]:
        return [name, *(f"{name}_{language}" for language in others)]

    options = (column for letter in OPTION_LETTERS for column in each(f"option_{letter}"))
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
    letters = [option["id"] for option in shown.question.version.options]
    return not shown.withheld and "".join(letters) == OPTION_LETTERS[: len(letters)]


def cells_of(question: Question, labels: Labels, passages: Mapping[UUID, str]) -> dict[str, str]:
    """A question by column; what is empty has none."""
    said = question.version
    cells = {
        "number": "" if question.source_number is None else str(question.source_number),
        "external_id": question.external_id or "",
        "type": said.type,
        "subject": labels.subject(question.subject_id),
        "chapter": labels.chapter(question.chapter_id) if question.chapter_id else "",
        "passage_id": passages[said.passage_id] if said.passage_id else "",
        "key": written_key(said.key),
        "status": question.status,
        "difficulty": said.difficulty or "",
        "tags": write_tags(said.tags),
        "source": question.source or "",
        "image": "; ".join(said.media),
        **_texts("question", said.text),
        **_texts("explanation", said.explanation or {}),
    }
    for option in said.options:
        cells |= _texts(f"option_{option['id']}", option["text"])
    return cells


def written_key(key: Key) -> str:
    """`b`, `bd`, `b|d`, `3.14±0.01` or `dropped`; nothing where the key is still to come."""
    if key == DROPPED:
        return "dropped"
    if "value" in key:
        return key["value"] if key["tolerance"] == "0" else f"{key['value']}±{key['tolerance']}"
    return "|".join("".join(answer) for answer in key["accepted"])


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
