"""The limits of files of other programs. Readers check them while they read."""

from app.sentences import Sentence
from app.sheets.limits import MAX_BYTES, MAX_CHARACTERS, MAX_ERRORS, MAX_ROWS

__all__ = ["MAX_BYTES", "MAX_CHARACTERS", "MAX_ERRORS", "MAX_ITEMS", "TOO_MANY_ITEMS"]

MAX_ITEMS = MAX_ROWS
TOO_MANY_ITEMS = Sentence("A file may have at most {most:,} questions. Split it.", most=MAX_ITEMS)
