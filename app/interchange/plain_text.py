"""Files of plain text: their encodings and lines."""

from app.interchange.errors import UnreadableFile
from app.sentences import Sentence
from app.sheets.cells import normalize_line_ends
from app.sheets.errors import SheetTooLarge
from app.sheets.limits import MAX_BYTES


def decoded(file: bytes) -> str:
    """Return the text of a file in UTF-8 or UTF-16, with line feeds. Raises UnreadableFile, SheetTooLarge."""
    if len(file) > MAX_BYTES:
        raise SheetTooLarge(MAX_BYTES)
    in_utf_16 = file.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = file.decode("utf-16" if in_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            Sentence("The file is not in UTF-8 (see its line {line}). Save it as UTF-8.", line=line)
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableFile(
            Sentence("The file has a NUL character in its line {line}. It is not a text file.", line=line)
        )
    if not text.strip():
        raise UnreadableFile("The file is empty.")
    return normalize_line_ends(text)
