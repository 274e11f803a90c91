"""Reads one row of a sheet of questions: cells in, a question or errors out."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.core.errors import FieldError
from app.core.names import checked_lines, problem_of
from app.engine.dropped_keys import dropped_from_cell
from app.engine.marks import parse_marks
from app.engine.question_types import (
    DROPPED_KEY,
    NO_KEY,
    QUESTION_TYPES,
    QuestionType,
    choice_for,
    key_answers,
    question_type,
)
from app.engine.question_types.key_forms import plain_key
from app.engine.question_types.options import marks_reader
from app.models import LocalizedText
from app.services.questions.columns import OPTION_COLUMNS, Columns
from app.services.questions.content import Content, Key, Option, problems_of
from app.services.questions.embedded_images import image_names
from app.services.questions.tags import read_tags
from app.sheets.cells import unescape_formula
from app.sheets.parsing import errors_without_header
from app.sheets.records import WHOLE_ROW, Record
from app.sheets.reports import ItemInTest, RowError, RowPlace, RowWarning

MAX_CELL_LENGTH = 20_000

# Fields of one line; the others may have several lines.
_ONE_LINE = ("subject", "chapter", "source", "external_id", "passage_id", "section")
MAX_LENGTHS = {
    "subject": 300,
    "chapter": 300,
    "source": 300,
    "section": 300,
    "external_id": 200,
    "passage_id": 200,
    "key": 5_000,
}
_MAX_NUMBER = 2**31 - 1
TYPES = tuple(QUESTION_TYPES)
DIFFICULTIES = ("easy", "medium", "hard")
STATUSES = ("draft", "active", "retired")
MAY_WAIT = ("draft", "retired")  # the statuses that allow an empty key
_SPACES = re.compile(r"[\s-]+")
_MAX_TAGS = 20
MAX_IMAGES = 20
_MAX_TAG_LENGTH = 50


class EmptyKey(StrEnum):
    """What a row without a key means: an error, a dropped question, or a draft that gets its key later."""

    ERROR = "error"
    DROPPED = "dropped"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class RowPassage:
    """What a row says about its passage: its name, its text, or both."""

    name: str | None = None
    text: LocalizedText = field(default_factory=dict)
    images: tuple[str, ...] | None = None
    """Names of files; None if the file says nothing about images of passages, as sheets do."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One question of the sheet. None means an empty cell or a missing column."""

    row: int
    content: Content
    status: str | None
    subject: str | None
    chapter: str | None
    external_id: str | None
    source: str | None
    number: int | None
    passage: RowPassage | None
    images: tuple[str, ...]
    """Names of files, or ids of images in the bank."""
    in_test: ItemInTest = field(default_factory=ItemInTest)
    sheet: int = 1
    title: str = ""
    """The name of the sheet, if several are read."""

    @property
    def all_images(self) -> tuple[str, ...]:
        """The images of the question and of its passage."""
        return (*self.images, *((self.passage and self.passage.images) or ()))

    @property
    def place(self) -> RowPlace:
        """Where the row stands."""
        return RowPlace(self.sheet, self.row, self.title)


@dataclass(slots=True)
class RowReader:
    """Reads the cells of one row and adds their errors to `errors`."""

    columns: Columns
    record: Record
    errors: list[RowError]
    warnings: list[RowWarning]
    empty_key: EmptyKey
    needs_subject: bool
    sheet: int = 1
    title: str = ""

    def read(self) -> SheetRow:
        """Return the question. It is incomplete if there are errors."""
        self._check_width()
        if self.needs_subject and not self._cell("subject"):
            self._wrong("subject", "the question has no subject")
        status = self._one_of("status", STATUSES)
        options = {
            column: text
            for column in OPTION_COLUMNS
            if column in self.columns.texts and (text := self._localized(column))
        }
        key_cell = self._key_cell(options)
        waits = key_cell is None and (status in MAY_WAIT or self.empty_key is EmptyKey.DRAFT)
        content = self._content(self._type(key_cell), key_cell, options, waits=waits)
        return SheetRow(
            row=self.record.row,
            content=content,
            status="draft" if waits and status != "retired" and content.kind.is_marked else status,
            subject=self._cell("subject"),
            chapter=self._cell("chapter"),
            external_id=self._cell("external_id"),
            source=self._cell("source"),
            number=self._number(),
            passage=self._passage(),
            images=self._images(),
            in_test=self._in_test(content),
            sheet=self.sheet,
            title=self.title,
        )

    def nothing(self) -> SheetRow:
        """Return the row of a record that is no question."""
        content = Content(choice_for([]).name, text={}, options=[], key=dict(NO_KEY))
        return SheetRow(self.record.row, content, *(None,) * 7, images=())

    def _key_cell(self, options: Mapping[str, LocalizedText]) -> str | None:
        """The key as its type reads it: letters of options where the key names options."""
        cell = self._cell("key")
        said = _plain(self._cell("type") or "")
        if cell is None or (said in TYPES and not question_type(said).has_letters_as_key):
            return cell
        texts = {
            letter: list(options[column].values())
            for column, letter in choice_for([]).option_columns.items()
            if column in options
        }
        try:
            return plain_key(cell, texts)
        except ValueError as error:
            self._wrong("key", str(error))
            return None

    def _content(
        self,
        kind: QuestionType,
        key_cell: str | None,
        options: Mapping[str, LocalizedText],
        *,
        waits: bool,
    ) -> Content:
        text = self._localized("question")
        if not text:
            self._wrong("question", "the question has no text; type it, or delete the row")
        content = Content(
            type=kind.name,
            text=text,
            options=self._options(kind, options),
            key=self._key(kind, key_cell),
            explanation=self._localized("explanation") or None,
            difficulty=self._one_of("difficulty", DIFFICULTIES),
            tags=self._tags(),
        )
        if not self.errors:
            self._report(problems_of(content, needs_key=not waits, reads_texts=False), content)
        return content if self.errors else content.normalized()

    def _type(self, key_cell: str | None) -> QuestionType:
        """The type that the row names; without one, the choice that its key fits."""
        said = self._one_of("type", TYPES)
        return question_type(said) if said is not None else choice_for(key_answers(key_cell or ""))

    def _key(self, kind: QuestionType, cell: str | None) -> Key:
        if cell is None:
            dropped = self.empty_key is EmptyKey.DROPPED and kind.is_marked
            return dict(DROPPED_KEY if dropped else NO_KEY)
        if (dropped_key := dropped_from_cell(cell)) is not None:
            return dropped_key
        try:
            return dict(kind.key_from_cell(cell))
        except ValueError as error:
            self._wrong("key", str(error))
            return dict(NO_KEY)

    def _options(self, kind: QuestionType, texts: Mapping[str, LocalizedText]) -> list[Option]:
        for column in texts:
            if column not in kind.option_columns:
                self._wrong(column, f"a {kind.title} question has nothing in this column")
        for columns in kind.option_lists:
            self._check_gaps(list(columns), texts)
        options: list[Option] = [
            {"id": option_id, "text": texts[column]}
            for column, option_id in kind.option_columns.items()
            if column in texts
        ]
        fixed = self._fixed([option["id"] for option in options])
        return [option | {"fixed": True} if option["id"] in fixed else option for option in options]

    def _fixed(self, option_ids: Sequence[str]) -> Sequence[str]:
        """The options that the author keeps in their places, such as `d` or `c,d`."""
        cell = self._cell("fixed_options")
        if cell is None:
            return ()
        try:
            return tuple(str(option_id) for option_id in marks_reader(option_ids, {})(cell))
        except ValueError as error:
            self._wrong("fixed_options", str(error))
            return ()

    def _check_gaps(self, columns: Sequence[str], texts: Mapping[str, LocalizedText]) -> None:
        last = max((place for place, column in enumerate(columns) if column in texts), default=0)
        for column in columns[:last]:
            if column not in texts:
                self._wrong(
                    column, f"this is empty, but {columns[last]} is not; type it, or move the others up"
                )

    def _tags(self) -> list[str]:
        tags = read_tags(self._cell("tags") or "")
        for problem in tag_problems(tags):
            self._wrong("tags", problem)
        return tags

    def _images(self) -> tuple[str, ...]:
        names = tuple(name for part in (self._cell("image") or "").split(";") if (name := part.strip()))
        names += tuple(image_names(self.record, self.sheet))
        if len(names) > MAX_IMAGES or len(set(names)) < len(names):
            self._wrong("image", f"name at most {MAX_IMAGES} images, each once: map.png; chart.png")
        return names

    def _in_test(self, content: Content) -> ItemInTest:
        negative = self._marks("negative_marks")
        return ItemInTest(
            section=self._cell("section") or self.title or None,
            marks=self._marks("marks"),
            # "0.66" and "-0.66" both say what a wrong answer costs.
            negative_marks=f"-{negative}" if negative and parse_marks(negative) > 0 else negative,
            languages=tuple(content.text),
        )

    def _passage(self) -> RowPassage | None:
        said = RowPassage(self._cell("passage_id"), self._localized("passage"))
        return said if said.name or said.text else None

    def _marks(self, name: str) -> str | None:
        cell = self._cell(name)
        if cell is None:
            return None
        try:
            marks = parse_marks(cell)
        except ValueError:
            self._wrong(name, "write a number such as 2, 0.66 or 2/3")
            return None
        if marks < 0 and name == "marks":
            self._wrong(name, "marks of a correct answer are not below zero; delete the minus")
        return cell

    def _number(self) -> int | None:
        cell = self._cell("number")
        if cell is None:
            return None
        if not re.fullmatch(r"[0-9]{1,10}", cell) or int(cell) > _MAX_NUMBER:
            self._wrong(
                "number", f'"{cell[:20]}" is not the number of a question; write a whole number such as 12'
            )
            return None
        return int(cell)

    def _one_of(self, name: str, allowed: Iterable[str]) -> str | None:
        cell = self._cell(name)
        if cell is None:
            return None
        value = _plain(cell)
        if value not in allowed:
            self._wrong(name, f'"{cell[:30]}" is not known here; write one of: {", ".join(allowed)}')
            return None
        return value

    def _cell(self, name: str) -> str | None:
        position = self.columns.plain.get(name)
        if position is None:
            return None
        cell = self._at(position, name, MAX_LENGTHS.get(name, MAX_CELL_LENGTH))
        if cell is not None and name in _ONE_LINE and (problem := problem_of(cell)):
            self._wrong(name, problem)
        return cell

    def _localized(self, name: str) -> LocalizedText:
        texts = {}
        for language, position in self.columns.texts.get(name, {}).items():
            if text := self._at(position, self.columns.fields[position], MAX_CELL_LENGTH):
                texts[language] = text
                try:
                    checked_lines(text)
                except ValueError as problem:
                    self._wrong(self.columns.fields[position], str(problem))
        return texts

    def _at(self, position: int, name: str, longest: int) -> str | None:
        cell = unescape_formula(self.record.cell(position).strip())
        if len(cell) > longest:
            self._wrong(
                name, f"this text has {len(cell):,} characters and at most {longest:,} fit; shorten it"
            )
        return cell or None

    def _check_width(self) -> None:
        beyond = range(self.columns.count, len(self.record.cells))
        self.errors += errors_without_header(self.record, (*self.columns.unnamed, *beyond))

    def _report(self, problems: Iterable[FieldError], content: Content) -> None:
        for problem in problems:
            hint = content.kind.key_hint if problem.field.startswith("key.") else ""
            self._wrong(column_of_problem(problem.field, content), problem.message + hint)

    def _wrong(self, column: str, message: str) -> None:
        position = self.columns.position_in(column)
        cell = self.record.cell_name(WHOLE_ROW if position is None else position)
        error = RowError(self.record.row, column, message, cell)
        if error not in self.errors:
            self.errors.append(error)


def _plain(name: str) -> str:
    """`Single choice` and `single-choice` mean `single_choice`."""
    return _SPACES.sub("_", name.lower())


def tag_problems(tags: Sequence[str]) -> Iterator[str]:
    """What is wrong with the tags of a question."""
    if len(tags) > _MAX_TAGS or any(len(tag) > _MAX_TAG_LENGTH for tag in tags):
        yield f"at most {_MAX_TAGS} tags of {_MAX_TAG_LENGTH} characters, split by commas"
    yield from filter(None, map(problem_of, tags))


def column_of_problem(path: str, content: Content) -> str:
    """Return the column of a field of the API: `options.1.text` → `option_b`, `key.accepted.0` → `key`."""
    name, _, rest = path.partition(".")
    if name != "options":
        return name
    place = rest.partition(".")[0]
    column_of = content.kind.column_of
    return column_of[content.options[int(place)]["id"]] if place else next(iter(column_of.values()))
