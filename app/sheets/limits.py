"""The limits of a CSV or XLSX file. Readers check them while they read and stop at the first one exceeded."""

from app.sentences import Sentence

MAX_BYTES = 25_000_000
MAX_ROWS = 20_000
"""Non-empty rows below the header."""
MAX_LINES = 100_000
"""All rows, including empty ones: spreadsheets store a row if any of its cells was formatted."""
MAX_COLUMNS = 600
MAX_ROW_CHARACTERS = 1_000_000
"""Characters of one CSV row. A longer row has an unclosed quotation mark or no line end."""
MAX_CHARACTERS = 25_000_000
"""Characters of all cells. In XLSX, many cells can refer to one long shared string in a small file."""
MAX_ERRORS = 5_000
"""Reading stops after this many errors."""

TOO_MANY_COLUMNS = Sentence("A sheet has at most {most} columns. Delete the others.", most=MAX_COLUMNS)
TOO_MANY_LINES = Sentence(
    "A sheet has at most {most:,} rows, empty ones included. Delete the rows at its end.", most=MAX_LINES
)
TOO_LONG_ROW = Sentence(
    "A row has at most {most:,} characters. Check its quotation marks and the line ends.",
    most=MAX_ROW_CHARACTERS,
)
TOO_MANY_CHARACTERS = Sentence(
    "A sheet has at most {most:,} characters in its cells. Split it.", most=MAX_CHARACTERS
)
NOTHING_MORE_READ = Sentence(
    "The rows from here on were not read. Correct the errors in the rows above, and upload the file again."
)
