"""How values stand in the cells of a sheet: what an export writes, an import reads back equal."""

import re

# A spreadsheet runs what begins with one of these; an apostrophe before it says that it is a text.
_RUNS = re.compile(r"'*[=+\-@\t\r]")
_HELD = re.compile(r"'+[=+\-@\t\r]")
_TAG = re.compile(r"(?:\\[,;|\\]|[^,;|])+")
_ESCAPED = re.compile(r"\\([,;|\\])")


def one_line_end(text: str) -> str:
    """The text with line feeds alone: sheets know one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def harmless(text: str) -> str:
    """The text as no spreadsheet runs it."""
    return f"'{text}" if _RUNS.match(text) else text


def as_given(cell: str) -> str:
    """What `harmless` was given. Other apostrophes are the author's."""
    return cell[1:] if _HELD.match(cell) else cell


def written_tags(tags: list[str]) -> str:
    """Tags in one cell; a separator within a tag has a backslash before it."""
    return ", ".join(re.sub(r"(?=[,;|])", r"\\", re.sub(r"\\(?=[,;|\\]|$)", r"\\\\", tag)) for tag in tags)


def read_tags(cell: str) -> list[str]:
    """Tags of a cell, separated by any of `,;|`, each once."""
    tags = (_ESCAPED.sub(r"\1", tag).strip() for tag in _TAG.findall(cell))
    return [tag for tag in dict.fromkeys(tags) if tag]
