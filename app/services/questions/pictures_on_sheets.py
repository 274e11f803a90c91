"""Pictures that stand on a sheet: each is an image of the question in whose row it stands."""

from collections.abc import Iterable, Iterator

from app.services.questions.columns import Columns
from app.sheets.pictures import PICTURE_HERE
from app.sheets.records import WHOLE_ROW, Record, column_letters
from app.sheets.reports import RowWarning

_OF_THE_QUESTION = ("question", "image", "number", "external_id")
"""The columns in which nobody takes a picture for anything else than an image of the question."""


def named_pictures(
    columns: Columns,
    records: Iterable[Record],
    sheet: int,
    found: dict[str, bytes],
    warnings: list[RowWarning],
) -> Iterator[Record]:
    """Yield the records. Pictures in rows with a text are no errors any more; `found` gets their contents."""
    for record in records:
        pictures = record.pictures
        if pictures and all(picture.content for picture in pictures) and any(map(str.strip, record.cells)):
            if record.cell_errors.get(WHOLE_ROW, "").startswith(PICTURE_HERE):
                del record.cell_errors[WHOLE_ROW]
            for picture, name in zip(pictures, picture_names(record, sheet), strict=True):
                found[name] = picture.content or b""
                warnings += _elsewhere(columns, record, picture.column)
        yield record


def picture_names(record: Record, sheet: int) -> list[str]:
    """The names of the pictures of a row, such as `C7.png`; on a further sheet with its number."""
    before = f"{sheet}-" if sheet > 1 else ""
    cells = [f"{before}{column_letters(picture.column)}{record.row}" for picture in record.pictures]
    return [
        f"{cell}{f'-{cells[:place].count(cell) + 1}' if cell in cells[:place] else ''}{picture.ending}"
        for place, (cell, picture) in enumerate(zip(cells, record.pictures, strict=True))
    ]


def _elsewhere(columns: Columns, record: Record, position: int) -> Iterator[RowWarning]:
    """A warning if a picture stands in a column that is about something else than the question."""
    name = columns.fields.get(position, "")
    if name and name.partition("_")[0] != "question" and name not in _OF_THE_QUESTION:
        message = f"the picture in the column {name} is shown with the question: only questions have images"
        yield RowWarning(record.row, name, message, cell=record.cell_name(position))
