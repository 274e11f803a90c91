"""Images that stand on a sheet: each is an image of the question in whose row it stands."""

from collections.abc import Iterable, Iterator

from app.services.questions.columns import Columns
from app.sheets.embedded_images import IMAGE_HERE
from app.sheets.records import WHOLE_ROW, Record, column_letters
from app.sheets.reports import RowWarning

_OF_THE_QUESTION = ("question", "image", "number", "external_id")
"""The columns in which nobody takes an image for anything else than an image of the question."""


def named_images(
    columns: Columns,
    records: Iterable[Record],
    sheet: int,
    found: dict[str, bytes],
    warnings: list[RowWarning],
) -> Iterator[Record]:
    """Yield the records. Images in rows with a text are no errors any more; `found` gets their contents."""
    for record in records:
        images = record.images
        if images and all(image.content for image in images) and any(map(str.strip, record.cells)):
            if record.cell_errors.get(WHOLE_ROW, "").startswith(IMAGE_HERE):
                del record.cell_errors[WHOLE_ROW]
            for image, name in zip(images, image_names(record, sheet), strict=True):
                found[name] = image.content or b""
                warnings += _elsewhere(columns, record, image.column)
        yield record


def image_names(record: Record, sheet: int) -> list[str]:
    """The names of the images of a row, such as `C7.png`; on a further sheet with its number."""
    before = f"{sheet}-" if sheet > 1 else ""
    cells = [f"{before}{column_letters(image.column)}{record.row}" for image in record.images]
    return [
        f"{cell}{f'-{cells[:place].count(cell) + 1}' if cell in cells[:place] else ''}{image.ending}"
        for place, (cell, image) in enumerate(zip(cells, record.images, strict=True))
    ]


def _elsewhere(columns: Columns, record: Record, position: int) -> Iterator[RowWarning]:
    """A warning if an image stands in a column that is about something else than the question."""
    name = columns.fields.get(position, "")
    if name and name.partition("_")[0] != "question" and name not in _OF_THE_QUESTION:
        message = f"the image in the column {name} is shown with the question: only questions have images"
        yield RowWarning(record.row, name, message, cell=record.cell_name(position))
