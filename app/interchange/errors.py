"""Why a file of another program cannot be read."""

from app.sheets.errors import SheetError


class UnreadableFile(SheetError):
    """Nothing of the file can be read. The message says why and how to correct it."""
