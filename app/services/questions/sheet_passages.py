"""The passages of an import: rows that say the same one share it, and it is found in the bank or created."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from app.core.comparable_text import comparable, exact
from app.core.ids import uuid7
from app.models import LocalizedText
from app.repositories.questions.passages import PassageText
from app.services.questions.images import SheetImages
from app.services.questions.reading import QuestionSheet
from app.services.questions.rows import RowPassage, SheetRow
from app.services.unit_of_work import Reading, UnitOfWork
from app.sheets.cells import normalize_line_ends
from app.sheets.reports import RowError, RowPlace, RowWarning

_MAX_SHOWN_LENGTH = 60

CellOf = Callable[[int, str, int], str | None]
"""Returns the name of the cell of a row, a column and a sheet."""
_Key = tuple[str, ...]


@dataclass(slots=True)
class SheetPassage:
    """A passage of a sheet, and the row that says each of its texts first."""

    name: str | None
    images: Sequence[str] | None = None
    """Names of files; None if the file says nothing about images of passages."""
    text: LocalizedText = field(default_factory=dict)
    said_in: dict[str, RowPlace] = field(default_factory=dict)
    rows: int = 0
    id: UUID = field(default_factory=uuid7)
    is_known: bool = False
    """Whether the bank has it."""

    @property
    def first_text(self) -> tuple[str, str]:
        """The text by which the bank is searched, and its language."""
        language = "en" if "en" in self.text else min(self.text)
        return language, self.text[language]


@dataclass(slots=True)
class SheetPassages:
    """The passages that the rows of a sheet share, and what becomes of them."""

    cell_of: CellOf
    sheet_images: SheetImages
    all: list[SheetPassage] = field(default_factory=list)
    of: dict[RowPlace, SheetPassage] = field(default_factory=dict)
    """The passage of each row that has one."""
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)
    changed: list[tuple[SheetPassage, PassageText]] = field(default_factory=list)
    """Passages of the bank, and their next versions."""

    @classmethod
    def of_sheet(cls, sheet: QuestionSheet, sheet_images: SheetImages) -> "SheetPassages":
        """Group the rows by their passages. `errors` has the rows that disagree."""
        found = cls(sheet.cell_name, sheet_images)
        found._group(sheet.rows)
        return found

    async def find(self, reads: Reading, institute_id: UUID, rows: Sequence[SheetRow]) -> None:
        """Find the passages in the bank. The images are checked before."""
        if self.all:
            await self._find(reads, institute_id)
            self.warnings += _alone(self, rows)

    def id_of(self, row: SheetRow) -> UUID | None:
        """Return the id of the passage of a row."""
        passage = self.of.get(row.place) if row.passage is not None else None
        return passage.id if passage is not None else None

    @property
    def new(self) -> list[SheetPassage]:
        """The passages that the bank does not have."""
        return [passage for passage in self.all if passage.text and not passage.is_known]

    def _group(self, rows: Sequence[SheetRow]) -> None:
        by_key: dict[_Key, SheetPassage] = {}
        for row in rows:
            if row.passage is not None:
                keys = list(_keys(row.passage))
                passage = _same(by_key, keys, row.passage.name)
                passage = passage or SheetPassage(row.passage.name, row.passage.images)
                if passage.rows == 0:
                    self.all.append(passage)
                self._join(passage, row, row.passage)
                for key in keys:
                    by_key.setdefault(key, passage)

    def _join(self, passage: SheetPassage, row: SheetRow, said: RowPassage) -> None:
        """Add what a row says. Its texts must be those of the other rows, apart from spaces."""
        passage.rows += 1
        passage.name = passage.name or said.name
        self.of[row.place] = passage
        for language, text in said.text.items():
            if language not in passage.text:
                passage.text[language] = text
                passage.said_in[language] = row.place
            elif exact(text) != exact(passage.text[language]):
                column = _column(language)
                other = passage.said_in[language]
                cell = self.cell_of(other.row, column, other.sheet) or other
                message = (
                    f"the passage of this row has another text in {cell};"
                    " write the same text in both cells, or leave one of them empty"
                )
                self.errors.append(row.place.error(column, message))

    async def _find(self, reads: Reading, institute_id: UUID) -> None:
        names = {passage.name for passage in self.all if passage.name is not None}
        named = await reads.questions.passages_named(institute_id, names) if names else {}
        for passage in self.all:
            if passage.name in named:
                passage.id, passage.is_known = named[passage.name], True
            elif passage.text and _is_id(passage.name):
                passage.name = None  # The id of another bank, in a sheet that was exported there.
        unnamed = [passage for passage in self.all if passage.name is None]
        by_text = await reads.passages.with_texts(institute_id, {passage.first_text for passage in unnamed})
        stored = await reads.passages.texts([id_ for ids in by_text.values() for id_ in ids])
        for passage in unnamed:
            for id_ in by_text.get(passage.first_text, ()):
                if not passage.is_known and self._has_images(passage, stored[id_]):
                    passage.id, passage.is_known = id_, True
        # New ids increase with the rows, so that lists keep the sheet's order.
        for passage, new_id in zip(self.new, sorted(uuid7() for _ in self.new), strict=True):
            passage.id = new_id
        for row, passage in self.of.items():
            if not (passage.text or passage.is_known):
                message = f'there is no passage "{passage.name}"; write its text too, or name another one'
                self.errors.append(row.error("passage_id", message))

    def _media_of(self, images: Sequence[str] | None) -> list[str]:
        return self.sheet_images.of(images or ())

    def _has_images(self, passage: SheetPassage, stored: PassageText) -> bool:
        """Whether a passage of the bank has the images of one of the sheet, if it says which."""
        return passage.images is None or self._media_of(passage.images) == stored.media

    async def compare(self, uow: UnitOfWork, in_sheet: Collection[UUID]) -> list[RowError]:
        """Find the passages of the bank whose texts change, lock them and warn of each.

        `in_sheet` has the questions of the bank that the sheet has too. Returns errors of names that the bank
        has for other passages.
        """
        known = {passage.id: passage for passage in self.all if passage.is_known and passage.text}
        stored = await uow.passages.texts(known) if known else {}
        changing = {id_ for id_, was in stored.items() if self._next(was, known[id_]) is not None}
        if not changing:
            return []
        used = await uow.passages.used_by_others(changing, in_sheet)
        errors = []
        for id_, was in (await uow.passages.texts(changing, lock=True)).items():
            passage = known[id_]
            now = self._next(was, passage)
            if now is None:  # Changed meanwhile.
                continue
            if (other := _other_text(was.text, passage)) is not None:
                errors.append(self._of_another(passage, *other))
                continue
            self.changed.append((passage, now))
            self.warnings += self._changes(passage, was, used.get(id_, 0))
        return errors

    def _of_another(self, passage: SheetPassage, language: str, text: str) -> RowError:
        message = (
            f'the bank has another passage "{passage.name}", which begins "{text[:_MAX_SHOWN_LENGTH]}"; give'
            " this one another name, or leave the name out: rows with the same passage share it anyway"
        )
        return passage.said_in[language].error("passage_id", message)

    def _next(self, was: PassageText, passage: SheetPassage) -> PassageText | None:
        """The next version of a passage; None if nothing changes. Languages that the sheet lacks are kept."""
        new = {
            language: text
            for language, text in passage.text.items()
            if not _reads_alike(was.text.get(language), text)
        }
        if not new and self._has_images(passage, was):
            return None
        return PassageText(was.id, was.number + 1, was.text | new, was.media)

    def _changes(self, passage: SheetPassage, was: PassageText, others: int) -> Iterator[RowWarning]:
        also = f"; other questions of the bank that have it: {others}" if others else ""
        for language, text in passage.text.items():
            before = was.text.get(language)
            if before is None or not _reads_alike(before, text):
                shown = f'"{(before or "")[:_MAX_SHOWN_LENGTH]}" becomes "{text[:_MAX_SHOWN_LENGTH]}"'
                message = f"the passage changes for all of its questions: {shown}{also}"
                yield passage.said_in[language].warning(_column(language), message)
        if not self._has_images(passage, was):
            place = next(iter(passage.said_in.values()))
            yield place.warning("passage", f"the images of the passage change for all of its questions{also}")


def _keys(said: RowPassage) -> Iterator[_Key]:
    if said.name is not None:
        yield "name", said.name
    for language in sorted(said.text, key=lambda language: (language != "en", language)):
        yield "text", language, exact(said.text[language]), *(said.images or ())


def _same(by_key: Mapping[_Key, SheetPassage], keys: Sequence[_Key], name: str | None) -> SheetPassage | None:
    """The passage that a row means: the one of its name, else one of its text that has no other name."""
    for key in keys:
        found = by_key.get(key)
        if found is not None and (name is None or found.name in (None, name)):
            return found
    return None


def _alone(passages: SheetPassages, rows: Sequence[SheetRow]) -> Iterator[RowWarning]:
    """Warnings of new passages that only one row has, above a row that has none."""
    for row, below in pairwise(rows):
        passage = passages.of.get(row.place)
        if passage is not None and passage.rows == 1 and not passage.is_known and below.passage is None:
            message = "only this row has the passage; if rows below belong to it, repeat it in each of them"
            yield row.place.warning(_column(next(iter(passage.text), "en")), message)


def _reads_alike(before: str | None, said: str) -> bool:
    return before is not None and normalize_line_ends(before) == said


def _other_text(was: LocalizedText, passage: SheetPassage) -> tuple[str, str] | None:
    """The text of the bank, and its language, if less than half of its words are those of the row."""
    for language, said in passage.text.items():
        before = was.get(language)
        if passage.name is not None and before is not None:
            words, others = set(comparable(before).split()), set(comparable(said).split())
            if 2 * len(words & others) < max(len(words), len(others)):
                return language, before
    return None


def _column(language: str) -> str:
    return "passage" if language == "en" else f"passage_{language}"


def _is_id(name: str | None) -> bool:
    try:
        return name is not None and bool(UUID(name))
    except ValueError:
        return False
