"""Rows of a sheet that are no questions: repeated headers, totals, notes, a second table."""

import re
from collections.abc import Sequence

from app.sheets.header_row import CountKnown
from app.sheets.records import Record

_TOTAL = re.compile(r"(grand |sub[ -]?)?total\b.*|कुल( .*)?|योग( .*)?", re.IGNORECASE | re.DOTALL)
_MAX_NAME_LENGTH = 40  # of a column. A longer text need not be looked up.
_MIN_COLUMNS = 4  # of a sheet in which a single cell is no question


def no_question(record: Record, header: Sequence[str], known: CountKnown) -> str | None:
    """Say what a row is that is no question, and how to mend it; None for any other row.

    `header` has the cells of the header in small letters.
    """
    said = [(place, cell.strip()) for place, cell in enumerate(record.cells) if cell.strip()]
    texts = [text for _, text in said]
    if len(texts) > 1 and all(
        place < len(header) and text.casefold() == header[place] for place, text in said
    ):
        return "this row repeats the header; delete it"
    if max(map(len, texts), default=0) <= _MAX_NAME_LENGTH and known(texts) >= 3:
        return "a second table begins here; move it to a sheet or a file of its own"
    if texts and _TOTAL.fullmatch(texts[0]) and len(texts) <= 3:
        return "this looks like a row of totals and not like a question; delete it"
    if len(texts) == 1 and sum(map(bool, header)) >= _MIN_COLUMNS:
        return f'this looks like a note and not like a question: "{texts[0][:60]}"; delete it'
    return None
