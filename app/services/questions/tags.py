"""Tags in one cell of a sheet."""

import re

_TAG = re.compile(r"(?:\\[,;|\\]|[^,;|])+")
_ESCAPED = re.compile(r"\\([,;|\\])")


def write_tags(tags: list[str]) -> str:
    """Join tags by commas. A separator within a tag is escaped by a backslash."""
    return ", ".join(re.sub(r"(?=[,;|])", r"\\", re.sub(r"\\(?=[,;|\\]|$)", r"\\\\", tag)) for tag in tags)


def read_tags(cell: str) -> list[str]:
    """Split a cell at any of `,;|` into distinct tags."""
    tags = (_ESCAPED.sub(r"\1", tag).strip() for tag in _TAG.findall(cell))
    return [tag for tag in dict.fromkeys(tags) if tag]
