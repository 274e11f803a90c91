"""Warnings about texts and keys that an author should look at, one for each cause and column."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from app.core.comparable_text import comparable
from app.models import LocalizedText
from app.services.questions.columns import Columns
from app.services.questions.legacy_fonts import IN_DEVANAGARI
from app.services.questions.rows import SheetRow
from app.sheets.records import Record
from app.sheets.reports import RowWarning

_FEWEST_KEYS = 12  # from which it is no chance that all are equal
_ROWS_SHOWN = 5
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_LETTERS = re.compile(r"[A-Za-z]{2}")
_TAG = re.compile(r"</?(?:b|i|u|p|br|div|span|sub|sup|strong|em|font|table|t[rdh])\b[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|#\d{1,6});")
_SHORTENED = re.compile(r"\d(?:\.\d{1,5})?E[+-]\d{2}")
_NUMBERED = re.compile(r"(?:q(?:uestion)?\s*\.?\s*)?(?P<number>\d{1,3})\s*[.):]\s", re.IGNORECASE)

Check = Callable[[SheetRow, str, str], str | None]
"""Gets a row, a column and its text, and returns the cause of a warning."""


def _letter(row: SheetRow, column: str, text: str) -> str | None:
    letter = column.removeprefix("option_")[:1]
    if not column.startswith("option_") or not re.match(rf"\(?{letter}[).]\s*\S", text, re.IGNORECASE):
        return None
    return f'the text begins with its letter "{letter}", which is shown before it anyway; delete the letter'


def _number(row: SheetRow, column: str, text: str) -> str | None:
    found = _NUMBERED.match(text) if column.startswith("question") else None
    if found is None or row.number not in (None, int(found["number"])):
        return None
    if re.search(rf"\n\s*{int(found['number']) + 1}\s*[.):]", text):  # the first of several statements
        return None
    return "the text begins with its number, which is shown before it anyway; delete the number"


def _html(row: SheetRow, column: str, text: str) -> str | None:
    found = _TAG.search(text)
    return (
        f"{found[0][:20]} is HTML and is shown as it is typed; delete it, or write Markdown"
        if found
        else None
    )


def _entity(row: SheetRow, column: str, text: str) -> str | None:
    found = _ENTITY.search(text)
    return f"{found[0]} is shown as it is typed; type the sign or the space itself" if found else None


def _shortened(row: SheetRow, column: str, text: str) -> str | None:
    if not _SHORTENED.fullmatch(text):
        return None
    return f'"{text}" looks like a number that a spreadsheet has shortened; type all of its digits'


_CHECKS: Sequence[Check] = (_letter, _number, _html, _entity, _shortened)


def row_warnings(rows: Sequence[SheetRow], columns: Columns, header: Record) -> Iterator[RowWarning]:
    """Return the warnings of a sheet, of which all rows are read."""
    causes: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        for column, text in _texts(row):
            for check in _CHECKS:
                if cause := check(row, column, text):
                    causes.setdefault((column, cause), []).append(row.row)
    for (column, cause), found in causes.items():
        yield _warning(columns, header, column, f"{cause}{_also(found)}", found[0])
    for column in _in_legacy_fonts(rows):
        message = (
            "no letter in this column is in Devanagari: it is typed in a legacy font such as Kruti Dev, or in"
            " another language; convert it to Unicode, or import it with legacy_font=krutidev"
        )
        yield _warning(columns, header, column, message, header.row)
    yield from _keys(rows, columns, header)


def _warning(columns: Columns, header: Record, column: str, message: str, row: int) -> RowWarning:
    position = columns.position_in(column)
    cell = Record(row, [], sheet=header.sheet).cell_name(-1 if position is None else position)
    return RowWarning(row, column, message, cell=cell)


def _also(rows: Sequence[int]) -> str:
    others = ", ".join(map(str, rows[1:_ROWS_SHOWN]))
    more = len(rows) - _ROWS_SHOWN
    return f" (also in rows {others}{f' and {more:,} more' if more > 0 else ''})" if others else ""


def _texts(row: SheetRow) -> Iterator[tuple[str, str]]:
    yield from _named("question", row.content.text)
    yield from _named("explanation", row.content.explanation or {})
    column_of = row.content.kind.column_of
    for option in row.content.options:
        yield from _named(column_of[option["id"]], option["text"])


def _named(name: str, text: LocalizedText) -> Iterator[tuple[str, str]]:
    for language, said in text.items():
        yield name if language == "en" else f"{name}_{language}", said


def _in_legacy_fonts(rows: Sequence[SheetRow]) -> Iterator[str]:
    """The columns of a language in Devanagari without a letter of it, if its questions have none either."""
    said: dict[str, bool] = {}
    for row in rows:
        for column, text in _texts(row):
            if column.rpartition("_")[2] in IN_DEVANAGARI and (
                _LETTERS.search(text) or _DEVANAGARI.search(text)
            ):
                said[column] = said.get(column, False) or bool(_DEVANAGARI.search(text))
    for column, is_devanagari in said.items():
        language = column.rpartition("_")[2]
        if not is_devanagari and not said.get(f"question_{language}", False):
            yield column


def _keys(rows: Sequence[SheetRow], columns: Columns, header: Record) -> Iterator[RowWarning]:
    keys = [(row, row.content.kind.key_to_cell(row.content.key)) for row in rows if _is_marked(row)]
    counts = Counter(key for _, key in keys)
    if len(keys) >= _FEWEST_KEYS and len(counts) == 1:
        message = f"all {len(keys)} keys are {keys[0][1]}; check that the column has the right answers"
        yield _warning(columns, header, "key", message, header.row)
    first: dict[tuple[str, ...], tuple[SheetRow, str]] = {}
    for row, _ in keys:
        texts = _option_texts(row)
        said = (comparable(_first(row.content.text)), *sorted(texts.values()))
        right = ", ".join(sorted(texts.get(each, each) for each in _right(row)))
        other, before = first.setdefault(said, (row, right))
        if before != right:
            message = (
                f"the question in row {other.row} has the same text and options, but its key is"
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
