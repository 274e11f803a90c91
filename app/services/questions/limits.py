"""How much a sheet of questions or of answers may hold: one set of limits for every reader, in every format.

A reader checks them while it reads, so that nothing beyond them is looked at.
"""

from app.core.archives import ArchiveLimits

MOST_BYTES = 25_000_000
MOST_ROWS = 20_000
"""Rows below the header in which something stands."""
MOST_LINES = 100_000
"""All rows, empty ones too: spreadsheets keep them where something was formatted."""
MOST_COLUMNS = 600
LONGEST_ROW = 1_000_000
"""Characters of one row, before an open quotation mark or a missing line end is assumed."""
MOST_CHARACTERS = 25_000_000
"""In all cells. A workbook names one long text from many cells and is small itself."""
MOST_ERRORS_FOUND = 5_000
"""With more of them, reading stops: no author mends them one by one."""

WORKBOOK = ArchiveLimits(entries=1_000, bytes_inside=100_000_000)
IMAGES = ArchiveLimits(entries=2_000, bytes_inside=200_000_000)
MOST_PIXELS_OF_IMAGES = 1_000_000_000
"""Of all images of a ZIP together."""

TOO_MANY_COLUMNS = f"a sheet has at most {MOST_COLUMNS} columns; delete the others"
TOO_MANY_LINES = f"a sheet has at most {MOST_LINES:,} rows, empty ones included; delete the rows at its end"
TOO_LONG_ROW = (
    f"a row has at most {LONGEST_ROW:,} characters; see its quotation marks, and whether the lines have ends"
)
TOO_MANY_CHARACTERS = f"a sheet has at most {MOST_CHARACTERS:,} characters in its cells; split it"
NOTHING_MORE_READ = "from here on nothing was read; mend the rows before it first"
