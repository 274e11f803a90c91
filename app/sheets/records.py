"""Records: the rows of a file as text cells, before anybody interprets them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from app.sentences import Sentence
from app.sheets.embedded_images import EmbeddedImage
from app.sheets.errors import UnreadableSheet

WHOLE_ROW = -1
"""The position of an error that concerns a whole row."""
HIDDEN_COLUMN = "this column is hidden; show it, or delete it"


@dataclass(slots=True)
class Record:
    """One row of the spreadsheet and the errors of single cells, by position."""

    row: int
    cells: list[str]
    cell_errors: dict[int, str] = field(default_factory=dict)
    unreadable: str | None = None
    """Why this row and all that follow cannot be read."""
    sheet: str = ""
    """The sheet of the workbook."""
    merged_down: Sequence[tuple[int, int]] = ()
    """The position and the last row of each cell that is merged with cells below it only."""
    images: Sequence[EmbeddedImage] = ()
    """The images at this row. `cell_errors` has an error for them, which readers of images remove."""

    def cell_name(self, position: int) -> str:
        """Return the name of a cell as the spreadsheet shows it, such as `Sheet1!F7`."""
        sheet = f"{self.sheet}!" if self.sheet else ""
        return f"{sheet}{column_letters(position) if position != WHOLE_ROW else ''}{self.row}"

    @property
    def is_empty(self) -> bool:
        """Whether the row has neither text nor errors."""
        return not (self.unreadable or self.cell_errors or any(cell.strip() for cell in self.cells))

    def cell(self, position: int) -> str:
        """Return the text at a position, empty where the row is shorter."""
        return self.cells[position] if position < len(self.cells) else ""


def non_empty(records: Iterable[Record]) -> Iterator[Record]:
    """Return the records that are not empty."""
    return (record for record in records if not record.is_empty)


def check_header(header: Record) -> None:
    """Raise UnreadableSheet if the header could not be read."""
    if header.unreadable:
        raise UnreadableSheet(Sentence("The header cannot be read: {problem}", problem=header.unreadable))


def column_letters(position: int) -> str:
    """Return the spreadsheet's name of a column: 0 → `A`, 26 → `AA`."""
    letters = ""
    position += 1
    while position:
        position, digit = divmod(position - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def column_name(header: Sequence[str], position: int) -> str:
    """Return the name of a column in error messages: its header, else its letters."""
    if position == WHOLE_ROW:
        return "file"
    name = header[position] if position < len(header) else ""
    return name or f"column {column_letters(position)}"
