"""Cell values: escaping of formulas and line ends. A value that is written and read back is equal."""

import re

# Spreadsheets evaluate a cell that begins with one of these; an apostrophe before it marks the cell as text.
# Some evaluate the full-width forms of the signs too.
_SIGNS = r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"'*{_SIGNS}")
_ESCAPED_FORMULA = re.compile(rf"'+{_SIGNS}")


def normalize_line_ends(text: str) -> str:
    """Replace all line ends by line feeds."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def escape_formula(text: str) -> str:
    """Return the text with an apostrophe before it if a spreadsheet would evaluate it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """Reverse `escape_formula`. Other apostrophes belong to the text and stay."""
    return cell[1:] if cell.startswith("'") and _ESCAPED_FORMULA.match(cell) else cell
