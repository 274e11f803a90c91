"""Converts the columns of a sheet that are typed in a legacy font, and says what becomes of them."""

import re
from collections.abc import Iterable, Iterator, Sequence

from app.services.questions.columns import Columns
from app.sheets.english_words import english_words
from app.sheets.kruti_dev import LEGACY_FONTS, LegacyFont, is_doubtful
from app.sheets.records import Record
from app.sheets.reports import RowWarning

IN_DEVANAGARI = ("hi", "mr", "sa", "ne", "kok", "mai", "bho", "doi")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_LATIN = re.compile(r"[A-Za-z]")
_MAX_SHOWN_CHANGES = 3
_MAX_SHOWN_LENGTH = 60
_MAX_WORDS = 30


def converted(
    columns: Columns, records: Iterable[Record], font: LegacyFont, warnings: list[RowWarning]
) -> list[Record]:
    """Return the records with the columns of the font in Unicode, and add what changes to `warnings`.

    A column is converted if its language is written in Devanagari and none of its cells has a letter of it.
    """
    read = list(records)
    for position in _typed_in_it(columns, read):
        warnings += _converted(columns.name_at(position), position, read, font)
    return read


def _typed_in_it(columns: Columns, records: Sequence[Record]) -> Iterator[int]:
    for languages in columns.texts.values():
        for language, position in languages.items():
            texts = [record.cell(position) for record in records]
            if (
                language in IN_DEVANAGARI
                and any(map(_LATIN.search, texts))
                and not any(map(_DEVANAGARI.search, texts))
            ):
                yield position


def _converted(name: str, position: int, records: Sequence[Record], font: LegacyFont) -> Iterator[RowWarning]:
    shown: list[str] = []
    english: list[str] = []
    first = None
    for record in records:
        before = record.cell(position)
        if not _LATIN.search(before):  # A number or a date has no letters of the font.
            continue
        first = first or record
        after = record.cells[position] = LEGACY_FONTS[font](before)
        change = f'"{before[:_MAX_SHOWN_LENGTH]}" becomes "{after[:_MAX_SHOWN_LENGTH]}"'
        if len(shown) < _MAX_SHOWN_CHANGES:
            shown.append(change)
        english += (f'"{word}" ({record.cell_name(position)})' for word in english_words(before))
        if is_doubtful(after):
            message = f"a part of this text seems to be in another font: {change}; type the cell in Unicode"
            yield RowWarning(record.row, name, message, cell=record.cell_name(position))
    if first is None:
        return
    if english:
        more = f" and {len(english) - _MAX_WORDS} more" if len(english) > _MAX_WORDS else ""
        words = f"{', '.join(english[:_MAX_WORDS])}{more}"
        message = (
            f"these words seem to be English, and are converted too: {words}; type such cells in Unicode"
        )
        yield RowWarning(first.row, name, message, cell=first.cell_name(position))
    message = f"this column is converted to Unicode: {'; '.join(shown)}"
    yield RowWarning(first.row, name, message, cell=first.cell_name(position))
