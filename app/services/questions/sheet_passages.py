"""The passages of an import: rows that say the same one share it, and it is found in the bank or created."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from app.core.comparable_text import comparable, exact
from app.core.ids import uuid7
from app.models import LocalizedText
from app.repositories.questions.passages import PassageText
from app.services.questions.rows import RowPassage, SheetRow
from app.services.unit_of_work import Reading, UnitOfWork
from app.sheets.cells import normalize_line_ends
from app.sheets.reports import RowError, RowWarning

_LONGEST_SHOWN = 60

CellOf = Callable[[int, str], str | None]
"""Returns the name of the cell of a row and a column."""
_Key = tuple[str, ...]


@dataclass(slots=True)
class SheetPassage:
    """A passage of a sheet, and the row that says each of its texts first."""

    name: str | None
    first: SheetRow
    text: LocalizedText = field(default_factory=dict)
    said_in: dict[str, int] = field(default_factory=dict)
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
    all: list[SheetPassage] = field(default_factory=list)
    of: dict[int, SheetPassage] = field(default_factory=dict)
    """The passage of each row that has one."""
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)
    changed: dict[UUID, PassageText] = field(default_factory=dict)
    """The next versions of passages of the bank."""

    @classmethod
    async def load(
        cls, reads: Reading, institute_id: UUID, rows: Sequence[SheetRow], cell_of: CellOf
    ) -> "SheetPassages":
        """Group the rows by their passages, and find these in the bank."""
        found = cls(cell_of)
        found._group(rows)
        if found.all:
            await found._find(reads, institute_id)
            found.warnings += _alone(found, rows)
        return found

    def id_of(self, row: int) -> UUID | None:
        """Return the id of the passage of a row."""
        passage = self.of.get(row)
        return passage.id if passage is not None else None

    @property
    def new(self) -> list[SheetPassage]:
        """The passages that the bank does not have."""
        return [passage for passage in self.all if passage.text and not passage.is_known]

    def _group(self, rows: Sequence[SheetRow]) -> None:
        by_key: dict[_Key, SheetPassage] = {}
        for row in rows:
            if row.passage is not None:
                passage = _same(by_key, row.passage) or SheetPassage(row.passage.name, row)
                if passage.rows == 0:
                    self.all.append(passage)
                self._join(passage, row, row.passage)
                for key in _keys(row.passage):
                    by_key.setdefault(key, passage)

    def _join(self, passage: SheetPassage, row: SheetRow, said: RowPassage) -> None:
        """Add what a row says. Its texts must be those of the other rows, apart from spaces."""
        passage.rows += 1
        passage.name = passage.name or said.name
        self.of[row.row] = passage
        for language, text in said.text.items():
            if language not in passage.text:
                passage.text[language] = text
                passage.said_in[language] = row.row
            elif exact(text) != exact(passage.text[language]):
                column = _column(language)
                other = passage.said_in[language]
                message = (
                    f"the passage of this row has another text in {self.cell_of(other, column) or other};"
                    " write the same text in both cells, or leave one of them empty"
                )
                self.errors.append(RowError(row.row, column, message))

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
        for passage in unnamed:
            if found := by_text.get(passage.first_text):
                passage.id, passage.is_known = found[0], True
        # New ids increase with the rows, so that lists keep the sheet's order.
        for passage, new_id in zip(self.new, sorted(uuid7() for _ in self.new), strict=True):
            passage.id = new_id
        for row, passage in self.of.items():
            if not (passage.text or passage.is_known):
                message = f'there is no passage "{passage.name}"; write its text too, or name another one'
                self.errors.append(RowError(row, "passage_id", message))

    async def compare(self, uow: UnitOfWork, in_sheet: Collection[UUID]) -> list[RowError]:
        """Find the passages of the bank whose texts change, lock them and warn of each.

        `in_sheet` has the questions of the bank that the sheet has too. Returns errors of names that the bank
        has for other passages.
        """
        known = {passage.id: passage for passage in self.all if passage.is_known and passage.text}
        stored = await uow.passages.texts(known) if known else {}
        if not (changing := {id_ for id_, was in stored.items() if _next(was, known[id_]) is not None}):
            return []
        used = await uow.passages.used_by_others(changing, in_sheet)
        errors = []
        for id_, was in (await uow.passages.texts(changing, lock=True)).items():
            passage = known[id_]
            now = _next(was, passage)
            if now is None:  # Changed meanwhile.
                continue
            if (other := _other_text(was.text, passage)) is not None:
                errors.append(self._of_another(passage, *other))
                continue
            self.changed[id_] = now
            self.warnings += self._changes(passage, was.text, used.get(id_, 0))
        return errors

    def _of_another(self, passage: SheetPassage, language: str, text: str) -> RowError:
        message = (
            f'the bank has another passage "{passage.name}", which begins "{text[:_LONGEST_SHOWN]}"; give'
            " this one another name, or leave the name out: rows with the same passage share it anyway"
        )
        return RowError(passage.said_in[language], "passage_id", message)

    def _changes(self, passage: SheetPassage, was: LocalizedText, others: int) -> Iterator[RowWarning]:
        also = f"; other questions of the bank that have it: {others}" if others else ""
        for language, text in passage.text.items():
            before = was.get(language)
            if before is None or not _reads_alike(before, text):
                shown = f'"{(before or "")[:_LONGEST_SHOWN]}" becomes "{text[:_LONGEST_SHOWN]}"'
                message = f"the passage changes for all of its questions: {shown}{also}"
                yield RowWarning(passage.said_in[language], _column(language), message)


def _keys(said: RowPassage) -> Iterator[_Key]:
    if said.name is not None:
        yield "name", said.name
    for language in sorted(said.text, key=lambda language: (language != "en", language)):
        yield "text", language, exact(said.text[language])


def _same(by_key: Mapping[_Key, SheetPassage], said: RowPassage) -> SheetPassage | None:
    """The passage that a row means: the one of its name, else one of its text that has no other name."""
    for key in _keys(said):
        found = by_key.get(key)
        if found is not None and (said.name is None or found.name in (None, said.name)):
            return found
    return None


def _alone(passages: SheetPassages, rows: Sequence[SheetRow]) -> Iterator[RowWarning]:
    """Warnings of new passages that only one row has, above a row that has none."""
    for row, below in pairwise(rows):
        passage = passages.of.get(row.row)
        if passage is not None and passage.rows == 1 and not passage.is_known and below.passage is None:
            message = "only this row has the passage; if rows below belong to it, repeat it in each of them"
            yield RowWarning(row.row, _column(next(iter(passage.text), "en")), message)


def _next(was: PassageText, passage: SheetPassage) -> PassageText | None:
    """The next version of a passage; None if nothing changes. Languages that the sheet lacks are kept."""
    new = {
        language: text
        for language, text in passage.text.items()
        if not _reads_alike(was.text.get(language), text)
    }
    return PassageText(was.id, was.number + 1, was.text | new, was.media) if new else None


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
