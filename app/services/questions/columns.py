"""The columns of a sheet of questions: the meaning of each header."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from app.core.comparable_text import comparable
from app.engine.question_types import QUESTION_TYPES
from app.services.questions.header_names import column_called
from app.sheets.records import column_name

SHEET = "questions"
"""The sheet of a workbook that has the questions."""
OPTION_COLUMNS = tuple(
    dict.fromkeys(column for kind in QUESTION_TYPES.values() for column in kind.option_columns)
)
"""The columns that hold options of any type."""

IGNORED = "ignore"
"""What a mapping calls a column that is left out."""
_PLACE = ("number", "external_id", "subject", "chapter", "passage_id", "source")
IN_A_TEST = ("section", "marks", "negative_marks")
"""The columns that are used where the sheet is published as a test."""
_PLAIN = frozenset(
    (*_PLACE, *IN_A_TEST, "type", "key", "fixed_options", "status", "difficulty", "tags", "image")
)
_TEXTS = re.compile(
    rf"(?P<field>question|explanation|passage|{'|'.join(OPTION_COLUMNS)})"
    r"(_(?P<language>[a-z]{2,3}(-[a-z0-9]{2,8})*))?"
)
_DEFAULT_LANGUAGE = "en"


class BadHeader(ValueError):
    """An error in one column; `column` is its name."""

    def __init__(self, column: str, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.column = column
        self.message = message
        self.position = position


@dataclass(slots=True)
class Columns:
    """The position of each field in a row."""

    count: int
    plain: dict[str, int] = field(default_factory=dict)
    texts: dict[str, dict[str, int]] = field(default_factory=dict)
    """`question`, `explanation`, `passage` and `option_a` …: the column of each language."""
    unnamed: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """The cells of the header."""
    fields: dict[int, str] = field(default_factory=dict)
    """The name of the column at each position, such as `option_a_hi`, whatever its header says."""
    ignored: list[int] = field(default_factory=list)
    """The columns that the mapping leaves out."""
    mapped: list[int] = field(default_factory=list)
    """The columns that the mapping names."""
    row: int = 1
    """The row of the header."""

    def name_at(self, position: int) -> str:
        """Return the name of a column in error messages: its own, else what its header says."""
        return self.fields.get(position) or column_name(self.names, position)

    def is_read(self, position: int) -> bool:
        """Every other column is read: a cell without a header is an error."""
        return position not in self.ignored

    def position_of(self, name: str) -> int | None:
        """Return the place of a column in the row, such as that of `option_a_hi`; None if there is none."""
        if name in self.plain:
            return self.plain[name]
        if found := _TEXTS.fullmatch(name.lower()):
            languages = self.texts.get(found["field"], {})
            return languages.get(_language_tag(found["language"] or _DEFAULT_LANGUAGE))
        return None

    def position_in(self, name: str) -> int | None:
        """Return the place of a column, or of the same column in another language."""
        at = self.position_of(name)
        return at if at is not None else next(iter(self.texts.get(name, {}).values()), None)

    def __bool__(self) -> bool:
        return bool(self.plain or self.texts)

    def __contains__(self, name: str) -> bool:
        return name in self.plain or name in self.texts


class UnknownColumn(ValueError):
    """A mapping names a column that sheets of questions do not have."""

    def __init__(self, header: str, column: str) -> None:
        super().__init__(column)
        self.header = header
        self.column = column


def checked_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the mapping by the plain forms of its headers. Raises UnknownColumn."""
    for header, column in mapping.items():
        if column != IGNORED and column not in _PLAIN and not _TEXTS.fullmatch(column.lower()):
            raise UnknownColumn(header, column)
    return {plain_header(header): column for header, column in mapping.items()}


def plain_header(header: str) -> str:
    """The form of a header in which a mapping finds it: case and spaces do not matter."""
    return comparable(header)


def count_known(cells: Sequence[str], mapping: Mapping[str, str]) -> int:
    """Count the cells that name a column, for a row that has at least two of question, options and key."""
    names = {name for cell in cells if cell.strip() and (name := _name_of(cell.strip(), mapping))}
    kinds = {name.partition("_")[0] for name in names}
    return len(names) if len(kinds & {"question", "option", "key"}) >= 2 else min(len(names), 1)


def read_header(
    cells: Sequence[str], *, needs_subject: bool, mapping: Mapping[str, str] = MappingProxyType({})
) -> tuple[Columns, list[BadHeader]]:
    """Return the columns that the header names, in any order and any case, and all errors in it.

    `mapping` gives the column of each header that has another name (`checked_mapping`).
    """
    columns = Columns(len(cells), names=[cell.strip()[:50] for cell in cells])
    errors = []
    for position, cell in enumerate(cells):
        try:
            _place(columns, cell.strip(), position, mapping)
        except BadHeader as error:
            errors.append(error)
    return columns, errors or list(_missing(columns, needs_subject=needs_subject))


def _place(columns: Columns, header: str, position: int, mapping: Mapping[str, str]) -> None:
    if not header:
        columns.unnamed.append(position)
        return
    if plain_header(header) in mapping:
        columns.mapped.append(position)
    name = _name_of(header, mapping)
    if name == IGNORED:
        columns.ignored.append(position)
        return
    if name is None:
        raise BadHeader(header[:50], f"there is no such column; {_mend(header, columns)}", position)
    text = _TEXTS.fullmatch(name.lower())
    if name in _PLAIN or text is None:
        target, entry = columns.plain, name
    else:
        target = columns.texts.setdefault(text["field"], {})
        entry = _language_tag(text["language"] or _DEFAULT_LANGUAGE)
    if entry in target:
        first = columns.names[target[entry]]
        raise BadHeader(
            header[:50],
            f'this column is there twice: "{first}" is the column {name} too; delete one of the two',
            position,
        )
    target[entry] = position
    columns.fields[position] = name.lower()


def _name_of(header: str, mapping: Mapping[str, str]) -> str | None:
    """The column that a header means: by the mapping, by its own name, or by a name that people use."""
    if column := mapping.get(plain_header(header)):
        return column
    # `Option A` is what people write for `option_a`.
    name = "_".join(header.lower().split())
    if name in _PLAIN:
        return name
    # What people write comes first: `Question No` is a number, and no question in Norwegian.
    return column_called(header) or (name if _TEXTS.fullmatch(name) else None)


def _mend(header: str, columns: Columns) -> str:
    """What to do about an unknown column. A column that the sheet has already is not proposed."""
    name = "_".join(header.lower().split())[:50]
    known = [
        column
        for column in ("question", "explanation", "passage", *OPTION_COLUMNS, *sorted(_PLAIN))
        if column not in columns
    ]
    # Names of options differ in one letter only: the nearest one would be any.
    # "Remarks" is nearest to `marks`, and means something else.
    guessed = [column for column in known if column not in (*OPTION_COLUMNS, *IN_A_TEST)]
    near = get_close_matches(name, guessed, 1, 0.75)
    if near:
        return f"did you mean {near[0]}?"
    return f"delete it, say what it is with `mapping`, or call it one of: {', '.join(known)}"


def _missing(columns: Columns, *, needs_subject: bool) -> Iterator[BadHeader]:
    if "question" not in columns:
        yield BadHeader("question", "this column is missing")
    if "key" not in columns:
        yield BadHeader("key", "this column is missing")
    if needs_subject and "subject" not in columns:
        yield BadHeader("subject", "name the subject in this column, or for the whole sheet")


def _language_tag(lowered: str) -> str:
    """`pt-br` → `pt-BR`, `sa-latn` → `sa-Latn`: the usual case of BCP 47."""
    language, *rest = lowered.split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest]
    return "-".join([language, *cased])
