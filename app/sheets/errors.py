"""Why a file cannot be read as a spreadsheet."""


class SheetError(Exception):
    """The base class of this package's errors."""


class UnreadableSheet(SheetError):
    """The file is not a spreadsheet that can be imported. The message says why and how to correct it."""


class SheetTooLarge(SheetError):
    """The file has more than `max_bytes` bytes."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"A sheet has at most {max_bytes:,} bytes.")
        self.max_bytes = max_bytes
