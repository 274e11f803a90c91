"""Warnings about texts and keys that an author should look at, one for each cause and column."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.core.comparable_text import comparable
from app.models import LocalizedText
from app.services.questions.columns import Columns
from app.services.questions.content import MIN_EQUAL_KEYS
from app.services.questions.legacy_fonts import IN_DEVANAGARI
from app.services.questions.rows import SheetRow
from app.sheets.records import Record
from app.sheets.reports import RowWarning

_ROWS_SHOWN = 5
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_LETTERS = re.compile(r"[A-Za-z]{2}")
_TAG = re.compile(r"</?(?:b|i|u|p|br|div|span|sub|sup|strong|em|font|table|t[rdh])\b[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|#\d{1,6});")
_SHORTENED = re.compile(r"\d(?:\.\d{1,5})?E[+-]\d{2}")
_NUMBERED = re.compile(r"(?:q(?:uestion)?\s*\.?\s*)?(?P<number>\d{1,3})\s*[.):]\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Column:
    """The texts of a column, and the row of each. Two lists: a pair for each text takes long to collect."""

    name: str
    language: str
    rows: list[SheetRow]
    texts: list[str]

    def __iter__(self) -> Iterator[tuple[SheetRow, str]]:
        return zip(self.rows, self.texts, strict=True)


Check = Callable[[_Column], Iterator[tuple[int, str]]]
"""Returns rows of a column, each with the cause of a warning."""


def _letter(column: _Column) -> Iterator[tuple[int, str]]:
    letter = column.name.removeprefix("option_")[:1]
    cause = f'the text begins with its letter "{letter}", which is shown before it anyway; delete the letter'
    begins_with_it = re.compile(rf"\(?{letter}[).]\s*\S", re.IGNORECASE)
    for row, text in column if column.name.startswith("option_") else ():
        if begins_with_it.match(text):
            yield row.row, cause


def _number(column: _Column) -> Iterator[tuple[int, str]]:
    cause = "the text begins with its number, which is shown before it anyway; delete the number"
    for row, text in column if column.name.startswith("question") else ():
        found = _NUMBERED.match(text)
        if found is None or row.number not in (None, int(found["number"])):
            continue
        following = int(found["number"]) + 1  # the text is the first of several statements
        if not re.search(rf"\n\s*{following}\s*[.):]", text):
            yield row.row, cause


def _html(column: _Column) -> Iterator[tuple[int, str]]:
    mend = "is HTML and is shown as it is typed; delete it, or write Markdown"
    for row, text in column:
        if "<" in text and (found := _TAG.search(text)):
            yield row.row, f"{found[0][:20]} {mend}"


def _entity(column: _Column) -> Iterator[tuple[int, str]]:
    mend = "is shown as it is typed; type the sign or the space itself"
    for row, text in column:
        if "&" in text and (found := _ENTITY.search(text)):
            yield row.row, f"{found[0]} {mend}"


def _shortened(column: _Column) -> Iterator[tuple[int, str]]:
    mend = "looks like a number that a spreadsheet has shortened; type all of its digits"
    for row, text in column:
        if "E" in text and _SHORTENED.fullmatch(text):
            yield row.row, f'"{text}" {mend}'


_CHECKS: Sequence[Check] = (_letter, _number, _html, _entity, _shortened)


def row_warnings(rows: Sequence[SheetRow], columns: Columns, header: Record) -> Iterator[RowWarning]:
    """Return the warnings of a sheet, of which all rows are read."""
    by_column = _by_column(rows)
    for column in by_column:
        causes: dict[str, list[int]] = {}
        for check in _CHECKS:
            for row, cause in check(column):
                causes.setdefault(cause, []).append(row)
        for cause, found in causes.items():
            yield _warning(columns, header, column.name, f"{cause}{_also(found)}", found[0])
    for column in _in_legacy_fonts(by_column):
        message = (
            "no letter in this column is in Devanagari: it is typed in a legacy font such as Kruti Dev, or in"
            " another language; convert it to Unicode, or import it with legacy_font=krutidev (at the command"
            " line --legacy-font krutidev)"
        )
        yield _warning(columns, header, column.name, message, header.row)
    yield from _keys(rows, columns, header)


def _warning(columns: Columns, header: Record, column: str, message: str, row: int) -> RowWarning:
    position = columns.position_in(column)
    cell = Record(row, [], sheet=header.sheet).cell_name(-1 if position is None else position)
    return RowWarning(row, column, message, cell=cell)


def _also(rows: Sequence[int]) -> str:
    others = ", ".join(map(str, rows[1:_ROWS_SHOWN]))
    more = len(rows) - _ROWS_SHOWN
    return f" (also in rows {others}{f' and {more:,} more' if more > 0 else ''})" if others else ""


def _by_column(rows: Sequence[SheetRow]) -> Sequence[_Column]:
    """The columns that have texts."""
    found: dict[tuple[str, str], _Column] = {}
    for row in rows:
        content = row.content
        column_of = content.kind.column_of
        texts = [("question", content.text), ("explanation", content.explanation or {})]
        texts += [(column_of[option["id"]], option["text"]) for option in content.options]
        if row.passage is not None:
            texts.append(("passage", row.passage.text))
        for name, localized in texts:
            for language, text in localized.items():
                if (column := found.get((name, language))) is None:
                    called = name if language == "en" else f"{name}_{language}"
                    column = found[name, language] = _Column(called, language, [], [])
                column.rows.append(row)
                column.texts.append(text)
    return list(found.values())


def _in_legacy_fonts(columns: Sequence[_Column]) -> Iterator[_Column]:
    """The columns of a language in Devanagari without a letter of it, if its questions have none either."""
    meant = [column for column in columns if column.language in IN_DEVANAGARI]
    right = {column.name for column in meant if any(map(_DEVANAGARI.search, column.texts))}
    for column in meant:
        is_right = right & {column.name, f"question_{column.language}"}
        if not is_right and any(map(_LETTERS.search, column.texts)):
            yield column


def _keys(rows: Sequence[SheetRow], columns: Columns, header: Record) -> Iterator[RowWarning]:
    keys = [(row, row.content.kind.key_to_cell(row.content.key)) for row in rows if _is_marked(row)]
    counts = Counter(key for _, key in keys)
    if len(keys) >= MIN_EQUAL_KEYS and len(counts) == 1:
        message = f"all {len(keys)} keys are {keys[0][1]}; check that the column has the right answers"
        yield _warning(columns, header, "key", message, header.row)
    first: dict[str, int] = {}
    keys_by_row: dict[int, str] = {}
    for row, _ in keys:
        texts = _option_texts(row)
        said = "\n".join((comparable(_first(row.content.text)), *sorted(texts.values())))
        right = ", ".join(sorted(texts.get(each, each) for each in _right(row)))
        other = first.setdefault(said, row.row)
        before = keys_by_row.setdefault(other, right)
        if before != right:
            message = (
                f"the question in row {other} has the same text and options, but its key is"
                f' "{before[:60]}" and not "{right[:60]}"'
            )
            yield _warning(columns, header, "key", message, row.row)


def _is_marked(row: SheetRow) -> bool:
    return row.content.kind.has_letters_as_key and row.content.has_accepted_answers


def _option_texts(row: SheetRow) -> Mapping[str, str]:
    return {option["id"]: _first(option["text"]).strip() for option in row.content.options}


def _right(row: SheetRow) -> set[str]:
    return {each for answer in row.content.key["accepted"] for each in answer}


def _first(text: LocalizedText) -> str:
    return text.get("en") or next(iter(text.values()), "")
