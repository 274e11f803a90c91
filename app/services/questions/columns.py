"""The columns of a sheet of questions: the meaning of each header."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from app.engine.question_types import QUESTION_TYPES
from app.sheets.records import column_name

SHEET = "questions"
"""The sheet of a workbook that has the questions."""
OPTION_COLUMNS = tuple(
    dict.fromkeys(column for kind in QUESTION_TYPES.values() for column in kind.option_columns)
)
"""The columns that hold options of any type."""

_PLACE = ("number", "external_id", "subject", "chapter", "passage_id", "source")
_PLAIN = frozenset((*_PLACE, "type", "key", "fixed_options", "status", "difficulty", "tags", "image"))
_TEXTS = re.compile(
    rf"(?P<field>question|explanation|{'|'.join(OPTION_COLUMNS)})(_(?P<language>[a-z]{{2,3}}(-[a-z0-9]{{2,8}})*))?"
)
_DEFAULT_LANGUAGE = "en"


class BadHeader(ValueError):
    """An error in one column; `column` is its name."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


@dataclass(slots=True)
class Columns:
    """The position of each field in a row."""

    count: int
    plain: dict[str, int] = field(default_factory=dict)
    texts: dict[str, dict[str, int]] = field(default_factory=dict)
    """`question`, `explanation` and `option_a` …: the column of each language."""
    unnamed: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """The cells of the header."""

    def name_at(self, position: int) -> str:
        """Return the name of a column in error messages."""
        return column_name(self.names, position)

    def is_read(self, position: int) -> bool:
        """Every column is read: a cell without a header is an error."""
        return True

    def __bool__(self) -> bool:
        return bool(self.plain or self.texts)

    def __contains__(self, name: str) -> bool:
        return name in self.plain or name in self.texts


def read_header(cells: Sequence[str], *, needs_subject: bool) -> tuple[Columns, list[BadHeader]]:
    """Return the columns that the header names, in any order and any case, and all errors in it."""
    columns = Columns(len(cells), names=[cell.strip()[:50] for cell in cells])
    errors = []
    for position, cell in enumerate(cells):
        try:
            _place(columns, cell.strip(), position)
        except BadHeader as error:
            errors.append(error)
    return columns, errors or list(_missing(columns, needs_subject=needs_subject))


def _place(columns: Columns, header: str, position: int) -> None:
    # `Option A` is what people write for `option_a`.
    name = "_".join(header.lower().split())
    text = _TEXTS.fullmatch(name)
    if not name:
        columns.unnamed.append(position)
        return
    if name in _PLAIN:
        target, entry = columns.plain, name
    elif text:
        target = columns.texts.setdefault(text["field"], {})
        entry = _language_tag(text["language"] or _DEFAULT_LANGUAGE)
    else:
        raise BadHeader(header[:50], f"there is no such column; {_mend(name)}")
    if entry in target:
        raise BadHeader(header, "this column is there twice")
    target[entry] = position


def _mend(name: str) -> str:
    name = name[:50]
    known = ["question", "explanation", *OPTION_COLUMNS, *sorted(_PLAIN)]
    near = get_close_matches(name, known, n=1, cutoff=0.75)
    return f"did you mean {near[0]}?" if near else f"delete it, or call it one of: {', '.join(known)}"


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
