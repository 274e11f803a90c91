"""Why a file of another program, or a question in it, cannot be read."""

from app.sheets.errors import SheetError


class UnreadableFile(SheetError):
    """Nothing of the file can be read. The message says why and how to correct it."""


class QuestionNotRead(Exception):
    """The base of what ends the reading of one question. The message goes into the report."""


class MistakeInQuestion(QuestionNotRead):
    """The question is not as its format says."""


class UnsupportedQuestion(QuestionNotRead):
    """The bank cannot hold the question."""
