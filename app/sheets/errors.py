"""Why a file cannot be read as a spreadsheet."""

from app.sentences import Sentence


class SheetError(Exception):
    """The base class of this package's errors."""


class UnreadableSheet(SheetError):
    """The file is not a spreadsheet that can be imported. The message says why and how to correct it."""


class SheetTooLarge(SheetError):
    """The file has more than `max_bytes` bytes."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(Sentence("A sheet has at most {most:,} bytes.", most=max_bytes))
        self.max_bytes = max_bytes
