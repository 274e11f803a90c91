"""Reads CSV in UTF-8 as records, with commas, semicolons or tabs between cells."""

import csv
import io
import re
from collections.abc import Iterator

from app.sentences import Sentence
from app.sheets.cells import normalize_line_ends
from app.sheets.errors import UnreadableSheet
from app.sheets.limits import (
    MAX_COLUMNS,
    MAX_LINES,
    MAX_ROW_CHARACTERS,
    TOO_LONG_ROW,
    TOO_MANY_COLUMNS,
    TOO_MANY_LINES,
)
from app.sheets.records import Record

_SEPARATOR_LINE = re.compile(r"sep=(?P<delimiter>[,;\t|])", re.IGNORECASE)
_WEB_PAGE = re.compile(r"\s*<(!doctype|html|head|body|meta|table|style|\?xml)", re.IGNORECASE)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_QUOTED = re.compile(r'"[^"]*"')
_MIN_DELIMITERS = 3
_MAX_EMPTY_LINES = 100
"""Empty lines before the header in which the delimiter is looked for."""


def read_csv(file: bytes) -> Iterator[Record]:
    """Return the rows of a CSV file. Raises UnreadableSheet."""
    return _records(_decode(file))


def _decode(file: bytes) -> str:
    in_utf_16 = file.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = file.decode("utf-16" if in_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSheet(_other_encoding(file, error.start)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableSheet(
            Sentence("The file has a NUL character in its line {line}. It is not a CSV file.", line=line)
        )
    if not text.strip():
        raise UnreadableSheet("The file is empty.")
    if _WEB_PAGE.match(text):
        raise UnreadableSheet(
            "The file is a web page (HTML) with another name. Open it in a spreadsheet and save it as XLSX."
        )
    return normalize_line_ends(text)


def _other_encoding(file: bytes, start: int) -> Sentence:
    """Say which character of which line is not in UTF-8, as Windows-1252 reads it where that shows one.

    The file is not read in that encoding: others have the same bytes, and every text would be a guess.
    """
    line = file.count(b"\n", 0, start) + 1
    sign = file[start : start + 1].decode("cp1252", "replace")
    if sign == "\ufffd" or not sign.isprintable() or _BINARY.search(file):
        return Sentence(
            "The file is not in UTF-8 (see its line {line}). Save the sheet as CSV UTF-8.", line=line
        )
    return Sentence(
        "The file is not in UTF-8: it is probably in Windows-1252, with the sign {sign} in line {line}. Save"
        ' it with the type "CSV UTF-8 (Comma delimited)", or as XLSX.',
        sign=sign,
        line=line,
    )


def _records(text: str) -> Iterator[Record]:
    """Records numbered as a spreadsheet numbers them; one record may span several lines of the file."""
    delimiter, text = _delimited(text)
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    row = 0
    while True:
        row += 1
        if row > MAX_LINES:
            raise UnreadableSheet(TOO_MANY_LINES)
        lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = Sentence("The row cannot be read. Check its quotation marks.")
            yield Record(row, [], unreadable=message)
            return
        except _RowTooLong:
            yield Record(row, [], unreadable=TOO_LONG_ROW)
            return
        if len(cells) > MAX_COLUMNS:
            yield Record(row, [], unreadable=TOO_MANY_COLUMNS)
            return
        yield Record(row, cells)


def _delimited(text: str) -> tuple[str, str]:
    """Return the delimiter, and the text without the line `sep=;`, which spreadsheets do not show.

    The first line with text decides, which is the header or a title above it; after a title of one cell, the
    first line with several cells. A semicolon in another line is part of a cell.
    """
    first, _, rest = text.partition("\n")
    if (told := _SEPARATOR_LINE.fullmatch(first.strip(" ").strip('"'))) is not None:
        return told["delimiter"], rest
    lines = [_QUOTED.sub("", line) for line in text.split("\n", _MAX_EMPTY_LINES) if line.strip()]
    several = (line for line in lines[1:20] if max(map(line.count, ",;\t")) >= _MIN_DELIMITERS)
    unquoted = lines[0] if lines and any(map(lines[0].count, ",;\t")) else next(several, "")
    if "," in unquoted:
        return ",", text
    return max(";\t", key=unquoted.count) if unquoted.count(";") + unquoted.count("\t") else ",", text


class _RowTooLong(Exception):
    """One row has more characters than a row may have."""


class _Lines:
    """The lines of a text, with a limit on the characters that one row may consume."""

    def __init__(self, text: str) -> None:
        self._text = io.StringIO(text, newline="")
        self._left = MAX_ROW_CHARACTERS

    def begin_row(self) -> None:
        """Reset the limit: the next line begins a row."""
        self._left = MAX_ROW_CHARACTERS

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if not line:
            raise StopIteration
        if self._left < 0:
            raise _RowTooLong
        return line
