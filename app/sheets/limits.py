"""The limits of a CSV or XLSX file. Readers check them while they read and stop at the first one exceeded."""

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

TOO_MANY_COLUMNS = f"a sheet has at most {MAX_COLUMNS} columns; delete the others"
TOO_MANY_LINES = f"a sheet has at most {MAX_LINES:,} rows, empty ones included; delete the rows at its end"
TOO_LONG_ROW = (
    f"a row has at most {MAX_ROW_CHARACTERS:,} characters; check its quotation marks and the line ends"
)
TOO_MANY_CHARACTERS = f"a sheet has at most {MAX_CHARACTERS:,} characters in its cells; split it"
NOTHING_MORE_READ = "nothing was read from this row on; correct the rows before it first"
